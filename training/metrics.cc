#include "training/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "ops/row_loss.h"
#include "training/confusion_matrix.h"
#include "training/losses.h"

namespace seqgraph {
namespace {

constexpr absl::string_view kWeighted = "weighted_";

template <typename T>
int64_t ArgMax(absl::Span<const T> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

// Calls visit(p, label, weight of the row) for each element.
template <typename F>
void ForEachElement(const MetricBatch& batch, F visit) {
  const int64_t width = batch.width();
  SEQ_CHECK(batch.labels.size() == batch.predictions.size() || !batch.classes.empty());
  for (int64_t row = 0; row < batch.rows; ++row) {
    const double weight = batch.weight(row);
    for (int64_t k = 0; k < width; ++k) {
      visit(batch.predictions[row * width + k], batch.label(row, k), weight);
    }
  }
}

// What a row holds, doubles alone, as one list, and back; a row is a label, class or column.
template <typename Row>
std::vector<double> Flat(const std::vector<Row>& rows) {
  static_assert(std::is_trivially_copyable_v<Row> && sizeof(Row) % sizeof(double) == 0);
  std::vector<double> numbers(rows.size() * (sizeof(Row) / sizeof(double)));
  if (!rows.empty()) std::memcpy(numbers.data(), rows.data(), rows.size() * sizeof(Row));
  return numbers;
}
template <typename Row>
bool FromFlat(absl::Span<const double> numbers, std::vector<Row>& rows) {
  const size_t of_row = sizeof(Row) / sizeof(double);
  if (numbers.size() % of_row != 0) return false;
  rows.resize(numbers.size() / of_row);
  if (!rows.empty())
    std::memcpy(static_cast<void*>(rows.data()), numbers.data(), rows.size() * sizeof(Row));
  return true;
}

// A mean to which `add` brings a batch; `finish` makes the value of it.
class MeanState : public MetricState {
 public:
  using AddBatch = std::function<void(const MetricBatch&, Mean&)>;
  explicit MeanState(AddBatch add, double (*finish)(double) = nullptr)
      : add_(std::move(add)), finish_(finish) {}
  void Reset() override { mean_.Reset(); }
  void Add(const MetricBatch& batch) override { add_(batch, mean_); }
  double value() const override {
    return finish_ == nullptr ? mean_.value() : finish_(mean_.value());
  }
  std::vector<double> Save() const override { return mean_.Save(); }
  bool Load(absl::Span<const double> numbers) override { return mean_.Load(numbers); }

 private:
  const AddBatch add_;
  double (*const finish_)(double);
  Mean mean_;
};

Metric MeanOf(std::string name, bool higher_is_better, MeanState::AddBatch add,
              double (*finish)(double) = nullptr) {
  return {std::move(name), higher_is_better,
          [add, finish] { return std::make_unique<MeanState>(add, finish); }};
}

void AddOnSide(const MetricBatch& batch, float threshold, Mean& right) {
  ForEachElement(batch, [&](float p, float label, double weight) {
    right.Add((p > threshold ? 1.0f : 0.0f) == label ? weight : 0, weight);
  });
}

void AddAccuracy(const MetricBatch& batch, Mean& right) {
  const int64_t width = batch.width();
  if (batch.classes.empty() && width == 1) return AddOnSide(batch, 0.5f, right);
  for (int64_t row = 0; row < batch.rows; ++row) {
    const int64_t expected = batch.classes.empty()
                                 ? ArgMax(batch.labels.subspan(row * width, width))
                                 : batch.classes[row];
    const double weight = batch.weight(row);
    right.Add(ArgMax(batch.predictions.subspan(row * width, width)) == expected ? weight : 0,
              weight);
  }
}

// tp / (tp + others), where others are false positives (precision) or false negatives (recall).
Metric RatioMetric(std::string name, double threshold, bool precision) {
  const float bound = static_cast<float>(threshold);
  return MeanOf(std::move(name), true, [bound, precision](const MetricBatch& batch, Mean& right) {
    ForEachElement(batch, [&](float p, float label, double weight) {
      const bool positive = p > bound, truth = label != 0;
      if (precision ? positive : truth) right.Add(positive && truth ? weight : 0, weight);
    });
  });
}

// F1 by class, or with a threshold by label, and the mean of these.
class F1State : public MetricState {
 public:
  explicit F1State(std::optional<float> threshold) : threshold_(threshold) {}
  void Reset() override { std::fill(counts_.begin(), counts_.end(), Counts()); }

  void Add(const MetricBatch& batch) override {
    const auto width = static_cast<size_t>(batch.width());
    counts_.resize(std::max({counts_.size(), width, threshold_.has_value() ? size_t{0} : 2}));
    if (threshold_.has_value()) {
      size_t k = 0;
      ForEachElement(batch, [&](float p, float label, double weight) {
        Count(counts_[k++ % width], p > *threshold_, label != 0, weight);
      });
      return;
    }
    for (int64_t row = 0; row < batch.rows; ++row) {
      const size_t begin = static_cast<size_t>(row) * width;
      const auto told =
          static_cast<size_t>(PredictedClass(batch.predictions.subspan(begin, width)));
      const auto truth = static_cast<size_t>(
          batch.classes.empty() ? PredictedClass(batch.labels.subspan(begin, width))
                                : batch.classes[row]);
      const double weight = batch.weight(row);
      Count(counts_[told], true, told == truth, weight);
      if (told != truth && truth < counts_.size()) Count(counts_[truth], false, true, weight);
    }
  }

  double value() const override {
    double sum = 0, classes = 0;
    for (const Counts& c : counts_) {
      const double all = 2 * c.right + c.wrong;
      if (all == 0 && !threshold_.has_value()) continue;
      sum += all == 0 ? 0 : 2 * c.right / all;
      ++classes;
    }
    return classes == 0 ? 0 : sum / classes;
  }
  std::vector<double> Save() const override { return Flat(counts_); }
  bool Load(absl::Span<const double> numbers) override { return FromFlat(numbers, counts_); }

 private:
  struct Counts {
    double right = 0;  // true positives
    double wrong = 0;  // false positives and false negatives
  };
  static void Count(Counts& counts, bool told, bool truth, double weight) {
    if (told && truth) counts.right += weight;
    if (told != truth) counts.wrong += weight;
  }

  const std::optional<float> threshold_;
  std::vector<Counts> counts_;
};

Metric F1(std::string name, std::optional<float> threshold) {
  return {std::move(name), /*higher_is_better=*/true,
          [threshold] { return std::make_unique<F1State>(threshold); }};
}

class AUCState : public MetricState {
 public:
  explicit AUCState(int thresholds) : counts_(std::max(thresholds, 2), {0, 0}) {}
  void Reset() override { std::fill(counts_.begin(), counts_.end(), Counts{0, 0}); }

  // Bucket i holds what is above threshold i and not above the next: (i / (n-1), (i+1) / (n-1)].
  void Add(const MetricBatch& batch) override {
    const int last = static_cast<int>(counts_.size()) - 1;
    ForEachElement(batch, [&](float p, float label, double weight) {
      const float place = std::ceil(p * static_cast<float>(last)) - 1;
      // The comparisons send NaN to the first bucket.
      const int bucket = place > 0 ? static_cast<int>(std::min<float>(place, last - 1)) : 0;
      counts_[bucket][label != 0] += weight;
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
      const double next_x = above[0] / total[0], next_y = above[1] / total[1];
      area += (next_x - x) * (next_y + y) / 2;
      x = next_x;
      y = next_y;
    }
    return area;
  }
  std::vector<double> Save() const override { return Flat(counts_); }
  bool Load(absl::Span<const double> numbers) override {
    return numbers.size() == 2 * counts_.size() && FromFlat(numbers, counts_);
  }

 private:
  using Counts = std::array<double, 2>;  // weights of labels 0 and 1
  std::vector<Counts> counts_;
};

// Sums of squares about a running mean (Welford; with weights: West, CACM 22 (1979)), so that
// labels far from 0 lose no digits.
class R2State : public MetricState {
 public:
  void Reset() override { std::fill(columns_.begin(), columns_.end(), Column()); }

  void Add(const MetricBatch& batch) override {
    const size_t width = static_cast<size_t>(batch.width());
    if (columns_.size() < width) columns_.resize(width);
    size_t k = 0;
    ForEachElement(batch, [&](float p, float label, double weight) {
      Column& column = columns_[k++ % width];
      if (weight == 0) return;
      const double y = label, error = y - p, from_mean = y - column.mean;
      column.weight += weight;
      column.mean += from_mean * weight / column.weight;
      column.total += weight * from_mean * (y - column.mean);
      column.residual += weight * error * error;
    });
  }

  double value() const override {
    double sum = 0;
    for (const Column& c : columns_) sum += c.total > 0 ? 1 - c.residual / c.total : 0;
    return columns_.empty() ? 0 : sum / static_cast<double>(columns_.size());
  }
  std::vector<double> Save() const override { return Flat(columns_); }
  bool Load(absl::Span<const double> numbers) override { return FromFlat(numbers, columns_); }

 private:
  struct Column {
    double weight = 0, mean = 0, total = 0, residual = 0;
  };
  std::vector<Column> columns_;
};

void AddSquares(const MetricBatch& batch, Mean& mean) {
  ForEachElement(batch, [&](float p, float label, double weight) {
    const double error = static_cast<double>(p) - label;
    mean.Add(weight * error * error, weight);
  });
}

Metric MeanSquare() { return MeanOf("mean_squared_error", /*higher_is_better=*/false, AddSquares); }

// The mean over rows of a loss; of the cosine itself, as in Keras, whose loss is minus it.
Metric MeanOfLoss(const ops::RowLossKind& kind) {
  const bool cosine = absl::string_view(kind.name) == "cosine_similarity";
  return MeanOf(kind.name, /*higher_is_better=*/cosine,
                [&kind, cosine](const MetricBatch& batch, Mean& mean) {
                  const int64_t width = batch.width();
                  bool shift = kind.labels == ops::LossLabels::kSigns;
                  ForEachElement(batch, [&shift](float, float label, double) {
                    shift = shift && (label == 0 || label == 1);
                  });
                  for (int64_t row = 0; row < batch.rows; ++row) {
                    const auto x = [&](int64_t k) -> double {
                      return batch.predictions[row * width + k];
                    };
                    const auto y = [&](int64_t k) -> double {
                      const double label = batch.label(row, k);
                      return shift ? 2 * label - 1 : label;
                    };
                    const double loss = kind.loss({width, kind.delta, x, y});
                    const double weight = batch.weight(row);
                    mean.Add(weight * (cosine ? -loss : loss), weight);
                  }
                });
}

struct MetricRow {
  const char* name;
  Metric (*make)();
};
constexpr MetricRow kMetrics[] = {
    {"accuracy", Accuracy},
    {"precision", [] { return Precision(); }},
    {"recall", [] { return Recall(); }},
    {"binary_accuracy",
     [] {
       Metric metric = BinaryAccuracy();
       metric.name = "binary_accuracy";
       return metric;
     }},
    {"f1_score", F1Score},
    {"f1_score_of_labels", [] { return F1ScoreOfLabels(); }},
    {"auc", [] { return AUC(); }},
    {"mean_squared_error", MeanSquare},
    {"root_mean_squared_error", RootMeanSquaredError},
    {"r2_score", R2Score},
};

}  // namespace

Metric DefaultMetric() { return {}; }

std::vector<Metric> ResolveMetrics(std::vector<Metric> metrics, const Function& function,
                                   absl::string_view output) {
  std::vector<Metric> resolved;
  for (Metric& metric : metrics) {
    if (metric.make) {
      resolved.push_back(std::move(metric));
    } else if (HasClassLoss(function, output)) {
      resolved.push_back(Accuracy());
    }
  }
  return resolved;
}

Metric Weighted(Metric metric) {
  metric.name = absl::StrCat(kWeighted, metric.name);
  metric.weighted = true;
  return metric;
}

Metric Accuracy() { return MeanOf("accuracy", /*higher_is_better=*/true, AddAccuracy); }

Metric BinaryAccuracy(double threshold) {
  return MeanOf("accuracy", /*higher_is_better=*/true,
                [bound = static_cast<float>(threshold)](const MetricBatch& batch, Mean& right) {
                  AddOnSide(batch, bound, right);
                });
}

Metric Precision(double threshold) { return RatioMetric("precision", threshold, true); }

Metric Recall(double threshold) { return RatioMetric("recall", threshold, false); }

Metric F1Score() { return F1("f1_score", std::nullopt); }

Metric F1ScoreOfLabels(double threshold) {
  return F1("f1_score_of_labels", static_cast<float>(threshold));
}

Metric AUC(int thresholds) {
  return {"auc", /*higher_is_better=*/true,
          [thresholds] { return std::make_unique<AUCState>(thresholds); }};
}

Metric MeanAbsoluteError() { return MeanOfLoss(*ops::FindRowLoss("mean_absolute_error")); }

Metric RootMeanSquaredError() {
  return MeanOf("root_mean_squared_error", /*higher_is_better=*/false, AddSquares,
                [](double mean) { return std::sqrt(mean); });
}

Metric R2Score() {
  return {"r2_score", /*higher_is_better=*/true, [] { return std::make_unique<R2State>(); }};
}

absl::StatusOr<Metric> MetricByName(absl::string_view name) {
  absl::string_view plain = name;
  const bool weighted = absl::ConsumePrefix(&plain, kWeighted);
  plain = WholeLossName(plain);
  const auto found = [weighted](Metric metric) {
    return weighted ? Weighted(std::move(metric)) : metric;
  };
  for (const MetricRow& row : kMetrics) {
    if (row.name == plain) return found(row.make());
  }
  if (const ops::RowLossKind* kind = ops::FindRowLoss(plain)) return found(MeanOfLoss(*kind));
  return InvalidArgument("unknown metric \"", name, "\": expected one of ", MetricNames());
}

std::string MetricNames() {
  const auto name = [](std::string* out, const auto& row) { absl::StrAppend(out, row.name); };
  return absl::StrCat(absl::StrJoin(kMetrics, ", ", name), ", ",
                      absl::StrJoin(ops::RowLossKinds(), ", ", name));
}

}  // namespace seqgraph
