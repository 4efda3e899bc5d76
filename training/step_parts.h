#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "optimizers/all_optimizers.h"

namespace seqgraph {

/// A training step in two: gradients of a part of the batch, which others may add to those of the
/// other parts, and the optimizer.
struct StepParts {
  static constexpr char kGradients[] = "gradients";

  /// The inputs and results of `train_step`, and results kGradientPrefix + weight: those of the
  /// mean loss of the rows it is given. It updates nothing; what `train_step` updates besides the
  /// weights and the optimizer's state (running means of a normalization) is a result
  /// kStatisticPrefix + variable.
  Function gradients;
  static constexpr char kGradientPrefix[] = "gradient/", kStatisticPrefix[] = "statistic/";

  std::vector<VariableDef> weights;     ///< that are trained, in the function's order
  std::vector<std::string> statistics;  ///< names of variables
  /// The result that says which rows count in the loss; empty: all.
  std::string mask;
  Optimizer optimizer;
};

/// Takes the model's `train_step` apart. Errors: NotFound where there is none; Unimplemented for an
/// optimizer that is not known here, and for several losses with masks of their own, whose rows
/// count differently.
absl::StatusOr<StepParts> SplitTrainStep(const Model& model, const OpRegistry& registry);

/// Part of a weight: elements of its values one after the other.
struct WeightPiece {
  int weight = 0;  ///< index
  int64_t begin = 0, end = 0;

  int64_t size() const { return end - begin; }
};

/// A model whose function kApply updates these pieces, each a variable [size] of its own with its
/// slots: inputs kGradientPrefix + name of the piece, and, where gradients are clipped by norm,
/// kNormPrefix + weight (kNormPrefix alone: of all together), the squared norm of the whole.
/// Values are those that variables start with.
inline constexpr char kApply[] = "apply", kNormPrefix[] = "squared_norm/";
std::string PieceName(const std::vector<VariableDef>& weights, const WeightPiece& piece);
absl::StatusOr<Model> OptimizerOfPieces(const StepParts& parts,
                                        const std::vector<WeightPiece>& pieces,
                                        const OpRegistry& registry);

}  // namespace seqgraph
