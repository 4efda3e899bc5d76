#pragma once

// A function of whole sequences made one that takes them a few steps at a time:
//
//   y_t = f(x_0 .. x_t)   becomes   y_t, s_t = g(x_t, s_{t-1}),   s_{-1} given
//
// with the same ops on the same weights, so that both give the same numbers. What a node carries
// from one call to the next is a state: h and c of a recurrent cell, the last steps that a causal
// convolution has seen. Each op says by its rule (OpDef::Steps) how it goes step by step, or why it
// cannot: what needs a step that has not come yet, or all of them, is refused by name.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "graph/tensor.h"

namespace seqgraph {

/// Where time lies in a value of a function of whole sequences.
struct TimeLayout {
  enum class Kind {
    kSteady,  ///< nowhere: it is the same in all steps
    kEnd,     ///< nowhere: it is what the value would be if the sequence ended with these steps
    kSteps,   ///< along `axis`
  };
  Kind kind = Kind::kSteady;
  /// kSteady: whether it depends on an input.
  bool given = false;
  int axis = 0;
  /// Elements of the axis in one step, where it is time and axes behind it in one.
  int64_t inner = 1;
  /// Steps of the whole sequence, here.
  int64_t whole = 1;
  /// Steps of the function's inputs for one here: what strides multiply.
  int64_t period = 1;
  /// Of its own steps: what a call gives is the whole value so many steps before, as the last of
  /// what a window covers has come; in the first calls it means nothing.
  int64_t delay = 0;
  /// Steps of padding that the whole value begins with, all zero, and the value here does not hold.
  int64_t lead = 0;

  bool is_steps() const { return kind == Kind::kSteps; }
  static TimeLayout Steps(int axis, int64_t whole) {
    return {.kind = Kind::kSteps, .axis = axis, .whole = whole};
  }
};

/// A value that goes from one call of a step function to the next: its input `name` is the result
/// `next` of the call before.
struct StepState {
  std::string name;
  std::string next;
  TensorType type;
  Tensor initial;  ///< of that type
};

/// An input or result of a step function that is one of the whole function's too.
struct StepPort {
  std::string name;
  TensorType type;  ///< of one call
  /// Of its steps; -1: it has none, and is told with each call.
  int time_axis = -1;
  /// Steps of the function's inputs for one of its own.
  int64_t period = 1;
  /// Of a result, in its own steps: a call gives those of the whole so many before, and in the
  /// first calls none.
  int64_t delay = 0;
};

struct StepFunction {
  Function function;  ///< static shapes; its inputs and results are the ports' and the states'
  std::vector<StepPort> inputs, results;
  std::vector<StepState> states;
  /// Steps that a call takes: a multiple of every period.
  int64_t steps = 1;
};

struct SteppingOptions {
  /// Steps a call; rounded up to a multiple of what strides ask for.
  int64_t steps = 1;
  /// A cell that goes backwards begins so many steps ahead of each step, instead of at the end of
  /// the sequence, and its output comes as many steps later; 0: such a cell is refused.
  int64_t lookahead = 0;
  /// The axis of time of inputs by name, -1 for one that has none. Of the others it is found out.
  std::map<std::string, int, std::less<>> time_axes = {};
};

/// Of `whole`, whose shapes are static: what it gives for a sequence that begins with the calls so
/// far. Results that belong to the end of the sequence are, after each call, those of a sequence
/// that ends there. An initial state that is an input of `whole` becomes a state of that name,
/// at first zero; a variable that a cell goes on from and updates begins with its content, and is
/// no longer updated. Errors: InvalidArgument for options that do not fit; Unimplemented, by node,
/// for what cannot go step by step.
absl::StatusOr<StepFunction> StepsOf(const Function& whole, const OpRegistry& registry,
                                     const VariableStore& variables,
                                     const SteppingOptions& options = {});

class Stepper;  // graph/stepper.h

/// What the step rule of an op sees and does: it reads what stands for the node's inputs, emits
/// nodes, and sets what stands for its outputs. Called for nodes of which an input has steps.
class StepContext {
 public:
  StepContext(Stepper& stepper, const Node& node) : stepper_(stepper), node_(node) {}

  FunctionBuilder& builder();
  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  bool has_input(int i) const { return node_.inputs[i].present(); }
  /// Types in the whole function.
  const TensorType& whole_input(int i) const;
  const TensorType& whole_output(int o) const;
  const TimeLayout& layout(int i) const;
  Value input(int i) const;

  /// Steps of a call, for a value of that layout; 0, and Refuse must follow, where its period does
  /// not divide them.
  int64_t steps(const TimeLayout& layout);
  /// The extent along its axis of a value of the whole function's shape.
  int64_t Extent(const Shape& whole, const TimeLayout& layout);
  /// A steady input where others have steps along `axis` of it: what is as long as the whole
  /// sequence must be the same in all steps, and is cut to those of a call. Errors: Unimplemented
  /// where it is not.
  absl::StatusOr<Value> SteadyAlong(int i, int axis, const TimeLayout& like);
  /// Input i so many of its steps later: what other inputs need that come later.
  absl::StatusOr<Value> Later(int i, int64_t steps);
  /// SteppingOptions::lookahead.
  int64_t lookahead() const;
  /// OK if input i is absent or steady.
  absl::Status RequireSteady(int i);

  /// The node's op on these values; with other attributes where a call's shapes ask for them.
  std::vector<Value> Emit(absl::Span<const Value> inputs, const Attributes& attributes);
  std::vector<Value> Emit(absl::Span<const Value> inputs) { return Emit(inputs, node_.attributes); }
  /// A node of another op, under the node's name.
  Value Add(absl::string_view op, absl::Span<const Value> inputs, Attributes attributes = {});

  /// A state of the node: what it is in this call. It begins with the value that input `initial` of
  /// the node has in the whole function; -1, or an absent one: with zeros.
  absl::StatusOr<Value> State(absl::string_view name, const TensorType& type, int initial = -1);
  /// True if a state that begins with that input begins with zeros.
  absl::StatusOr<bool> BeginsWithZeros(int initial);
  /// [batch, steps of a call] int32: 0 where a value of that delay means nothing yet.
  absl::StatusOr<Value> HasBegun(const TimeLayout& layout, int64_t batch);
  /// What it is in the next call.
  void SetNext(Value state, Value next);

  void SetOutput(int o, Value value, const TimeLayout& layout);
  void SetEnd(int o, Value value) { SetOutput(o, value, {.kind = TimeLayout::Kind::kEnd}); }

  /// Unimplemented: the node, and why.
  absl::Status Refuse(absl::string_view why) const;

 private:
  Stepper& stepper_;
  const Node& node_;
};

}  // namespace seqgraph
