#include "tools/report/class_curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace seqgraph::tools {
namespace {

// Rows taken for the class, and those of them that are of it, at each threshold.
struct Counts {
  std::vector<int64_t> taken, right;
  int64_t positives = 0, rows = 0;
};

Counts CountByThreshold(absl::Span<const float> scores, absl::Span<const uint8_t> is) {
  const auto score = [&](size_t i) {
    return std::isnan(scores[i]) ? -std::numeric_limits<float>::infinity() : scores[i];
  };
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score(a) > score(b); });
  Counts counts;
  for (size_t i = 0; i < order.size(); ++i) {
    counts.positives += is[order[i]] != 0;
    ++counts.rows;
    if (i + 1 < order.size() && score(order[i]) == score(order[i + 1])) continue;
    counts.taken.push_back(counts.rows);
    counts.right.push_back(counts.positives);
  }
  return counts;
}

double Ratio(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ThresholdCurve Roc(absl::Span<const float> scores, absl::Span<const uint8_t> is) {
  const Counts counts = CountByThreshold(scores, is);
  const int64_t negatives = counts.rows - counts.positives;
  ThresholdCurve curve{{0}, {0}, 0};
  if (negatives == 0 || counts.positives == 0) {
    return {{0, 1}, {0, 1}, std::numeric_limits<double>::quiet_NaN()};
  }
  for (size_t i = 0; i < counts.taken.size(); ++i) {
    const double x = Ratio(counts.taken[i] - counts.right[i], negatives);
    const double y = Ratio(counts.right[i], counts.positives);
    curve.area += (x - curve.x.back()) * (y + curve.y.back()) / 2;  // a trapezoid
    curve.x.push_back(x);
    curve.y.push_back(y);
  }
  return curve;
}

ThresholdCurve PrecisionRecall(absl::Span<const float> scores, absl::Span<const uint8_t> is) {
  const Counts counts = CountByThreshold(scores, is);
  ThresholdCurve curve{{0}, {1}, 0};
  if (counts.positives == 0) {
    curve.area = std::numeric_limits<double>::quiet_NaN();
    return curve;
  }
  for (size_t i = 0; i < counts.taken.size(); ++i) {
    const double recall = Ratio(counts.right[i], counts.positives);
    const double precision = Ratio(counts.right[i], counts.taken[i]);
    curve.area += (recall - curve.x.back()) * precision;
    curve.x.push_back(recall);
    curve.y.push_back(precision);
  }
  return curve;
}

Reliability ReliabilityOf(absl::Span<const float> confidence, absl::Span<const uint8_t> is,
                          int bins) {
  struct Sum {
    double confidence = 0;
    int64_t is = 0, rows = 0;
  };
  std::vector<Sum> sums(static_cast<size_t>(bins));
  Reliability reliability;
  for (size_t i = 0; i < confidence.size(); ++i) {
    const double p = std::isnan(confidence[i]) ? 0 : std::clamp(double{confidence[i]}, 0.0, 1.0);
    const int bin = std::clamp(static_cast<int>(std::ceil(p * bins)) - 1, 0, bins - 1);
    Sum& sum = sums[static_cast<size_t>(bin)];
    sum.confidence += p;
    sum.is += is[i] != 0;
    ++sum.rows;
    reliability.brier += (p - (is[i] != 0)) * (p - (is[i] != 0));
  }
  const double rows = std::max<double>(1, static_cast<double>(confidence.size()));
  reliability.brier /= rows;
  for (const Sum& sum : sums) {
    if (sum.rows == 0) continue;
    const auto in_bin = static_cast<double>(sum.rows);
    reliability.bins.push_back({sum.confidence / in_bin, Ratio(sum.is, sum.rows), sum.rows});
    const ReliabilityBin& bin = reliability.bins.back();
    reliability.expected_error += in_bin / rows * std::abs(bin.share - bin.confidence);
  }
  return reliability;
}

}  // namespace seqgraph::tools
