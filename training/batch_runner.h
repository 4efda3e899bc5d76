#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/compiled_function.h"
#include "runtime/profile.h"
#include "training/examples.h"
#include "training/metrics.h"

namespace seqgraph {

/// Feeds rows of examples to one compiled function, a batch a call. Does not allocate after it is
/// made.
class BatchRunner {
 public:
  /// The function must have one input of tokens or features, and may have `labels` and
  /// `sample_weight` (InputFiller); `prediction` names the result to be read (empty: the only one
  /// besides "loss"). InvalidArgument says what does not fit.
  static absl::StatusOr<BatchRunner> Create(CompiledFunction* function,
                                            const std::string& prediction);

  int64_t batch() const { return batch_; }
  bool has_loss() const { return loss_ != nullptr; }

  /// Runs the rows order[begin], ..., order[begin + batch() - 1] (or begin, begin + 1, ... if
  /// `order` is empty).
  absl::Status Run(const Examples& examples, absl::Span<const int64_t> order, int64_t begin);

  /// Of the last run.
  double loss() const { return *loss_; }
  absl::Span<const float> predictions() const { return {predictions_, num_predictions_}; }
  /// Predictions (of several quantiles those nearest to the median) and labels, only for a function
  /// with labels: rows count by the function's result
  /// `loss_mask`, where it has one, and if `weighted` also by their sample weights.
  MetricBatch metric_batch(bool weighted) const;

  /// Further runs are seen by the profile, which must outlive this; null: by nobody.
  void SetProfile(Profile* profile);

  /// InvalidArgument if the rows have another length than the function takes, or lack labels where
  /// it needs them, or have weights that it does not take. Only for valid examples.
  absl::Status CheckFits(const Examples& examples) const;

 private:
  absl::Status PrepareLabels(const TensorType& prediction);
  void KeepLabels();
  void TakeMedian();

  CompiledFunction* function_ = nullptr;
  int64_t batch_ = 0;
  std::vector<InputFiller> fillers_;  // one for each input
  int labels_input_ = -1;
  int weights_input_ = -1;
  int64_t metric_rows_ = 0;  // of the prediction: all its axes but the last
  const float* loss_ = nullptr;
  const float* predictions_ = nullptr;
  size_t num_predictions_ = 0;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
  // Of several quantiles the place of what metrics judge, and that of the last run.
  int64_t median_place_ = -1;
  std::vector<float> median_;
  const float* mask_ = nullptr;  // [metric_rows_]
  // Of the last run, as the function may overwrite its inputs.
  std::vector<float> labels_;
  std::vector<int32_t> classes_;  // instead, if they are that
  std::vector<float> weights_;    // [metric_rows_], times the mask; empty without sample weights
};

}  // namespace seqgraph
