#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/text_dataset.h"
#include "tools/data_flags.h"
#include "tools/model_flags.h"
#include "tools/training_data.h"

namespace seqgraph::tools {

/// Texts with labels, and classifiers of them. The flags must outlive it and stay as they are.
class TextTraining : public TrainingData {
 public:
  TextTraining(const DataFlags& data, const ModelFlags& model) : data_(data), model_(model) {}

  absl::Status Load(const Model* resumed, const std::string& path) override;
  std::string Lines() const override;
  std::string noun() const override { return "reviews"; }
  std::string caveat() const override { return data_.synthetic() ? " (synthetic data)" : ""; }
  absl::StatusOr<Model> MakeModel(TrainableOptions trainable) const override;
  std::string ModelDescription() const override;
  std::vector<Metric> DefaultMetrics() const override { return {Accuracy()}; }
  Examples train() const override { return data_.ExamplesOf(dataset_.train); }
  Examples validation() const override { return data_.ExamplesOf(dataset_.validation); }
  const std::vector<std::string>& labels() const override { return dataset_.labels; }
  std::optional<double> guessing() const override;
  absl::Status CheckComparable(const Model& earlier, const Model& ours) const override;
  absl::StatusOr<Examples> ValidationFor(const Model& earlier) override;
  std::string ExampleUse(const std::string& model) const override;

 private:
  absl::Status LoadEncoded(const Model* resumed, const std::string& path);

  const DataFlags& data_;
  const ModelFlags& model_;
  data::Dataset dataset_;
  TextPreprocessing columns_;  // of the table that they came from
  DataOrigin origin_;
  data::TokenSet of_earlier_;  // the validation in an earlier model's words
};

}  // namespace seqgraph::tools
