#include "serialization/onnx/term.h"

#include <vector>

#include "base/status_macros.h"

namespace seqgraph::onnx {

Term Term::Scalar(double value) const {
  if (!operand_.ok()) return *this;
  return {*graph_, graph_->Scalar(value, operand_->type.dtype)};
}

Term Term::BroadcastWith(const Term& other) const {
  if (!operand_.ok()) return *this;
  if (!other.operand_.ok()) return other;
  const absl::StatusOr<std::vector<Operand>> both = graph_->Broadcast({*operand_, *other.operand_});
  if (!both.ok()) return {*graph_, both.status()};
  return {*graph_, WithBoolean((*both)[0], operand_->boolean)};
}

Term Input(NodeImport& node, int i) { return {node.graph(), node.input(i)}; }

Term Real(NodeImport& node, int i) {
  absl::StatusOr<Operand> x = node.input(i);
  if (x.ok() && !IsReal(x->type.dtype)) {
    x = Unimplemented("it computes on ", DTypeName(x->type.dtype));
  }
  return {node.graph(), std::move(x)};
}

Term Map(absl::string_view op, const Term& x, const Attributes& attributes) {
  if (!x.operand().ok()) return x;
  return {x.graph(), x.graph().Emit(op, {*x.operand()}, attributes)};
}

Term Map(absl::string_view op, const Term& a, const Term& b) {
  if (!a.operand().ok()) return a;
  if (!b.operand().ok()) return b;
  return {a.graph(), a.graph().Pair(op, *a.operand(), *b.operand())};
}

Term Where(const Term& condition, const Term& a, const Term& b) {
  for (const Term* term : {&condition, &a, &b}) {
    if (!term->operand().ok()) return *term;
  }
  GraphImport& g = condition.graph();
  const absl::StatusOr<std::vector<Operand>> all =
      g.Broadcast({*condition.operand(), *a.operand(), *b.operand()});
  if (!all.ok()) return {g, all.status()};
  return {g, WithBoolean(g.Emit("Where", *all), a.operand()->boolean)};
}

Term Reduce(absl::string_view op, const Term& x, std::vector<int64_t> axes) {
  return Map(op, x, {{"axes", std::move(axes)}, {"keep_dims", true}});
}

Term operator*(double a, const Term& b) {
  if (!b.operand().ok() || !IsReal(b.operand()->type.dtype)) return b.Scalar(a) * b;
  return Map("Scale", b, {{"factor", a}});
}

}  // namespace seqgraph::onnx
