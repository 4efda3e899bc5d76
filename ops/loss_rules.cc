#include "ops/loss_rules.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"

namespace seqgraph::ops {

namespace {

void RejectOperands(OpDef& op, bool classes, bool gradient) {
  using Operands = std::vector<std::optional<TensorType>>;
  const auto reject = [&](const std::string& label, Operands operands) {
    if (gradient) operands.insert(operands.begin() + 2, RealType({}));
    op.Reject({label, {}, std::move(operands)});
  };
  reject("C2", {RealType({0, 3}), RealType({0, 3}), {}});
  if (classes) reject("C2", {RealType({}), RealType({}), {}});
  reject("C3", {RealType({}), RealType({}), RealType({})});
}

}  // namespace

std::function<void(OpDef&)> LossShapes(LossOperands operands, bool gradient) {
  return [o = std::move(operands), gradient](OpDef& op) {
    const std::string like = absl::StrCat("the shape of ", o.name);
    op.Input({.name = o.name, .doc = o.doc})
        .Input(
            {.name = o.labels, .doc = absl::StrCat(like, o.labels_doc), .differentiable = false});
    if (gradient) op.Input({.name = "dloss", .doc = "a scalar: the gradient of the loss"});
    op.Input(
        {.name = "weights",
         .doc = absl::StrCat(like,
                             " without its last axis: multiplies the loss of each row; absent: "
                             "ones"),
         .optional = true,
         .differentiable = false,
         .since = o.weights_since});
    op.Output(gradient ? OutputDef{.name = "d" + o.name, .doc = like}
                       : OutputDef{.name = "loss", .doc = "a scalar"});
    std::vector<ShapeConstraint> shapes = {{"C1", {o.labels}}, {"C3", {"weights"}}};
    if (gradient) shapes.push_back({"C4", {"dloss"}});
    op.With(ShapesByDoc(std::move(shapes)))
        .Require("C2", absl::StrCat(o.name, " has at least one element"),
                 [name = o.name, classes = o.classes](const ShapeContext& c) -> std::string {
                   const Shape& x = c.shape(0);
                   bool empty = classes && (x.rank() == 0 || x.back().is_batch());
                   for (Dim dim : x.dims()) empty |= !dim.is_batch() && dim.size() == 0;
                   if (!empty) return "";
                   return absl::StrCat(name, " must have at least one element",
                                       classes ? " and a last axis of classes" : "", ", got ",
                                       x.ToString());
                 });
    RejectOperands(op, o.classes, gradient);
  };
}

void AddEpsilon(OpDef& op, absl::string_view what) {
  op.Attribute("epsilon", 1e-7, absl::StrCat(what, " is clipped to [epsilon, 1 - epsilon]"))
      .Require("C5", "epsilon is in (0, 0.5)", [](const ShapeContext& c) -> std::string {
        const double epsilon = c.attributes().GetFloat("epsilon");
        if (epsilon > 0 && epsilon < 0.5) return "";
        return absl::StrCat("attribute epsilon must be in (0, 0.5), got ", epsilon);
      });
  std::vector<std::optional<TensorType>> valid = {RealType({2, 3}), RealType({2, 3})};
  if (op.FindInput("dloss") >= 0) valid.push_back(RealType({}));
  op.Reject({"C5", {{"epsilon", 0.0}}, valid}).Reject({"C5", {{"epsilon", 0.5}}, valid});
}

void AddLossInputs(SampleSource& source, bool gradient, OpSample& sample) {
  const Shape shape = sample.inputs[0]->shape();
  if (gradient) sample.inputs.push_back(source.Reals({}));
  sample.inputs.emplace_back();
  if (shape.rank() == 0 || source.Coin()) return;
  sample.inputs.back() = source.Reals(Shape(shape.dims().first(shape.rank() - 1)), 0, 2);
}

}  // namespace seqgraph::ops
