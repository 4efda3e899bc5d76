#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "training/losses.h"
#include "training/optimizers.h"

namespace seqgraph {

// The names that the training loop goes by.
inline constexpr char kPredict[] = "predict";
inline constexpr char kEvaluate[] = "evaluate";
inline constexpr char kTrainStep[] = "train_step";

/// The loss on one of several results.
struct OutputLoss {
  Loss loss;  ///< `prediction` names the result, which is called so in Examples::more and in logs
  double weight = 1;
  std::string mask = "";  ///< as TrainableOptions::mask
};

struct TrainableOptions {
  std::string name = "sequential";
  Loss loss = BinaryCrossEntropy();
  /// Of a function with several results: what is trained on is the sum of weight times loss over
  /// these, and `loss` and `mask` do not count. What is called labels, sample_weight, loss_mask
  /// below then is there for each result: "labels_<result>"; so is its own loss, without the
  /// weight, as "loss_<result>".
  std::vector<OutputLoss> losses = {};
  Optimizer optimizer = RMSProp{};
  std::vector<WeightPenalty> penalties;  ///< added to the loss, in evaluate too
  /// Gives evaluate and train_step an input `sample_weight`, float32, one for each row of the loss
  /// (each step, where the output has steps): needed for Examples with weights and for
  /// FitOptions::class_weights.
  bool sample_weight = false;
  /// The value of predict, int32 of the prediction's shape without its last axis, in which 0 marks
  /// the rows (steps) that count neither in the loss nor in metrics; empty: all count. BuildModel
  /// sets it where the output bears a mask.
  std::string mask;
  /// False: it predicts and is not trained: neither evaluate nor train_step.
  bool trainable = true;
  uint64_t seed = 1;  ///< of the variables' starting contents: training/initializers.h
  /// False: weights are zero, for who sets them at once; the rest starts as always.
  bool initialize_weights = true;
};

/// Makes a model that can be trained from the function that predicts:
///
///   predict     as given (it must have that name)
///   evaluate    predict, an input `labels` of the type that the loss takes, the result `loss`;
///               with a mask the result `loss_mask`, 1 for rows that count and 0 for others, and
///               the loss is divided by how many count instead of by all, as in Keras
///   train_step  evaluate, and updates of all trainable weights and of the optimizer's state
///
/// over shared variables, which are initialized. The standard rewrites come before differentiation
/// in train_step, so that no step makes one-hot data. Errors: the builder's first mistake;
/// InvalidArgument for a loss on a result or a mask that is not there, and as AddOptimizer.
absl::StatusOr<Model> MakeTrainable(FunctionBuilder predict, const TrainableOptions& options = {});

/// The same where the forward pass differs in training (dropout): train_step is then made from
/// `training`, which has the name, the inputs and the results of `predict`. Its variables may be
/// more. Absent: as above.
absl::StatusOr<Model> MakeTrainable(FunctionBuilder predict,
                                    std::optional<FunctionBuilder> training,
                                    const TrainableOptions& options);

}  // namespace seqgraph
