#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/text_dataset.h"
#include "tools/data_flags.h"
#include "tools/model_flags.h"
#include "tools/training_data.h"
#include "training/series/scaling.h"

namespace seqgraph::tools {

/// Texts with labels, and classifiers of them. The flags must outlive it and stay as they are.
class TextTraining : public TrainingData {
 public:
  /// `scale`: of numbers beside the texts, by name.
  TextTraining(const DataFlags& data, const ModelFlags& model, const std::string& scale)
      : data_(data), model_(model), scale_(scale) {}

  absl::Status Load(const Model* resumed, const std::string& path) override;
  std::string Lines() const override;
  std::string noun() const override { return "reviews"; }
  std::string caveat() const override { return data_.synthetic() ? " (synthetic data)" : ""; }
  absl::StatusOr<Model> MakeModel(TrainableOptions trainable) const override;
  std::string ModelDescription() const override;
  std::vector<Metric> DefaultMetrics() const override { return {Accuracy()}; }
  Examples train() const override { return train_.examples(); }
  Examples validation() const override { return validation_.examples(); }
  const std::vector<std::string>& labels() const override { return dataset_.labels; }
  std::optional<double> guessing() const override;
  absl::Status CheckComparable(const Model& earlier, const Model& ours) const override;
  absl::StatusOr<Examples> ValidationFor(const Model& earlier) override;
  std::string ExampleUse(const std::string& model) const override;

 private:
  absl::Status Read(const Model* resumed, const std::string& path);
  absl::Status LoadEncoded(const Model* resumed, const std::string& path);

  const DataFlags& data_;
  const ModelFlags& model_;
  const std::string& scale_;
  data::Dataset dataset_;
  std::vector<std::string> numbers_;  // the columns of numbers beside the texts
  FeatureScale number_scale_;         // of the rows to train on; empty: none
  TextExamples train_, validation_;
  TextPreprocessing columns_;  // of the table that they came from
  DataOrigin origin_;
  data::TokenSet of_earlier_;  // the validation in an earlier model's words
  TextExamples examples_of_earlier_;
};

}  // namespace seqgraph::tools
