#include "training/series/scaling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counter_random.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

using data::SeriesSet;

struct ScaleName {
  ScaleKind kind;
  const char* name;
};
constexpr ScaleName kKinds[] = {{ScaleKind::kStandard, "standard"},
                                {ScaleKind::kMinMax, "minmax"},
                                {ScaleKind::kRobust, "robust"},
                                {ScaleKind::kNone, "none"}};

// Numbers of which the scale is asked: [rows, width], of which the rows in `ranges` count.
struct Numbers {
  absl::Span<const float> values;
  int64_t width = 0;
  std::vector<StepRange> ranges;  // disjoint, in order

  const float* row(int64_t i) const { return values.data() + i * width; }
  // Calls visit(row number) for each.
  template <typename F>
  void ForEachRow(F visit) const {
    for (const StepRange& range : ranges) {
      for (int64_t i = range.begin; i < range.end; ++i) visit(i);
    }
  }
};

struct Moments {
  double count = 0, sum = 0, squares = 0;
  float least = std::numeric_limits<float>::infinity(), most = -least;

  double mean() const { return count == 0 ? 0 : sum / count; }
};

// Two passes: sums and extremes, and the squares about the means.
std::vector<Moments> MomentsOf(const Numbers& numbers) {
  std::vector<Moments> moments(numbers.width);
  numbers.ForEachRow([&](int64_t i) {
    const float* const row = numbers.row(i);
    for (int64_t k = 0; k < numbers.width; ++k) {
      if (std::isnan(row[k])) continue;
      Moments& m = moments[k];
      ++m.count;
      m.sum += row[k];
      m.least = std::min(m.least, row[k]);
      m.most = std::max(m.most, row[k]);
    }
  });
  std::vector<double> means;
  for (const Moments& m : moments) means.push_back(m.mean());
  numbers.ForEachRow([&](int64_t i) {
    const float* const row = numbers.row(i);
    for (int64_t k = 0; k < numbers.width; ++k) {
      const double from_mean = row[k] - means[k];
      if (!std::isnan(row[k])) moments[k].squares += from_mean * from_mean;
    }
  });
  return moments;
}

// numpy.quantile(sorted, q).
double Quantile(absl::Span<const float> sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double low = sorted[below], high = sorted[above];
  return low + (high - low) * (place - static_cast<double>(below));
}

// The values of a column, sorted, or where there are too many one of each of kMost stretches.
std::vector<float> SampleOf(const Numbers& numbers, int64_t column) {
  constexpr int64_t kMost = int64_t{1} << 20;
  int64_t rows = 0;
  for (const StepRange& range : numbers.ranges) rows += range.end - range.begin;
  const int64_t each = (rows + kMost - 1) / kMost;  // rows of a stretch
  const CounterRandom random(/*seed=*/0, "quantiles");
  std::vector<float> sample;
  sample.reserve(std::min(rows, kMost));
  int64_t number = 0;
  numbers.ForEachRow([&](int64_t i) {
    const int64_t stretch = number / each;
    const auto taken = static_cast<int64_t>(random.At(stretch) % static_cast<uint64_t>(each));
    const bool take = each == 1 || number - stretch * each == taken;
    ++number;
    if (take && !std::isnan(numbers.row(i)[column])) sample.push_back(numbers.row(i)[column]);
  });
  std::sort(sample.begin(), sample.end());
  return sample;
}

absl::StatusOr<FeatureScale> Fit(const Numbers& numbers, ScaleKind kind,
                                 absl::FunctionRef<std::string(int64_t row, int64_t k)> name) {
  FeatureScale fit = {std::vector<double>(numbers.width, 0.0),
                      std::vector<double>(numbers.width, 1.0)};
  if (kind == ScaleKind::kNone) return fit;
  const std::vector<Moments> moments = MomentsOf(numbers);
  for (int64_t k = 0; k < numbers.width; ++k) {
    const Moments& m = moments[k];
    if (m.count == 0) continue;
    if (std::isinf(m.least) || std::isinf(m.most)) {
      int64_t found = -1;
      numbers.ForEachRow([&](int64_t i) {
        if (found < 0 && std::isinf(numbers.row(i)[k])) found = i;
      });
      return InvalidArgument("scale: ", name(found, k), " is infinite");
    }
    double scale = 0;
    switch (kind) {
      case ScaleKind::kStandard:
        fit.offset[k] = m.mean();
        scale = std::sqrt(m.squares / m.count);
        break;
      case ScaleKind::kMinMax:
        fit.offset[k] = m.least;
        scale = static_cast<double>(m.most) - m.least;
        break;
      case ScaleKind::kRobust: {
        const std::vector<float> sample = SampleOf(numbers, k);
        if (sample.empty()) break;
        fit.offset[k] = Quantile(sample, 0.5);
        scale = Quantile(sample, 0.75) - Quantile(sample, 0.25);
        break;
      }
      case ScaleKind::kNone:
        break;
    }
    if (m.least == m.most) fit.offset[k] = m.least;
    if (m.least != m.most && scale > 0) fit.scale[k] = scale;
  }
  return fit;
}

std::string NameOfStep(const SeriesSet& set, int64_t step) {
  const int64_t series =
      std::upper_bound(set.begin.begin(), set.begin.end(), step) - set.begin.begin() - 1;
  return set.RowName(series, step - set.begin[series]);
}

}  // namespace

std::string NameOf(ScaleKind kind) { return kKinds[static_cast<size_t>(kind)].name; }

std::string ScaleKindNames() {
  return absl::StrJoin(kKinds, ", ", [](std::string* out, const ScaleName& kind) {
    absl::StrAppend(out, kind.name);
  });
}

absl::StatusOr<ScaleKind> ScaleKindByName(absl::string_view name) {
  for (const ScaleName& kind : kKinds) {
    if (name == kind.name) return kind.kind;
  }
  return InvalidArgument("unknown scale \"", name, "\": expected one of ", ScaleKindNames());
}

absl::StatusOr<FeatureScale> FitScale(const SeriesSet& set, absl::Span<const RowRange> rows,
                                      const SeriesTask& task, ScaleKind kind) {
  return Fit({.values = set.values, .width = set.num_features(), .ranges = StepsOf(rows, task)},
             kind, [&set](int64_t step, int64_t k) {
               return absl::StrCat(NameOfStep(set, step), ": ", set.features[k]);
             });
}

absl::StatusOr<FeatureScale> FitTargetScale(const SeriesSet& set, absl::Span<const RowRange> rows,
                                            const SeriesTask& task, ScaleKind kind) {
  if (task.kind == SeriesTaskKind::kForecast) {
    SEQ_ASSIGN_OR_RETURN(const FeatureScale all, FitScale(set, rows, task, kind));
    FeatureScale fit;
    for (const int target : ForecastTargets(task, set.num_features())) {
      fit.offset.push_back(all.offset[target]);
      fit.scale.push_back(all.scale[target]);
    }
    return fit;
  }
  if (task.kind != SeriesTaskKind::kRegress && !task.many_labels) {
    return InvalidArgument("scale: ", FactsOf(task.kind).name, " has no targets to be scaled");
  }
  Numbers numbers = {.values = set.targets, .width = static_cast<int64_t>(set.target_names.size())};
  if (task.per_step) {
    numbers.ranges = StepsOf(rows, task);
  } else {
    // As one step each, so that several windows of a series count once.
    std::vector<RowRange> series;
    for (const RowRange& row : rows) series.push_back({.begin = row.series, .steps = 1});
    numbers.ranges = StepsOf(series, task);
  }
  return Fit(numbers, kind, [&](int64_t row, int64_t k) {
    return absl::StrCat(task.per_step ? NameOfStep(set, row) : set.RowName(row), ": ",
                        set.target_names[k]);
  });
}

}  // namespace seqgraph
