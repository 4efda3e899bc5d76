#pragma once

// What the formulas of optimizers are written in.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "ops/formula.h"
#include "optimizers/optimizer.h"

namespace seqgraph {

using ops::Expr;

/// One weight on its way through the step.
class WeightStep {
 public:
  /// Starts with the slots as they are before the step.
  WeightStep(FunctionBuilder& g, const VariableDef& weight, Value w, Value gradient,
             const std::vector<SlotGroup>& slots);

  const Expr w;            ///< decayed, if weights decay
  const Expr g;            ///< its gradient, clipped
  const std::string name;  ///< for nodes: "dense/kernel/update"

  /// A slot's content before the step; absent for one that is not kept with these settings.
  Expr slot(absl::string_view slot) const;
  void SetWeight(Expr next) { new_w_ = next.value; }
  void SetSlot(absl::string_view slot, Expr next) { new_slots_[std::string(slot)] = next.value; }
  /// Makes what was set the updates of the function. A slot that was not set keeps its content.
  void Store() const;

 private:
  std::string VariableOf(absl::string_view slot) const;

  const VariableDef& weight_;
  std::vector<std::string> names_;  ///< of the slots
  std::map<std::string, Value, std::less<>> slots_, new_slots_;
  Value new_w_;
};

/// The step of all weights.
class OptimizerStep {
 public:
  using Weights = std::function<void(const std::function<void(WeightStep&)>&)>;

  /// `weights` calls back for each weight.
  OptimizerStep(FunctionBuilder& g, Value rate, Value iteration, Weights weights)
      : builder_(g), rate_(rate), iteration_(iteration), weights_(std::move(weights)) {}

  Expr rate() { return {&builder_, rate_}; }
  /// The number of this step, from 1, in the type of the weights.
  Expr StepNumber();
  /// A slot that all weights share, before the step.
  Expr Shared(const SlotDef& slot);
  void SetShared(const SlotDef& slot, Expr next);

  /// Calls `update` for each weight, which sets its next content and that of its slots.
  void ForEachWeight(const std::function<void(WeightStep&)>& update) { weights_(update); }
  /// Updates each weight by one node of `op`, whose attributes are hyperparameters and whose inputs
  /// are w, g, lr, t and slots; `slots` gives the name of the slot for that of the input. Outputs
  /// are new_w and new_<input> of slots.
  void UpdateByOp(absl::string_view op, const Attributes& hyperparameters,
                  const std::map<absl::string_view, absl::string_view>& slots);

 private:
  FunctionBuilder& builder_;
  const Value rate_, iteration_;
  const Weights weights_;
};

}  // namespace seqgraph
