#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/data_flags.h"
#include "tools/model_flags.h"
#include "tools/series_data.h"
#include "tools/series_flags.h"
#include "tools/training_data.h"
#include "training/series/scaling.h"
#include "training/series/series_examples.h"
#include "training/series/series_model.h"
#include "training/series/split.h"

namespace seqgraph::tools {

/// Series of numbers, and models of a task of them. The flags must outlive it and stay as they are.
class SeriesTraining : public TrainingData {
 public:
  /// `seed` draws the split; `max_memory` bounds what is read, 0: SeriesSourceOptions' default.
  SeriesTraining(const DataFlags& data, const ModelFlags& model, const SeriesFlags& series,
                 int64_t seed, int64_t max_memory)
      : data_(data), model_(model), flags_(series), seed_(seed), max_memory_(max_memory) {}

  absl::Status Load(const Model* resumed, const std::string& path) override;
  std::string Lines() const override;
  std::string noun() const override { return task().window > 0 ? "windows" : "series"; }
  absl::StatusOr<Model> MakeModel(TrainableOptions trainable) const override;
  std::string ModelDescription() const override;
  std::vector<Metric> DefaultMetrics() const override { return seqgraph::DefaultMetrics(task()); }
  Examples train() const override { return train_->examples(); }
  Examples validation() const override {
    return validation_.has_value() ? validation_->examples() : Examples();
  }
  const std::vector<std::string>& labels() const override { return read_.set.class_names; }
  std::optional<double> guessing() const override;
  absl::Status CheckComparable(const Model& earlier, const Model& ours) const override;
  absl::StatusOr<Examples> ValidationFor(const Model&) override { return validation(); }
  absl::StatusOr<std::string> BaselineLines(const Logs& best) const override;
  std::string ExampleUse(const std::string& model) const override;

  /// Splits for a cross-validation of what was loaded, and what is to be trained on from now on.
  absl::StatusOr<std::vector<SeriesSplit>> Folds(int folds) const;
  absl::Status Use(SeriesSplit split);
  /// The part that is kept for a test, and what its rows are without a model.
  Examples test() const { return test_.has_value() ? test_->examples() : Examples(); }
  absl::StatusOr<std::vector<BaselineResult>> TestBaselines() const;

 private:
  const SeriesTask& task() const { return read_.task; }
  absl::Status Read(const Model* resumed);
  absl::Status ReadValidation(SeriesSplit& split);
  absl::Status MakeExamples();
  const data::SeriesSet& judged() const { return apart_.has_value() ? apart_->set : read_.set; }

  const DataFlags& data_;
  const ModelFlags& model_;
  const SeriesFlags& flags_;
  int64_t seed_, max_memory_;
  data::SeriesSourceOptions source_;
  SeriesData read_;
  std::optional<SeriesData> apart_;  // the series of --validation_data
  SeriesPreprocessing record_;
  SeriesSplit split_;
  FeatureScale features_, targets_;  // of the training rows
  bool masking_ = false;
  std::optional<SeriesExamples> train_, validation_, test_;
};

}  // namespace seqgraph::tools
