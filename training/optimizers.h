#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "optimizers/all_optimizers.h"

namespace seqgraph {

/// Variables that every optimizer has: the steps done (int64), and the rate (float32).
inline constexpr char kIterationVariable[] = "optimizer/iteration";
inline constexpr char kLearningRateVariable[] = "optimizer/learning_rate";

/// Adds to the function in `g` the gradients of `loss` with respect to all trainable weights that
/// it reads, and their updates. The state becomes variables with the role kOptimizer:
/// "optimizer/iteration" (int64, steps done), "optimizer/learning_rate" (float32), and for each
/// weight the slots that the optimizer needs, "optimizer/<weight>/velocity" and the like. Gradients
/// are clipped first, then weights decay, then they are updated.
/// InvalidArgument for a hyperparameter out of its limits (learning_rate and weight_decay must be
/// finite and at least 0, a limit of clipping above 0) or if there is nothing to train.
absl::Status AddOptimizer(FunctionBuilder& g, Value loss, const Optimizer& optimizer);

/// The updates alone, from gradients that are values of `g`, one for each weight. `norms`: the
/// squared norms that clipping by norm asks for, of each gradient (of all together: one); empty:
/// they are computed here.
absl::Status ApplyOptimizer(FunctionBuilder& g, const std::vector<VariableRead>& weights,
                            std::vector<Value> gradients, const Optimizer& optimizer,
                            std::vector<Value> norms = {});

/// The trainable weights that the function reads: what an optimizer updates, in this order.
std::vector<VariableRead> TrainableWeights(const Function& function);

/// What the model's train_step updates weights with, at the rate that the model has now; absent for
/// a model without an optimizer or with one that is not known here.
std::optional<Optimizer> OptimizerOf(const Model& model);

/// Declares "optimizer/iteration", for what else depends on the steps done: it reads the count
/// before this step.
VariableDef IterationVariable();

/// Reads and sets the learning rate of a model that can be trained; NotFound for another.
absl::StatusOr<double> LearningRate(const Model& model);
absl::Status SetLearningRate(Model& model, double learning_rate);

}  // namespace seqgraph
