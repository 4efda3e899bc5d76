#pragma once

// How well scores part the rows of a class from all others, and whether they are probabilities.
//   ROC: true positives / P over false positives / N, for every threshold; its area.
//   Precision-recall: TP / (TP + FP) over TP / P; average precision = sum (R_n - R_n-1) P_n.
//   Reliability: of rows in a bin of confidence, the share that is so, over their mean confidence.
// Definitions as scikit-learn has them (roc_curve, precision_recall_curve, calibration_curve).

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace seqgraph::tools {

struct ThresholdCurve {
  std::vector<double> x, y;  ///< a point for each threshold, from the highest on
  double area = 0;           ///< NaN where one of the two kinds of rows is missing
};

/// From (0, 0) to (1, 1). `scores` and `is` have a number each for each row, equal scores are one
/// threshold. A score that is NaN counts as the lowest.
ThresholdCurve Roc(absl::Span<const float> scores, absl::Span<const uint8_t> is);
/// From (0, 1) to recall 1; the area is the average precision.
ThresholdCurve PrecisionRecall(absl::Span<const float> scores, absl::Span<const uint8_t> is);

struct ReliabilityBin {
  double confidence = 0;  ///< mean of the rows in it
  double share = 0;       ///< of them that are so
  int64_t rows = 0;
};

struct Reliability {
  std::vector<ReliabilityBin> bins;  ///< those with rows, ascending
  double expected_error =
      0;             ///< sum over bins rows / all |share - confidence| (Naeini et al. 2015)
  double brier = 0;  ///< mean of (confidence - is)^2
};

/// Bins of equal width over [0, 1]: bin i has confidences in (i, i + 1] / bins, the first 0 too.
Reliability ReliabilityOf(absl::Span<const float> confidence, absl::Span<const uint8_t> is,
                          int bins = 10);

}  // namespace seqgraph::tools
