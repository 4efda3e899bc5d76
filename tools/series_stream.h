#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/series/series_set.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// Answers series that come line by line, a step a line: the model's features in its order, with
/// commas, tabs, semicolons or spaces between; a first line of their names may put them in another
/// order. An empty line ends a series. A forecast is told behind each line once there is a window,
/// anything else at the end of each window or series. Memory is that of the model's longest row.
class SeriesStream {
 public:
  /// FailedPrecondition for a model without series; InvalidArgument for one that is told from
  /// columns of the future.
  static absl::StatusOr<SeriesStream> Create(ModelRunner* runner, int64_t roll,
                                             const std::atomic<bool>* interrupt);

  /// Lines of the table that AnswerSeries() makes, its header in front of the first; empty where
  /// the line is not the last that an answer needs. InvalidArgument says which field is wrong.
  absl::StatusOr<std::string> Add(absl::string_view line);
  /// The same for the end of the input.
  absl::StatusOr<std::string> End() { return Add(""); }

 private:
  SeriesStream() = default;
  bool TakeNames(const std::vector<absl::string_view>& fields);
  absl::StatusOr<bool> TakeStep(const std::vector<absl::string_view>& fields);
  absl::StatusOr<std::string> Answer();
  size_t features() const;
  int64_t steps() const;

  ModelRunner* runner_ = nullptr;
  int64_t roll_ = 0;
  const std::atomic<bool>* interrupt_ = nullptr;
  data::SeriesSourceOptions::Missing missing_ = {};
  std::vector<size_t> places_;  // of each feature in a line
  size_t fields_ = 0;           // of a line
  bool any_line_ = false, any_answer_ = false;
  int64_t series_ = 0;         // its number
  std::vector<float> values_;  // [steps, features]
};

}  // namespace seqgraph::tools
