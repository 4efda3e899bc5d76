#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "data/vocabulary.h"
#include "tools/data_flags.h"
#include "tools/model_flags.h"
#include "tools/training_data.h"

namespace seqgraph::tools {

/// A text as rows of a model of the next token: windows side by side, the first of them to train
/// on, the last share of them to validate by.
struct NextTokenRows {
  std::vector<int32_t> codes;
  int64_t maxlen = 0;
  int64_t train = 0, all = 0;  ///< windows

  /// "train", "validation", or all of them.
  Examples Part(const std::string& part) const;
};

/// `share` of the windows, rounded up, is to validate by. InvalidArgument, naming `path`, for a
/// text without a window, or with none to train on.
absl::StatusOr<NextTokenRows> NextTokenRowsOf(const std::string& path, std::vector<int32_t> codes,
                                              int64_t maxlen, double share);

/// A line of what is told without a model of the targets of `judged` by the counts of those of
/// `counted`: the loss of their frequencies (each code counted once more than it is there), and the
/// accuracy of the most frequent one.
std::string FrequencyBaseline(const Examples& counted, const Examples& judged, int64_t num_words);

/// A file of text, and models of its next token. The flags must outlive it and stay as they are.
class NextTraining : public TrainingData {
 public:
  NextTraining(const DataFlags& data, const ModelFlags& model) : data_(data), model_(model) {}

  absl::Status Load(const Model* resumed, const std::string& path) override;
  std::string Lines() const override;
  std::string noun() const override { return "windows of text"; }
  absl::StatusOr<Model> MakeModel(TrainableOptions trainable) const override;
  std::string ModelDescription() const override;
  std::vector<Metric> DefaultMetrics() const override { return {Accuracy()}; }
  Examples train() const override { return rows_.Part("train"); }
  Examples validation() const override { return rows_.Part("validation"); }
  const std::vector<std::string>& labels() const override { return no_labels_; }
  std::optional<double> guessing() const override;
  absl::Status CheckComparable(const Model& earlier, const Model& ours) const override;
  absl::StatusOr<Examples> ValidationFor(const Model&) override { return validation(); }
  absl::StatusOr<std::string> BaselineLines(const Logs& best) const override;
  std::string ExampleUse(const std::string& model) const override;

 private:
  const DataFlags& data_;
  const ModelFlags& model_;
  data::Vocabulary vocabulary_;
  NextTokenRows rows_;
  std::vector<std::string> no_labels_;
};

}  // namespace seqgraph::tools
