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
      : baseline_(baseline), set_(set), columns_(ForecastTargets(task, set.num_features())) {}

  // Appends what is told of a label: as many numbers as there are constants.
  void Tell(const RowRange& row, int64_t label, std::vector<float>& told) const {
    const int64_t begin = StretchBegin(set_, row);
    for (size_t i = 0; i < baseline_.constants.size(); ++i) {
      told.push_back(baseline_.kind == Baseline::Kind::kConstant
                         ? static_cast<float>(baseline_.constants[i])
                         : Value(row, begin, label, i));
    }
  }

 private:
  // Of column i, `ahead` steps behind the first to be told.
  float Value(const RowRange& row, int64_t begin, int64_t ahead, size_t i) const {
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
  const std::vector<int> columns_;
};

// Then one number is told of a label: the probability of the second.
bool HasTwoClasses(const SeriesSet& set, const SeriesTask& task) {
  return HasClasses(task) && NumbersPerLabel(set, task) == 2;
}

// What is told of the labels of some rows, and the labels as metrics see them.
struct Batch {
  std::vector<float> told, labels, weights;
  std::vector<int32_t> classes;
};

void AddRow(const SeriesSet& set, const SeriesTask& task, const RowRange& row, const Teller& teller,
            Batch& batch) {
  for (int64_t label = 0; label < LabelsOfRow(row, task); ++label) {
    if (HasStepLabels(task) && IsMissingStep(set, row.begin + label)) continue;
    teller.Tell(row, label, batch.told);
    batch.weights.push_back(WeightOfRow(set, row, task, label));
    if (!HasClasses(task)) {
      AppendNumbers(set, row, task, label, batch.labels);
    } else if (HasTwoClasses(set, task)) {
      batch.labels.push_back(static_cast<float>(ClassOfRow(set, row, task, label)));
    } else {
      batch.classes.push_back(ClassOfRow(set, row, task, label));
    }
  }
}

absl::Status CheckFits(const Baseline& baseline, const SeriesSet& set, const SeriesTask& task) {
  if (baseline.kind != Baseline::Kind::kConstant &&
      (task.kind != SeriesTaskKind::kForecast || baseline.season < 0 ||
       (baseline.kind == Baseline::Kind::kSeasonal && baseline.season == 0))) {
    return InvalidArgument("baseline ", baseline.name, ": it is a forecast's, with a season of ",
                           baseline.season,
                           "; expected a forecast, and a season of at least 1 where it repeats");
  }
  const auto given = static_cast<int64_t>(baseline.constants.size());
  if (given == NumbersPerLabel(set, task)) return absl::OkStatus();
  return InvalidArgument("baseline ", baseline.name, ": it tells ", given, " numbers, of ",
                         NumbersPerLabel(set, task));
}

}  // namespace

absl::StatusOr<std::vector<Baseline>> FitBaselines(const SeriesSet& set,
                                                   absl::Span<const RowRange> rows,
                                                   const SeriesTask& task) {
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kJudge));
  if (rows.empty()) {
    return InvalidArgument(
        "baseline: there are no rows to find it from: give the part to train on some");
  }
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
  constexpr size_t kBatch = 64;
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kJudge));
  const std::vector<Metric>& metrics = options.metrics;
  const bool two_classes = HasTwoClasses(set, task);
  const int64_t width = two_classes ? 1 : NumbersPerLabel(set, task);
  if (options.width != 0 && options.width != width) {
    return InvalidArgument("baselines: predictions are ", options.width, " wide, the labels ",
                           width);
  }
  std::vector<BaselineResult> results;
  for (Baseline baseline : baselines) {
    SEQ_RETURN_IF_ERROR(CheckFits(baseline, set, task));
    if (two_classes) baseline.constants.erase(baseline.constants.begin());
    const Teller teller(baseline, set, task);
    std::vector<std::unique_ptr<MetricState>> states;
    for (const Metric& metric : metrics) states.push_back(metric.make());
    for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
      Batch batch;
      for (const RowRange& row : rows.subspan(begin, kBatch)) {
        AddRow(set, task, row, teller, batch);
      }
      MetricBatch seen = {.rows = static_cast<int64_t>(batch.weights.size()),
                          .predictions = batch.told,
                          .labels = batch.labels,
                          .classes = batch.classes};
      for (size_t i = 0; i < states.size(); ++i) {
        seen.weights = {};
        if (metrics[i].weighted) seen.weights = batch.weights;
        if (seen.rows > 0) states[i]->Add(seen);
      }
    }
    results.push_back({.name = baseline.name});
    for (size_t i = 0; i < states.size(); ++i) {
      results.back().values[metrics[i].name] = states[i]->value();
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
