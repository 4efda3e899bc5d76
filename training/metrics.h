#ifndef SEQGRAPH_TRAINING_METRICS_H_
#define SEQGRAPH_TRAINING_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/types/span.h"

namespace seqgraph {

/// What a metric sees of a batch, on the host. Labels are as the loss takes them: like the
/// predictions, or class numbers.
struct MetricBatch {
  int64_t rows = 0;
  absl::Span<const float> predictions;  ///< [rows, width]
  absl::Span<const float> labels;       ///< [rows, width]; empty if they are class numbers
  absl::Span<const int32_t> classes;    ///< [rows]; empty if they are not

  int64_t width() const { return rows == 0 ? 0 : static_cast<int64_t>(predictions.size()) / rows; }
};

/// What a metric has gathered over the batches of an epoch.
class MetricState {
 public:
  virtual ~MetricState() = default;
  virtual void Reset() = 0;
  /// Must not allocate: it is called in every step.
  virtual void Add(const MetricBatch& batch) = 0;
  /// Of all that was added since the last Reset; 0 before anything was.
  virtual double value() const = 0;
};

/// A quantity that is measured beside the loss, from predictions and labels; sample weights do not
/// count in it (Keras's `metrics`, not `weighted_metrics`). A metric is a value; a new one is one
/// more function like Accuracy.
struct Metric {
  std::string name;  ///< as in the logs: "accuracy" gives "accuracy" and "val_accuracy"
  bool higher_is_better = true;
  std::function<std::unique_ptr<MetricState>()> make;
};

/// What Keras makes of "accuracy", by the loss: for one number a row BinaryAccuracy; for class
/// numbers the share of rows whose largest prediction is that of the class
/// (sparse_categorical_accuracy); else the share of rows whose largest prediction is where the
/// largest label is (categorical_accuracy). Of several largest the first counts. Named "accuracy".
Metric Accuracy();

/// The share of elements where (p > threshold) is the label (1 or 0); strict, as in Keras. Named
/// "accuracy".
Metric BinaryAccuracy(double threshold = 0.5);

/// With tp elements where p > threshold and the label is not 0, fp where only the first holds, fn
/// where only the second: tp / (tp + fp), named "precision", and tp / (tp + fn), named "recall"; 0
/// where that is 0 / 0. As in Keras. Class numbers count as one-hot labels.
Metric Precision(double threshold = 0.5);
Metric Recall(double threshold = 0.5);

/// The area under the ROC curve, named "auc", as Keras computes it: the curve at `thresholds`
/// thresholds, evenly spaced in [0, 1] with the outer ones just outside, and the trapezoid rule
/// between them. With few thresholds it differs from the exact area (of scikit-learn, say) by what
/// happens between two of them. `thresholds` is at least 2.
Metric AUC(int thresholds = 200);

/// A weighted mean, summed in double.
class Mean {
 public:
  void Reset() { *this = Mean(); }
  /// Adds `count` elements whose values sum up to `sum`.
  void Add(double sum, int64_t count) {
    sum_ += sum;
    count_ += count;
  }
  /// 0 before anything was added.
  double value() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

 private:
  double sum_ = 0;
  int64_t count_ = 0;
};

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_METRICS_H_
