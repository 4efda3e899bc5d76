#pragma once

// The state of optimizers as Keras keeps it: a list of arrays whose order says what each is.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/keras/keras_model.h"
#include "serialization/keras/layer_weights.h"

namespace seqgraph::keras {

inline constexpr char kIteration[] = "optimizer/iteration";
inline constexpr char kLearningRate[] = "optimizer/learning_rate";

/// One array of the state, behind iteration and learning rate.
struct Slot {
  SlotDef def;
  std::string variable;  ///< ours: "optimizer/dense/kernel/velocity"
  const Weight* weight;  ///< whose it is; null for a number that all share

  Shape shape() const { return weight == nullptr ? Shape() : weight->shape; }
};

/// The slots of an optimizer in Keras's order, with the idle ones if wanted. `weights` must outlive
/// them.
std::vector<Slot> SlotsOf(const Optimizer& optimizer, const std::vector<Weight>& weights,
                          bool with_idle = false);

/// Names the arrays of a state, in Keras's order: iteration, learning rate, slots. The rate is left
/// out by Keras 2, and where it follows a schedule: then it is the optimizer's. A state before the
/// first step, which has no slots, gives nothing. InvalidArgument, naming the array, if number or
/// shapes do not fit.
absl::StatusOr<std::vector<NamedTensor>> NameState(const Optimizer& optimizer,
                                                   const std::vector<Weight>& weights,
                                                   std::vector<Tensor> arrays);

/// The inverse: the arrays in Keras's order, with zeros for the idle slots if wanted.
/// InvalidArgument if one is missing.
absl::StatusOr<std::vector<Tensor>> ListState(const Optimizer& optimizer,
                                              const std::vector<Weight>& weights,
                                              const std::vector<NamedTensor>& state,
                                              bool with_idle = false);

/// The named tensor, or null.
const Tensor* FindTensor(const std::vector<NamedTensor>& tensors, absl::string_view name);

}  // namespace seqgraph::keras
