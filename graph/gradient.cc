#include "graph/gradient.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// One reverse sweep over the nodes that a builder holds.
class ReverseSweep {
 public:
  explicit ReverseSweep(FunctionBuilder& builder)
      : builder_(builder),
        num_nodes_(static_cast<int>(builder.function().nodes().size())),
        active_(builder.function().values().size(), false),
        contributions_(builder.function().values().size()) {}

  absl::StatusOr<std::vector<Value>> Run(Value loss, absl::Span<const Value> wrt) {
    SEQ_RETURN_IF_ERROR(CheckArguments(loss, wrt));
    MarkActive(wrt);
    contributions_[loss.index] = {FillLike(loss, 1.0)};
    for (int n = num_nodes_ - 1; n >= 0; --n) SEQ_RETURN_IF_ERROR(Visit(n));
    std::vector<Value> gradients;
    for (Value value : wrt) {
      const Value gradient = Sum(value);
      gradients.push_back(gradient.present() ? gradient : FillLike(value, 0.0));
    }
    SEQ_RETURN_IF_ERROR(builder_.status());
    return gradients;
  }

 private:
  const Function& function() const { return builder_.function(); }

  absl::Status CheckArguments(Value loss, absl::Span<const Value> wrt) const {
    SEQ_RETURN_IF_ERROR(builder_.status());
    const int num_values = static_cast<int>(function().values().size());
    if (!loss.present() || loss.index >= num_values) {
      return InvalidArgument("the loss is no value of this function");
    }
    const TensorType& type = function().type(loss);
    if (!IsReal(type.dtype) || type.shape.rank() != 0) {
      return InvalidArgument("the loss must be a real scalar; ", function().info(loss).name, " is ",
                             type.ToString());
    }
    for (Value value : wrt) {
      if (!value.present() || value.index >= num_values || !IsReal(function().type(value).dtype)) {
        return InvalidArgument(
            "gradients can be taken with respect to real values of this function only");
      }
    }
    return absl::OkStatus();
  }

  // Whether the node's outputs depend on one of `wrt` by input i.
  bool IsActive(const Node& node, size_t i) const {
    const Value input = node.inputs[i];
    return input.present() && active_[input.index] && !node.op->inputs()[i].shape_only;
  }

  // A value is active if it depends on one of `wrt`: only there gradients have to pass. Integers
  // are steps of what they are computed from, whose derivative is 0 wherever there is one: none
  // passes.
  void MarkActive(absl::Span<const Value> wrt) {
    for (Value value : wrt) active_[value.index] = true;
    for (const Node& node : function().nodes()) {
      bool active = false;
      for (size_t i = 0; i < node.inputs.size(); ++i) active |= IsActive(node, i);
      if (!active) continue;
      for (Value output : node.outputs) {
        active_[output.index] = IsReal(function().type(output).dtype);
      }
    }
  }

  absl::Status Visit(int index) {
    const Node node = function().nodes()[index];  // a copy: emitting nodes moves the vector
    std::vector<bool> wanted(node.inputs.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      wanted[i] = IsActive(node, i);
    }
    // Above what is asked for nothing has to pass, and no rule is needed.
    if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) return absl::OkStatus();
    std::vector<Value> output_gradients;
    bool reached = false;
    for (Value output : node.outputs) {
      output_gradients.push_back(Sum(output));
      reached |= output_gradients.back().present();
    }
    if (!reached) return absl::OkStatus();
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (wanted[i] && !node.op->inputs()[i].differentiable) {
        return NoGradient(node, absl::StrCat(" for its input ", node.op->inputs()[i].name));
      }
    }
    if (!node.op->gradient_rule()) return NoGradient(node, "");
    const ScopedDefaultName scope(builder_, absl::StrCat(node.name, "/grad"));
    GradientContext context(builder_, node, std::move(output_gradients), wanted);
    const absl::Status status = node.op->gradient_rule()(context);
    SEQ_RETURN_IF_ERROR(
        Annotate(status, absl::StrCat("gradient of node ", node.name, " (", node.op->name(), ")")));
    SEQ_RETURN_IF_ERROR(builder_.status());
    return Collect(node, wanted, context.input_gradients());
  }

  absl::Status Collect(const Node& node, const std::vector<bool>& wanted,
                       const std::vector<Value>& gradients) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!wanted[i] || !gradients[i].present()) continue;
      const Value input = node.inputs[i];
      if (builder_.type(gradients[i]) != builder_.type(input)) {
        return Internal("the gradient rule of ", node.op->name(), " gives ",
                        builder_.type(gradients[i]).ToString(), " for input ",
                        node.op->inputs()[i].name, ", which is ", builder_.type(input).ToString());
      }
      contributions_[input.index].push_back(gradients[i]);
    }
    return absl::OkStatus();
  }

  // Adds up what has been collected for a value; absent if nothing has.
  Value Sum(Value value) {
    std::vector<Value>& terms = contributions_[value.index];
    if (terms.empty()) return {};
    Value sum = terms[0];
    for (size_t i = 1; i < terms.size(); ++i) {
      sum = builder_.AddNode("Add", {sum, terms[i]}, {},
                             absl::StrCat(function().info(value).name, "/grad_sum"))[0];
    }
    terms = {sum};
    return sum;
  }

  Value FillLike(Value like, double value) {
    return builder_.AddNode("FillLike", {like}, {{"value", value}},
                            absl::StrCat(function().info(like).name, "/grad_of"))[0];
  }

  static absl::Status NoGradient(const Node& node, absl::string_view where) {
    return Unimplemented("node ", node.name, ": op ", node.op->name(), " has no gradient", where,
                         ", but the loss depends on it");
  }

  FunctionBuilder& builder_;
  const int num_nodes_;
  std::vector<bool> active_;
  std::vector<std::vector<Value>> contributions_;
};

// The input that an output of a gradient op is the gradient of: x for "dx", dy for "y".
int DifferentiatedInput(const OpDef& op, const OutputDef& gradient) {
  const int input = std::max(op.FindInput(absl::StripPrefix(gradient.name, "d")),
                             op.FindInput(absl::StrCat("d", gradient.name)));
  SEQ_CHECK(input >= 0);
  return input;
}

// The operand of a node that the input `name` of its gradient op stands for.
Value OperandOf(const GradientContext& c, absl::string_view name, const OpDef& gradient_op) {
  const OpDef& op = *c.node().op;
  if (name == "like") return c.input(DifferentiatedInput(op, gradient_op.outputs()[0]));
  if (const int i = op.FindInput(name); i >= 0) return c.input(i);
  if (const int o = op.FindOutput(name); o >= 0) return c.output(o);
  const absl::string_view of = absl::StripPrefix(name, "d");
  const int output = std::max({op.FindOutput(of), op.FindOutput(absl::StripPrefix(of, "_")),
                               op.FindOutput(absl::StrCat("d", name))});
  SEQ_CHECK(output >= 0);
  return c.output_gradient(output);
}

}  // namespace

GradientRule GradientOp(std::string gradient_op) {
  return [name = std::move(gradient_op)](GradientContext& c) -> absl::Status {
    SEQ_ASSIGN_OR_RETURN(const OpDef* def, c.builder().registry().Get(name));
    const std::vector<Value> gradients = c.builder().AddNodeByNames(
        name, [&](absl::string_view input) { return OperandOf(c, input, *def); }, c.attributes());
    for (size_t o = 0; o < gradients.size(); ++o) {
      const int i = DifferentiatedInput(*c.node().op, def->outputs()[o]);
      if (c.input(i).present()) c.SetInputGradient(i, gradients[o]);
    }
    return absl::OkStatus();
  };
}

absl::StatusOr<std::vector<Value>> AddGradients(FunctionBuilder& builder, Value loss,
                                                absl::Span<const Value> wrt) {
  return ReverseSweep(builder).Run(loss, wrt);
}

}  // namespace seqgraph
