#include "training/series/baseline.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/series/row_labels.h"
#include "training/series/scaling.h"

namespace seqgraph {
namespace {

using data::SeriesSet;

// How often each class is among the labels of the rows, as shares.
std::vector<double> ClassShares(const SeriesSet& set, absl::Span<const RowRange> rows,
                                const SeriesTask& task) {
  std::vector<double> shares(set.class_names.size());
  double all = 0;
  const auto count = [&](int64_t label) {
    ++shares[set.classes[label]];
    ++all;
  };
  if (HasStepLabels(task)) {
    for (const StepRange& range : StepsOf(rows, task)) {
      for (int64_t step = range.begin; step < range.end; ++step) {
        if (!IsMissingStep(set, step)) count(step);
      }
    }
  } else {
    for (const RowRange& row : rows) count(row.series);
  }
  for (double& share : shares) share /= std::max(all, 1.0);
  return shares;
}

// Before a forecast's targets, the first step of the stretch that the row lies in.
int64_t StretchBegin(const SeriesSet& set, const RowRange& row) {
  const auto next = std::upper_bound(set.gaps.begin(), set.gaps.end(), row.begin);
  const int64_t begin = set.begin[row.series];
  return next == set.gaps.begin() ? begin : std::max(begin, *(next - 1));
}

// What a baseline tells of the labels of one row.
class Teller {
 public:
  Teller(const Baseline& baseline, const SeriesSet& set, const SeriesTask& task)
      : baseline_(baseline),
        set_(set),
        horizon_(task.horizon),
        columns_(ForecastTargets(task, set.num_features())) {}

  // Appends as many numbers as the row has labels, which is a multiple of the constants.
  void Tell(const RowRange& row, int64_t labels, std::vector<float>& told) const {
    const auto width = static_cast<int64_t>(baseline_.constants.size());
    if (baseline_.kind == Baseline::Kind::kConstant) {
      for (int64_t i = 0; i < labels; ++i) {
        told.push_back(static_cast<float>(baseline_.constants[i % width]));
      }
      return;
    }
    const int64_t begin = StretchBegin(set_, row);
    for (int64_t ahead = 0; ahead < horizon_; ++ahead) {
      for (int64_t i = 0; i < width; ++i) told.push_back(Value(row, begin, ahead, i));
    }
  }

 private:
  // Of column i, `ahead` steps behind the first to be told.
  float Value(const RowRange& row, int64_t begin, int64_t ahead, int64_t i) const {
    const auto value = [&](int64_t step) {
      return set_.values[step * set_.num_features() + columns_[i]];
    };
    if (baseline_.kind == Baseline::Kind::kSeasonal) {
      const int64_t season = baseline_.season;
      int64_t step = row.target_begin + ahead - (ahead / season + 1) * season;
      for (; step >= begin; step -= season) {
        if (!std::isnan(value(step))) return value(step);
      }
    }
    for (int64_t step = row.target_begin; step-- > row.begin;) {
      if (!std::isnan(value(step))) return value(step);
    }
    return static_cast<float>(baseline_.constants[i]);
  }

  const Baseline& baseline_;
  const SeriesSet& set_;
  const int64_t horizon_;
  const std::vector<int> columns_;
};

// The labels of a batch of rows as metrics see them, and what is told of them.
struct Batch {
  std::vector<float> told, labels, weights;
  std::vector<int32_t> classes;

  void Clear() {
    told.clear();
    labels.clear();
    weights.clear();
    classes.clear();
  }
};

// Repeats what is told of a row for each of its labels that counts, and appends them.
void AddRow(const SeriesSet& set, const SeriesTask& task, const RowRange& row, int64_t width,
            const Teller& teller, Batch& batch) {
  const bool steps = HasStepLabels(task);
  for (int64_t i = 0; i < (steps ? row.steps : 1); ++i) {
    if (steps && IsMissingStep(set, row.begin + i)) continue;
    const float weight = WeightOfRow(set, row, task, i);
    if (HasClasses(task)) {
      teller.Tell(row, width, batch.told);
      const int32_t number = ClassOfRow(set, row, task, i);
      if (width == 1) batch.labels.push_back(static_cast<float>(number));
      if (width > 1) batch.classes.push_back(number);
      batch.weights.push_back(weight);
      continue;
    }
    const size_t before = batch.labels.size();
    AppendNumbers(set, row, task, i, batch.labels);
    const auto labels = static_cast<int64_t>(batch.labels.size() - before);
    teller.Tell(row, labels, batch.told);
    batch.weights.insert(batch.weights.end(), labels / width, weight);
  }
}

absl::Status CheckFits(const Baseline& baseline, const SeriesSet& set, const SeriesTask& task,
                       int64_t width) {
  const auto given = static_cast<int64_t>(baseline.constants.size());
  const int64_t each = NumbersPerLabel(set, task);  // of a step of a forecast, say
  const bool classes = HasClasses(task);
  const bool one = classes && each == 2 && width == 1;
  const int64_t labels = task.kind == SeriesTaskKind::kForecast ? each * task.horizon : each;
  if (baseline.kind != Baseline::Kind::kConstant &&
      (task.kind != SeriesTaskKind::kForecast || baseline.season < 0 ||
       (baseline.kind == Baseline::Kind::kSeasonal && baseline.season == 0))) {
    return InvalidArgument("baseline ", baseline.name, ": it is a forecast's, with a season of ",
                           baseline.season);
  }
  if (given != each) {
    return InvalidArgument("baseline ", baseline.name, ": it tells ", given, " numbers, of ", each);
  }
  if (one || (classes ? width == each : width > 0 && labels % width == 0)) return absl::OkStatus();
  return InvalidArgument("baseline ", baseline.name, ": predictions are ", width,
                         " wide, the labels ", labels);
}

}  // namespace

absl::StatusOr<std::vector<Baseline>> FitBaselines(const SeriesSet& set,
                                                   absl::Span<const RowRange> rows,
                                                   const SeriesTask& task) {
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kJudge));
  if (rows.empty()) return InvalidArgument("baseline: there are no rows");
  if (HasClasses(task)) {
    std::vector<double> shares = ClassShares(set, rows, task);
    const auto most = std::max_element(shares.begin(), shares.end()) - shares.begin();
    return std::vector<Baseline>{
        {.name = absl::StrCat("majority class ", ClassName(set, static_cast<int32_t>(most))),
         .constants = std::move(shares)}};
  }
  SEQ_ASSIGN_OR_RETURN(const FeatureScale scale,
                       task.kind == SeriesTaskKind::kReconstruct
                           ? FitScale(set, rows, task, ScaleKind::kStandard)
                           : FitTargetScale(set, rows, task, ScaleKind::kStandard));
  const Baseline mean = {.name = task.many_labels ? "shares of the labels" : "mean",
                         .constants = scale.offset};
  std::vector<Baseline> baselines;
  if (task.kind == SeriesTaskKind::kForecast) {
    baselines.push_back(mean);
    baselines.back().kind = Baseline::Kind::kPersistence;
    baselines.back().name = "persistence";
    if (task.season > 0) {
      baselines.push_back(mean);
      baselines.back().kind = Baseline::Kind::kSeasonal;
      baselines.back().name = absl::StrCat("a season of ", task.season, " before");
      baselines.back().season = task.season;
    }
  }
  baselines.push_back(mean);
  return baselines;
}

absl::StatusOr<std::vector<BaselineResult>> JudgeBaselines(absl::Span<const Baseline> baselines,
                                                           const SeriesSet& set,
                                                           absl::Span<const RowRange> rows,
                                                           const SeriesTask& task,
                                                           const BaselineOptions& options) {
  constexpr int64_t kBatch = 64;
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kJudge));
  const int64_t each = NumbersPerLabel(set, task);
  const int64_t width = options.width > 0                        ? options.width
                        : task.kind == SeriesTaskKind::kForecast ? each * task.horizon
                                                                 : each;
  std::vector<BaselineResult> results;
  for (Baseline baseline : baselines) {
    SEQ_RETURN_IF_ERROR(CheckFits(baseline, set, task, width));
    // The probability of class 1 alone.
    if (HasClasses(task) && width == 1) baseline.constants.erase(baseline.constants.begin());
    const Teller teller(baseline, set, task);
    std::vector<std::unique_ptr<MetricState>> states;
    for (const Metric& metric : options.metrics) states.push_back(metric.make());
    Batch batch;
    for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
      batch.Clear();
      for (const RowRange& row : rows.subspan(begin, kBatch)) {
        AddRow(set, task, row, width, teller, batch);
      }
      MetricBatch seen = {.rows = static_cast<int64_t>(batch.weights.size()),
                          .predictions = batch.told,
                          .labels = batch.labels,
                          .classes = batch.classes};
      if (seen.rows == 0) continue;
      for (size_t i = 0; i < states.size(); ++i) {
        seen.weights = {};
        if (options.metrics[i].weighted) seen.weights = batch.weights;
        states[i]->Add(seen);
      }
    }
    results.push_back({.name = baseline.name});
    for (size_t i = 0; i < states.size(); ++i) {
      results.back().values[options.metrics[i].name] = states[i]->value();
    }
  }
  return results;
}

bool Beats(double model, double baseline, const Metric& metric) {
  return metric.higher_is_better ? model > baseline : model < baseline;
}

std::string BaselineVerdict(absl::Span<const BaselineResult> baselines, const Logs& model,
                            const Metric& metric, absl::string_view prefix) {
  const auto found = model.find(absl::StrCat(prefix, metric.name));
  const BaselineResult* best = nullptr;
  for (const BaselineResult& baseline : baselines) {
    const auto value = baseline.values.find(metric.name);
    if (value == baseline.values.end()) continue;
    if (best == nullptr || Beats(value->second, best->values.at(metric.name), metric)) {
      best = &baseline;
    }
  }
  if (found == model.end() || best == nullptr) return "";
  const double without = best->values.at(metric.name);
  return absl::StrCat(Beats(found->second, without, metric) ? "better" : "no better", " than ",
                      best->name, ": ", metric.name, " ", found->second, ", without a model ",
                      without);
}

}  // namespace seqgraph
