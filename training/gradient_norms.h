#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "training/examples.h"
#include "training/model_runner.h"
#include "training/step_parts.h"

namespace seqgraph {

/// How large the gradients of a model's training step are, without a step:
///
///   ||dL/dw||_2,  L: mean loss of a batch of rows, before anything is clipped
///
/// Holds a copy of the variables, and a compiled forward and backward pass of its own, so that it
/// disturbs no training, on whatever that runs.
class GradientNorms {
 public:
  /// Of the model's `train_step` on the first min(batch, rows) of these rows, whose memory must
  /// outlive this. `class_weights`: FitOptions's. `options`: where it runs; its max_memory is for
  /// this alone. Errors: of SplitTrainStep and of compiling; Unimplemented for rows from a source.
  static absl::StatusOr<std::unique_ptr<GradientNorms>> Create(
      const Model& model, const RunnerOptions& options, const Examples& rows, int64_t batch,
      const std::map<int32_t, double>& class_weights = {});

  /// For the weights that are trained, in the order of the step, with the variables of `model` as
  /// they are now: the one this was made of, or one with the same variables.
  absl::StatusOr<std::vector<std::pair<std::string, double>>> Measure(const Model& model);

 private:
  GradientNorms(const RunnerOptions& options, const Examples& rows)
      : runner_(&copy_, options), rows_(rows) {}

  Model copy_;  // of variables, with the gradients as its function
  ModelRunner runner_;
  Examples rows_;
  std::vector<float> row_weights_;
  std::vector<VariableDef> weights_;
  std::vector<absl::Span<const float>> gradients_;
  std::unique_ptr<BatchRunner> batch_;
};

}  // namespace seqgraph
