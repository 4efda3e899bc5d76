#include "training/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

template <typename T>
int64_t ArgMax(absl::Span<const T> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

// Elements of the batch where (p > threshold) is the label.
int64_t CountOnSide(const MetricBatch& batch, float threshold) {
  SEQ_CHECK(batch.predictions.size() == batch.labels.size());
  int64_t right = 0;
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    right += (batch.predictions[i] > threshold ? 1.0f : 0.0f) == batch.labels[i];
  }
  return right;
}

class BinaryAccuracyState : public MetricState {
 public:
  explicit BinaryAccuracyState(float threshold) : threshold_(threshold) {}
  void Reset() override { mean_.Reset(); }
  void Add(const MetricBatch& batch) override {
    mean_.Add(static_cast<double>(CountOnSide(batch, threshold_)),
              static_cast<int64_t>(batch.labels.size()));
  }
  double value() const override { return mean_.value(); }

 private:
  const float threshold_;
  Mean mean_;
};

class AccuracyState : public MetricState {
 public:
  void Reset() override { mean_.Reset(); }
  void Add(const MetricBatch& batch) override {
    const int64_t width = batch.width();
    if (batch.classes.empty() && width == 1) {
      mean_.Add(static_cast<double>(CountOnSide(batch, 0.5f)), batch.rows);
      return;
    }
    int64_t right = 0;
    for (int64_t row = 0; row < batch.rows; ++row) {
      const int64_t expected = batch.classes.empty()
                                   ? ArgMax(batch.labels.subspan(row * width, width))
                                   : batch.classes[row];
      right += ArgMax(batch.predictions.subspan(row * width, width)) == expected;
    }
    mean_.Add(static_cast<double>(right), batch.rows);
  }
  double value() const override { return mean_.value(); }

 private:
  Mean mean_;
};

// Calls visit(p, whether the label is not 0) for each element.
template <typename F>
void ForEachElement(const MetricBatch& batch, F visit) {
  const int64_t width = batch.width();
  for (int64_t i = 0; i < static_cast<int64_t>(batch.predictions.size()); ++i) {
    visit(batch.predictions[i],
          batch.classes.empty() ? batch.labels[i] != 0 : batch.classes[i / width] == i % width);
  }
}

// tp / (tp + others), where others are false positives (precision) or false negatives (recall).
class RatioState : public MetricState {
 public:
  RatioState(float threshold, bool precision) : threshold_(threshold), precision_(precision) {}
  void Reset() override { right_ = all_ = 0; }
  void Add(const MetricBatch& batch) override {
    ForEachElement(batch, [this](float p, bool label) {
      const bool positive = p > threshold_;
      right_ += positive && label;
      all_ += precision_ ? positive : label;
    });
  }
  double value() const override {
    return all_ == 0 ? 0 : static_cast<double>(right_) / static_cast<double>(all_);
  }

 private:
  const float threshold_;
  const bool precision_;
  int64_t right_ = 0, all_ = 0;
};

class AUCState : public MetricState {
 public:
  explicit AUCState(int thresholds) : counts_(std::max(thresholds, 2), {0, 0}) {}
  void Reset() override { std::fill(counts_.begin(), counts_.end(), Counts{0, 0}); }

  // Bucket i holds what is above threshold i and not above the next: (i / (n-1), (i+1) / (n-1)].
  void Add(const MetricBatch& batch) override {
    const int last = static_cast<int>(counts_.size()) - 1;
    ForEachElement(batch, [&](float p, bool label) {
      const float place = std::ceil(p * static_cast<float>(last)) - 1;
      // The comparisons send NaN to the first bucket.
      const int bucket = place > 0 ? static_cast<int>(std::min<float>(place, last - 1)) : 0;
      ++counts_[bucket][label];
    });
  }

  double value() const override {
    Counts total = {0, 0};
    for (const Counts& counts : counts_) {
      for (int label : {0, 1}) total[label] += counts[label];
    }
    if (total[0] == 0 || total[1] == 0) return 0;
    // From the highest threshold, above which nothing is, down to the lowest.
    double area = 0, x = 0, y = 0;
    Counts above = {0, 0};
    for (size_t i = counts_.size(); i-- > 0;) {
      for (int label : {0, 1}) above[label] += counts_[i][label];
      const double next_x = static_cast<double>(above[0]) / static_cast<double>(total[0]);
      const double next_y = static_cast<double>(above[1]) / static_cast<double>(total[1]);
      area += (next_x - x) * (next_y + y) / 2;
      x = next_x;
      y = next_y;
    }
    return area;
  }

 private:
  using Counts = std::array<int64_t, 2>;  // of labels 0 and 1
  std::vector<Counts> counts_;
};

}  // namespace

Metric Accuracy() {
  return {"accuracy", /*higher_is_better=*/true, [] { return std::make_unique<AccuracyState>(); }};
}

Metric BinaryAccuracy(double threshold) {
  const float bound = static_cast<float>(threshold);
  return {"accuracy", /*higher_is_better=*/true,
          [bound] { return std::make_unique<BinaryAccuracyState>(bound); }};
}

Metric Precision(double threshold) {
  const float bound = static_cast<float>(threshold);
  return {"precision", /*higher_is_better=*/true,
          [bound] { return std::make_unique<RatioState>(bound, /*precision=*/true); }};
}

Metric Recall(double threshold) {
  const float bound = static_cast<float>(threshold);
  return {"recall", /*higher_is_better=*/true,
          [bound] { return std::make_unique<RatioState>(bound, /*precision=*/false); }};
}

Metric AUC(int thresholds) {
  return {"auc", /*higher_is_better=*/true,
          [thresholds] { return std::make_unique<AUCState>(thresholds); }};
}

}  // namespace seqgraph
