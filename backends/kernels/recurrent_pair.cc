#include "backends/kernels/recurrent_pair.h"

#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

constexpr absl::string_view kSequence = "sequence";

bool IsGradientOf(const Node& grad, const Node& forward) {
  const std::optional<RecurrenceFacts>& facts = grad.op->recurrence();
  return facts.has_value() && facts->gradient_of == forward.op->name();
}

bool BelongTogether(const Node& forward, const Node& grad) {
  if (!IsGradientOf(grad, forward) || forward.outputs[0] != InputNamed(grad, kSequence)) {
    return false;
  }
  for (const InputDef& input : forward.op->inputs()) {
    if (InputNamed(forward, input.name) != InputNamed(grad, input.name)) return false;
  }
  return forward.attributes == grad.attributes;
}

}  // namespace

Value InputNamed(const Node& node, absl::string_view name) {
  const int i = node.op->FindInput(name);
  return i >= 0 && i < static_cast<int>(node.inputs.size()) ? node.inputs[i] : Value{};
}

// The gradient is among the readers of the sequence, which are few; the nodes behind may be many.
int BackwardOf(const NodeContext& forward) {
  const Function& function = forward.function();
  for (const int n : function.Consumers()[forward.node().outputs[0].index]) {
    if (forward.IsMine(n) && BelongTogether(forward.node(), function.nodes()[n])) return n;
  }
  return -1;
}

int ForwardOf(const NodeContext& grad) {
  const Function& function = grad.function();
  const Value sequence = InputNamed(grad.node(), kSequence);
  if (!sequence.present()) return -1;
  const ValueInfo& info = function.info(sequence);
  if (info.origin != Origin::kNode || !grad.IsMine(info.source)) return -1;
  const Node& forward = function.nodes()[info.source];
  if (!BelongTogether(forward, grad.node())) return -1;
  // The workspace serves one backward run: that of the first gradient node.
  for (const int n : function.Consumers()[sequence.index]) {
    if (n == grad.index()) break;
    if (grad.IsMine(n) && BelongTogether(forward, function.nodes()[n])) return -1;
  }
  return info.source;
}

}  // namespace seqgraph::kernels
