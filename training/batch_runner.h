#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/compiled_function.h"
#include "runtime/profile.h"
#include "training/judged_batch.h"
#include "training/named_examples.h"

namespace seqgraph {

/// The results of a function that a BatchRunner reads, in its order, for `prediction`: that one; if
/// it is empty, its JudgedOutputs(), or if it has none all but the loss and its mask.
/// InvalidArgument if there is none, or several though there is one input of labels.
absl::StatusOr<std::vector<std::string>> OutputsToRead(const Function& function,
                                                       const std::string& prediction);

/// Feeds rows of examples to one compiled function, a batch a call. Does not allocate after it is
/// made.
class BatchRunner : public JudgedBatch {
 public:
  /// The function has inputs of tokens or features, of which one may take what is not named in the
  /// examples, and may have `labels` and `sample_weight`, or those of several outputs
  /// (NamedFiller). InvalidArgument says what does not fit, also of OutputsToRead.
  static absl::StatusOr<BatchRunner> Create(CompiledFunction* function,
                                            const std::string& prediction);

  int64_t batch() const override { return batch_; }
  bool has_loss() const { return loss_ != nullptr; }
  size_t num_outputs() const override { return outputs_.size(); }

  /// Runs the rows order[begin], ..., order[begin + batch() - 1] (or begin, begin + 1, ... if
  /// `order` is empty).
  absl::Status Run(const Examples& examples, absl::Span<const int64_t> order, int64_t begin);

  /// Of the last run.
  double loss() const override { return *loss_; }
  double loss(size_t output) const override { return *outputs_[output].loss; }
  bool has_loss(size_t output) const override { return outputs_[output].loss != nullptr; }
  absl::Span<const float> predictions(size_t output = 0) const {
    return {outputs_[output].predictions, outputs_[output].num_predictions};
  }
  MetricBatch metric_batch(bool weighted, size_t output = 0) const override;

  /// Further runs are seen by the profile, which must outlive this; null: by nobody.
  void SetProfile(Profile* profile);

  /// InvalidArgument if the rows have another length than the function takes, or lack labels where
  /// it needs them, or have weights that it does not take, or of two inputs neither is named. Only
  /// for valid examples.
  absl::Status CheckFits(const Examples& examples) const;

 private:
  struct Output {
    std::string name;
    int labels_input = -1;
    int weights_input = -1;
    int64_t rows = 0;  // of the prediction: all its axes but the last
    const float* predictions = nullptr;
    size_t num_predictions = 0;
    const float* loss = nullptr;
    const float* mask = nullptr;  // [rows]
    // Of several quantiles the place of what metrics judge, and that of the last run.
    int64_t median_place = -1;
    std::vector<float> median;
    // Of the last run, as the function may overwrite its inputs.
    std::vector<float> labels;
    std::vector<int32_t> classes;  // instead, if they are that
    std::vector<float> weights;    // [rows], times the mask; empty without sample weights
  };

  absl::Status MakeFillers();
  absl::StatusOr<Output> MakeOutput(const std::string& name, bool judged) const;
  absl::StatusOr<const float*> LossResult(const std::string& name) const;
  absl::Status PrepareLabels(const TensorType& prediction, Output& output) const;
  void KeepLabels(Output& output) const;
  static void TakeMedian(Output& output);

  CompiledFunction* function_ = nullptr;
  int64_t batch_ = 0;
  std::vector<NamedFiller> fillers_;  // one for each input
  std::vector<Output> outputs_;
  const float* loss_ = nullptr;
  Profile* profile_ = nullptr;
  int profile_number_ = 0;
};

}  // namespace seqgraph
