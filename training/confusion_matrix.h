#pragma once

// How often each class was taken for each: n[t][p] rows of class t were predicted as p.
// precision(c) = n[c][c] / sum_t n[t][c], recall(c) = n[c][c] / sum_p n[c][p], F1 = their harmonic
// mean; 0 where nothing is to be divided by.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace seqgraph {

/// The class that probabilities tell: of one number p, class 1 if p > 0.5; otherwise the first of
/// the largest.
int64_t PredictedClass(absl::Span<const float> probabilities);

class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int64_t classes)
      : classes_(classes), counts_(static_cast<size_t>(classes * classes)) {}

  /// From predictions [rows, width], width 1 for two classes, otherwise a number a class.
  /// InvalidArgument if sizes do not agree, or for a target outside [0, classes).
  static absl::StatusOr<ConfusionMatrix> FromPredictions(absl::Span<const float> predictions,
                                                         absl::Span<const int32_t> targets,
                                                         int64_t classes);

  /// Both in [0, classes()).
  void Add(int64_t target, int64_t predicted) { ++counts_[Index(target, predicted)]; }

  int64_t classes() const { return classes_; }
  int64_t count(int64_t target, int64_t predicted) const {
    return counts_[Index(target, predicted)];
  }
  int64_t rows_of(int64_t target) const;          ///< The support of a class.
  int64_t predicted_as(int64_t predicted) const;  ///< Rows taken for a class.
  int64_t rows() const;
  double precision(int64_t c) const;
  double recall(int64_t c) const;
  double f1(int64_t c) const;
  double accuracy() const;

 private:
  size_t Index(int64_t target, int64_t predicted) const {
    return static_cast<size_t>(target * classes_ + predicted);
  }

  int64_t classes_;
  std::vector<int64_t> counts_;
};

}  // namespace seqgraph
