#include "ops/loss_rules.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "ops/examples.h"

namespace seqgraph::ops {

absl::Status CheckLossOperands(const ShapeContext& c, absl::string_view name,
                               absl::string_view labels, int weights, bool classes) {
  const Shape& x = c.shape(0);
  SEQ_RETURN_IF_ERROR(CheckShape("C1", labels, c.shape(1), absl::StrCat("the shape of ", name), x));
  bool empty = classes && (x.rank() == 0 || x.back().is_batch());
  for (Dim dim : x.dims()) empty |= !dim.is_batch() && dim.size() == 0;
  if (empty) {
    return Violation("C2", name, " must have at least one element",
                     classes ? " and a last axis of classes" : "", ", got ", x.ToString());
  }
  if (!c.has_input(weights)) return absl::OkStatus();
  if (x.rank() == 0) return Violation("C3", "a scalar has no rows to weight");
  return CheckShape("C3", "weights", c.shape(weights),
                    absl::StrCat("the shape of ", name, " without its last axis"),
                    Shape(x.dims().first(x.rank() - 1)));
}

absl::Status CheckLossGradient(const ShapeContext& c) {
  return CheckScalar("C4", "dloss", c.shape(2));
}

Types LossType(const ShapeContext& c) {
  return std::vector<TensorType>{{c.type(0).dtype, Shape{}}};
}

void AddEpsilon(OpDef& op, absl::string_view what) {
  op.Attribute({.name = "epsilon",
                .kind = AttributeKind::kFloat,
                .default_value = 1e-7,
                .doc = absl::StrCat(what, " is clipped to [epsilon, 1 - epsilon]")})
      .Constrain("C5", "epsilon is in (0, 0.5)");
  std::vector<std::optional<TensorType>> valid = {RealType({2, 3}), RealType({2, 3})};
  if (op.FindInput("dloss") >= 0) valid.push_back(RealType({}));
  op.Reject({"C5", {{"epsilon", 0.0}}, valid}).Reject({"C5", {{"epsilon", 0.5}}, valid});
}

absl::Status CheckEpsilon(const ShapeContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  if (epsilon > 0 && epsilon < 0.5) return absl::OkStatus();
  return Violation("C5", "attribute epsilon must be in (0, 0.5), got ", epsilon);
}

void AddLossInputs(OpDef& op, const std::string& name, const std::string& doc,
                   const std::string& labels, const std::string& labels_doc, bool gradient,
                   int weights_since) {
  op.Input({.name = name, .doc = doc})
      .Input({.name = labels, .doc = labels_doc, .differentiable = false});
  if (gradient) op.Input({.name = "dloss", .doc = "the gradient of the loss, a scalar"});
  op.Input({.name = "weights",
            .doc = absl::StrCat("the shape of ", name,
                                " without its last axis: multiplies the loss of each row; absent: "
                                "ones"),
            .optional = true,
            .differentiable = false,
            .since = weights_since})
      .Constrain("C1", absl::StrCat(labels, " has the shape of ", name))
      .Constrain("C2", absl::StrCat(name, " has at least one element"))
      .Constrain("C3", absl::StrCat("weights has the shape of ", name, " without its last axis"));
  if (gradient) op.Constrain("C4", "dloss is a scalar");
}

void RejectLossOperands(OpDef& op, bool classes, bool gradient) {
  using Operands = std::vector<std::optional<TensorType>>;
  const auto reject = [&](const std::string& label, Operands operands, const Shape& dloss = {}) {
    if (gradient) operands.insert(operands.begin() + 2, RealType(dloss));
    op.Reject({label, {}, std::move(operands)});
  };
  const TensorType x = RealType({2, 3});
  reject("C1", {x, RealType({2}), {}});
  reject("C1", {x, RealType({2, 1}), {}});
  reject("C2", {RealType({0, 3}), RealType({0, 3}), {}});
  if (classes) reject("C2", {RealType({}), RealType({}), {}});
  reject("C3", {x, x, RealType({3})});
  reject("C3", {x, x, RealType({2, 1})});
  if (gradient) reject("C4", {x, x, {}}, {1});
}

}  // namespace seqgraph::ops
