#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tools/data_flags.h"
#include "tools/series_data.h"
#include "training/model_runner.h"
#include "training/series/series_examples.h"

namespace seqgraph::tools {

/// Rows of series that a saved model is judged by.
class JudgedSeries {
 public:
  /// Reads --data as the model knows it, and of that the part that was kept by the split it was
  /// trained with; `part` "all", or "test" where none was kept: every row. Errors: those of
  /// ReadSeriesFor(), SplitSeries() and ExamplesFor().
  static absl::StatusOr<JudgedSeries> Read(const Model& model, const DataFlags& data,
                                           const std::string& part, bool skip_bad_rows);

  /// What judges: `model`, or where rows are longer than those that it was trained on one like it.
  Model* judge(Model* model) const { return longer_ != nullptr ? longer_.get() : model; }

  std::string Lines() const;
  /// Of whole series: what a confusion counts.
  bool has_classes() const { return !examples().targets.empty() && !data_->set.per_step; }
  const Examples& examples() const { return examples_->examples(); }
  /// The loss, and the metrics of the task beside those of guessing without a model. Errors: those
  /// of `evaluate`, which is ModelRunner::Evaluate() or another that gives the same.
  using Evaluate = absl::FunctionRef<absl::StatusOr<Logs>(const Examples&, const EvaluateOptions&)>;
  absl::StatusOr<std::string> Table(Evaluate evaluate, int64_t batch,
                                    const std::atomic<bool>* interrupt) const;

 private:
  JudgedSeries() = default;

  std::unique_ptr<SeriesData> data_;  // which examples_ point into
  std::unique_ptr<Model> longer_;
  std::vector<RowRange> rows_, fitted_;
  std::string part_;
  std::unique_ptr<SeriesExamples> examples_;
};

}  // namespace seqgraph::tools
