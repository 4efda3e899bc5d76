#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/function.h"

namespace seqgraph {

/// What a metric sees of a batch, on the host. Its rows are those of the losses: all axes of the
/// prediction but the last, so that each step of an output per step is one. Labels are as the loss
/// takes them: like the predictions, or class numbers, which count as one-hot labels.
struct MetricBatch {
  int64_t rows = 0;
  absl::Span<const float> predictions;  ///< [rows, width]
  absl::Span<const float> labels;       ///< [rows, width]; empty if they are class numbers
  absl::Span<const int32_t> classes;    ///< [rows]; empty if they are not
  absl::Span<const float> weights;      ///< [rows]: what each counts for, 0 or more; empty: ones

  int64_t width() const { return rows == 0 ? 0 : static_cast<int64_t>(predictions.size()) / rows; }
  double weight(int64_t row) const { return weights.empty() ? 1.0 : weights[row]; }
  float label(int64_t row, int64_t k) const {
    if (classes.empty()) return labels[row * width() + k];
    return classes[row] == k ? 1.0f : 0.0f;
  }
};

/// What a metric has gathered over the batches of an epoch.
class MetricState {
 public:
  virtual ~MetricState() = default;
  virtual void Reset() = 0;
  /// Must not allocate after the first batch: it is called in every step.
  virtual void Add(const MetricBatch& batch) = 0;
  /// Of all that was added since the last Reset; 0 before anything was.
  virtual double value() const = 0;
  /// All that was gathered, as numbers, and the same put back: a run that is resumed within an
  /// epoch goes on with them. Load gives false where they are no numbers that Save gave.
  virtual std::vector<double> Save() const = 0;
  virtual bool Load(absl::Span<const double> numbers) = 0;
};

/// A quantity that is measured beside the loss, from predictions and labels. Steps that the mask of
/// the output leaves out count in none; sample and class weights count where Weighted() says so. A
/// metric is a value; a new one is one more function like Accuracy, and a row in metrics.cc.
struct Metric {
  std::string name;  ///< as in the logs: "accuracy" gives "accuracy" and "val_accuracy"
  bool higher_is_better = true;
  std::function<std::unique_ptr<MetricState>()> make;
  bool weighted = false;  ///< sample weights count (Keras's weighted_metrics)
};

/// Accuracy() beside a loss over classes (the cross-entropies), nothing beside any other: a
/// regression has no accuracy. What is measured if nothing else is asked for.
Metric DefaultMetric();
/// `metrics` with DefaultMetric() replaced by what it is for the loss of `function`, or the one on
/// that output of several.
std::vector<Metric> ResolveMetrics(std::vector<Metric> metrics, const Function& function,
                                   absl::string_view output = "");

/// The metric, named "weighted_...", with each row counted by its sample weight.
Metric Weighted(Metric metric);

/// What Keras makes of "accuracy", by the labels: for one number a row BinaryAccuracy; for class
/// numbers the share of rows whose largest prediction is that of the class
/// (sparse_categorical_accuracy); else the share of rows whose largest prediction is where the
/// largest label is (categorical_accuracy). Of several largest the first counts. Named "accuracy".
Metric Accuracy();

/// The share of elements where (p > threshold) is the label (1 or 0); strict, as in Keras. Named
/// "accuracy"; MetricByName("binary_accuracy") has that name.
Metric BinaryAccuracy(double threshold = 0.5);

/// With tp elements where p > threshold and the label is not 0, fp where only the first holds, fn
/// where only the second: tp / (tp + fp), named "precision", and tp / (tp + fn), named "recall"; 0
/// where that is 0 / 0. As in Keras.
Metric Precision(double threshold = 0.5);
Metric Recall(double threshold = 0.5);

/// F1 = 2 tp / (2 tp + fp + fn), the mean over classes: each row belongs to the class of its
/// largest label (of class 0 or 1 for one number a row, by 0.5) and was told that of its largest
/// prediction. Classes that occur in neither do not count. Named "f1_score"; scikit-learn's
/// f1_score with average="macro", which Keras's F1Score differs from where a class never occurs.
Metric F1Score();

/// For any number of labels a row: F1 of each of the columns, told where p > threshold, and of
/// these the mean; 0 for a column without any. Named "f1_score_of_labels"; Keras's F1Score with a
/// threshold and average="macro".
Metric F1ScoreOfLabels(double threshold = 0.5);

/// The area under the ROC curve, named "auc", as Keras computes it: the curve at `thresholds`
/// thresholds, evenly spaced in [0, 1] with the outer ones just outside, and the trapezoid rule
/// between them. With few thresholds it differs from the exact area (of scikit-learn, say) by what
/// happens between two of them. `thresholds` is at least 2.
Metric AUC(int thresholds = 200);

/// The mean of |p - y| over all elements, named "mean_absolute_error", and the root of the mean of
/// (p - y)^2, named "root_mean_squared_error".
Metric MeanAbsoluteError();
Metric RootMeanSquaredError();

/// R^2 = 1 - sum (p - y)^2 / sum (y - mean y)^2, of each number of a row, and of these the mean.
/// Named "r2_score", as in Keras; 0 where the labels are all alike.
Metric R2Score();

/// One of these by its name, the mean square ("mean_squared_error"), or the mean over rows of a
/// loss of ops/row_loss.h by the loss's name ("huber", with delta 1; of "cosine_similarity" the
/// cosine itself, as Keras's metric of that name); "weighted_" in front of it if weights are to
/// count. InvalidArgument lists the names.
absl::StatusOr<Metric> MetricByName(absl::string_view name);
/// "accuracy, precision, ...".
std::string MetricNames();

/// A weighted mean, summed in double.
class Mean {
 public:
  void Reset() { *this = Mean(); }
  /// Adds elements whose weights sum up to `weight`, and their values times their weights to `sum`.
  void Add(double sum, double weight) {
    sum_ += sum;
    weight_ += weight;
  }
  /// 0 before anything of weight was added.
  double value() const { return weight_ == 0 ? 0 : sum_ / weight_; }
  /// As MetricState has them.
  std::vector<double> Save() const { return {sum_, weight_}; }
  bool Load(absl::Span<const double> numbers) {
    if (numbers.size() != 2) return false;
    sum_ = numbers[0];
    weight_ = numbers[1];
    return true;
  }

 private:
  double sum_ = 0;
  double weight_ = 0;
};

}  // namespace seqgraph
