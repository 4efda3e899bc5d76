#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "training/examples.h"
#include "training/history.h"
#include "training/metrics.h"
#include "training/model_builder.h"

namespace seqgraph::tools {

/// What `train` learns from, and the model that it makes for it: texts (text_training.h) or series
/// of numbers (series_training.h). All but Load() only once that has succeeded.
class TrainingData {
 public:
  virtual ~TrainingData() = default;

  /// Reads what --data names. `resumed`, read from `path`, is the model to go on with, or null: the
  /// data are then made for it, and it is an error if it was trained on others.
  virtual absl::Status Load(const Model* resumed, const std::string& path) = 0;

  /// For people: what was read, whole lines.
  virtual std::string Lines() const = 0;
  /// What a row is called, many of them: "reviews".
  virtual std::string noun() const = 0;
  /// Behind numbers that are not to be taken for real ones: " (synthetic data)"; empty: they are.
  virtual std::string caveat() const { return ""; }

  /// A new model of the data, but for its description; `trainable` holds all but the loss.
  virtual absl::StatusOr<Model> MakeModel(TrainableOptions trainable) const = 0;
  /// "Review classifier (embedding input, SimpleRNN of 8 units)".
  virtual std::string ModelDescription() const = 0;
  /// What training measures, unless the user names others.
  virtual std::vector<Metric> DefaultMetrics() const = 0;

  /// The rows to train on and to validate by, which must not outlive this.
  virtual Examples train() const = 0;
  virtual Examples validation() const = 0;
  /// Rows that MakeModel() takes have these classes; empty: none.
  virtual const std::vector<std::string>& labels() const = 0;
  /// The loss of who guesses; nullopt: that of a model that has learned nothing has to be measured.
  virtual std::optional<double> guessing() const = 0;

  /// FailedPrecondition or InvalidArgument, where the loss of that model, which may have been
  /// trained on other data, could not be compared with that of `ours`.
  virtual absl::Status CheckComparable(const Model& earlier, const Model& ours) const = 0;
  /// The validation's rows as that model takes them; `ours` as above.
  virtual absl::StatusOr<Examples> ValidationFor(const Model& earlier) = 0;

  /// What can be told without a model beside the best epoch's metrics, whole lines for people;
  /// empty: nothing. `best` are the logs of that epoch.
  virtual absl::StatusOr<std::string> BaselineLines(const Logs& best) const {
    (void)best;
    return "";
  }
  /// How the saved model is used: the arguments of a command.
  virtual std::string ExampleUse(const std::string& model) const = 0;
};

}  // namespace seqgraph::tools
