#ifndef SEQGRAPH_TRAINING_METRICS_H_
#define SEQGRAPH_TRAINING_METRICS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/types/span.h"

namespace seqgraph {

/// A mean that is measured beside the loss, from predictions and labels on the host. A metric is a
/// value; a new one is one more function like BinaryAccuracy.
struct Metric {
  std::string name;  ///< as in the logs: "accuracy" gives "accuracy" and "val_accuracy"
  bool higher_is_better = true;
  /// The sum over the elements, which the loop divides by their number. Must not allocate.
  std::function<double(absl::Span<const float> predictions, absl::Span<const float> labels)> sum;
};

/// The share of elements where (p > threshold) is the label (1 or 0); strict, as in Keras. Named
/// "accuracy".
Metric BinaryAccuracy(double threshold = 0.5);

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
