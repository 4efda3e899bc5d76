#pragma once

// The walk over a function that makes it one of steps; what graph/stepping.h is made of.

#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "graph/stepping.h"

namespace seqgraph {

/// One walk over the whole function, with the axes of time of its inputs given.
class Stepper {
 public:
  Stepper(const Function& whole, const OpRegistry& registry, const VariableStore& variables,
          int64_t steps, int64_t lookahead)
      : whole_(whole),
        variables_(variables),
        builder_(whole.name(), registry),
        steps_(steps),
        lookahead_(lookahead),
        period_(steps),
        values_(whole.values().size()),
        layouts_(whole.values().size()) {}

  /// `axes`: of the inputs, in their order.
  absl::StatusOr<StepFunction> Run(absl::Span<const int> axes);

  /// The steps that a walk would have had to have, where it was refused for that.
  int64_t period() const { return period_; }

 private:
  friend class StepContext;

  // An input that is an initial state is not told with each call.
  absl::Status AddInput(size_t i, int axis);

  // A variable that a recurrence goes on from in the next call (a stateful layer) is a state here.
  absl::Status CheckUpdates() const;

  // Whether all that reads a value takes it for a state to begin with.
  bool IsInitialState(Value value) const;

  static Shape WithExtent(const Shape& shape, int axis, int64_t extent);

  absl::Status Visit(const Node& node);

  absl::Status Copy(StepContext& context, const TimeLayout& layout);

  absl::StatusOr<StepFunction> Finish();

  // The content of a value of the whole function that depends on variables alone.
  absl::StatusOr<const Tensor*> ContentOf(Value value);

  // Whether a value that is as long as the sequence along the axis is the same in all its steps.
  absl::StatusOr<bool> SameAlong(Value value, int axis);

  const Function& whole_;
  const VariableStore& variables_;
  FunctionBuilder builder_;
  const int64_t steps_, lookahead_;
  int64_t period_;
  std::vector<Value> values_;  // for each value of the whole function the one that stands for it
  std::vector<TimeLayout> layouts_;
  std::map<int, Tensor> contents_;
  std::vector<StepPort> inputs_;
  std::vector<StepState> states_;
  std::vector<Value> next_;  // of each state
};

}  // namespace seqgraph
