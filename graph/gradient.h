#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph {

/// What a gradient rule sees and does: it reads the gradients of the loss with respect to the
/// node's outputs, emits nodes with the op builders, and sets those with respect to the inputs.
///
///   absl::Status NegativeGradient(GradientContext& c) {
///     c.SetInputGradient(0, Unary(c.builder(), "Negative", c.output_gradient(0)));
///     return absl::OkStatus();
///   }
class GradientContext {
 public:
  GradientContext(FunctionBuilder& builder, const Node& node, std::vector<Value> output_gradients,
                  std::vector<bool> wanted)
      : builder_(builder),
        node_(node),
        output_gradients_(std::move(output_gradients)),
        wanted_(std::move(wanted)),
        input_gradients_(node.inputs.size()) {}

  FunctionBuilder& builder() { return builder_; }
  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  /// Absent for an optional input that is not given.
  Value input(int i) const { return node_.inputs[i]; }
  Value output(int i) const { return node_.outputs[i]; }
  /// Same shape as output i; absent if the loss does not depend on that output.
  Value output_gradient(int i) const { return output_gradients_[i]; }
  /// False if nobody needs the gradient of input i: a rule may leave it out.
  bool wanted(int i) const { return wanted_[i]; }
  /// The gradient must have the type of input i. An input whose gradient is never set has gradient
  /// zero.
  void SetInputGradient(int i, Value gradient) { input_gradients_[i] = gradient; }

  const std::vector<Value>& input_gradients() const { return input_gradients_; }

 private:
  FunctionBuilder& builder_;
  const Node& node_;
  std::vector<Value> output_gradients_;
  std::vector<bool> wanted_;
  std::vector<Value> input_gradients_;
};

/// The rule of an op all of whose gradients one node of `gradient_op` gives, whose operands are
/// named after those of the op: x is its input or output x, dx or d_x the gradient of its output x,
/// and `like` the input that the first gradient is of. The outputs are dx for the gradient of input
/// x. Attributes of one name have one value. For a gradient that is linear in dy it is the op it
/// belongs to: its x is then the gradient of output dx, its output y that of input dy.
GradientRule GradientOp(std::string gradient_op);

/// Reverse-mode differentiation: adds to the function in `builder` the nodes that compute
/// d loss / d value for each of `wrt`, and gives them in that order.
///
/// `loss` must be a real scalar (rank 0). A value that the loss does not depend on gets zeros. The
/// nodes carry the name of the node that they differentiate, with "/grad" appended. Where a value
/// is read by several nodes the contributions are added in the order of those nodes, latest first.
/// No gradient passes through integers (comparisons, masks made of numbers): they are constant but
/// for jumps. Errors: InvalidArgument if `loss` is no real scalar; Unimplemented if the loss
/// depends on one of `wrt` through an op, or an input of one, that has no gradient (names node and
/// op). Needs the ops "Add" and "FillLike" in the registry. Source: reverse accumulation, e.g.
/// Griewank & Walther, Evaluating Derivatives, 2nd ed., ch. 3.
absl::StatusOr<std::vector<Value>> AddGradients(FunctionBuilder& builder, Value loss,
                                                absl::Span<const Value> wrt);

}  // namespace seqgraph
