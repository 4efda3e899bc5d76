#ifndef SEQGRAPH_TRAINING_BATCH_RUNNER_H_
#define SEQGRAPH_TRAINING_BATCH_RUNNER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/compiled_function.h"
#include "backends/profile.h"

namespace seqgraph {

/// Encoded rows with their classes, owned by somebody else.
struct Examples {
  absl::Span<const int32_t> tokens;  ///< [rows, maxlen], row-major
  int64_t rows = 0;
  int64_t maxlen = 0;
  absl::Span<const int32_t> targets;  ///< [rows]; empty where only predictions are made

  /// InvalidArgument if the sizes do not agree.
  absl::Status Validate() const;
};

/// Feeds rows of examples to one compiled function, a batch a call. Does not allocate after it is
/// made.
class BatchRunner {
 public:
  /// The function must have one int32 input [batch, maxlen], besides an input `labels` of floats
  /// [batch, 1] or [batch] if it has one at all; `prediction` names the result to be read (empty:
  /// the only one besides "loss"). InvalidArgument says what does not fit.
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
  absl::Span<const float> labels() const { return labels_; }

  /// Further runs are seen by the profile, which must outlive this; null: by nobody.
  void SetProfile(Profile* profile);

  /// InvalidArgument if the rows have another length than the function takes, or have no targets
  /// where it needs them. Only for valid examples.
  absl::Status CheckFits(const Examples& examples) const;

 private:
  CompiledFunction* function_ = nullptr;
  int64_t batch_ = 0;
  int64_t maxlen_ = 0;
  int tokens_input_ = -1;
  int labels_input_ = -1;
  const float* loss_ = nullptr;
  const float* predictions_ = nullptr;
  size_t num_predictions_ = 0;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
  std::vector<float> labels_;
};

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_BATCH_RUNNER_H_
