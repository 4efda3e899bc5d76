#include "training/series/series_record.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

using Missing = data::SeriesSourceOptions::Missing;

constexpr std::array<std::pair<absl::string_view, Missing>, 5> kMissing = {
    {{"refuse", Missing::kRefuse},
     {"forward", Missing::kForward},
     {"zero", Missing::kZero},
     {"mask", Missing::kMask},
     {"drop", Missing::kDrop}}};

std::string NameOfMissing(Missing missing) {
  for (const auto& [name, value] : kMissing) {
    if (value == missing) return std::string(name);
  }
  return "";
}

std::vector<std::string> NamesOf(absl::Span<const int> features, const data::SeriesSet& set) {
  std::vector<std::string> names;
  for (const int feature : features) names.push_back(set.features[static_cast<size_t>(feature)]);
  return names;
}

}  // namespace

std::string MissingNames() {
  return absl::StrJoin(kMissing, ", ",
                       [](std::string* out, const auto& row) { absl::StrAppend(out, row.first); });
}

absl::StatusOr<Missing> MissingByName(absl::string_view name) {
  for (const auto& [known, value] : kMissing) {
    if (known == name) return value;
  }
  return InvalidArgument("expected one of ", MissingNames(), ", got '", name, "'");
}

SeriesPreprocessing RecordSeries(const SeriesTask& task, const data::SeriesSet& set,
                                 const SeriesRecordOptions& options) {
  const data::SeriesSourceOptions& source = options.source;
  SeriesPreprocessing record;
  record.task = FactsOf(task.kind).name;
  record.features = set.features;
  record.targets = task.kind == SeriesTaskKind::kForecast
                       ? NamesOf(ForecastTargets(task, set.num_features()), set)
                       : set.target_names;
  record.known_future = NamesOf(task.known_future, set);
  record.series_column = source.series;
  record.order_column = source.order;
  record.time_column = source.time;
  record.label_column = source.label;
  record.group_column = source.group;
  record.weight_column = source.weight;
  record.time_format = source.time_format;
  record.missing = NameOfMissing(source.missing);
  record.scale = NameOf(options.scale);
  record.loss = options.loss.empty() ? DefaultLoss(task) : options.loss;
  record.split = SplitToText(options.split);
  record.window = task.window;
  record.horizon = task.horizon;
  record.stride = task.stride;
  record.max_steps = options.max_steps;
  record.season = task.season;
  record.many_labels = task.many_labels;
  record.per_step = task.per_step;
  record.quantiles = task.quantiles;
  return record;
}

absl::StatusOr<data::SeriesSourceOptions> SourceOf(const Model& model) {
  const SeriesPreprocessing& record = model.series;
  if (record.task.empty()) {
    return FailedPrecondition(
        "the model takes no series of numbers; `seqgraph run` runs it on "
        "arrays, and `seqgraph inspect` shows what it takes");
  }
  data::SeriesSourceOptions source;
  source.series = record.series_column;
  source.order = record.order_column;
  source.time = record.time_column;
  source.label = record.label_column;
  source.group = record.group_column;
  source.weight = record.weight_column;
  source.time_format = record.time_format;
  source.columns = record.features;
  SEQ_ASSIGN_OR_RETURN(const SeriesTaskKind kind, SeriesTaskByName(record.task));
  const SeriesLabels labels = FactsOf(kind).labels;
  const bool tells_own = labels == SeriesLabels::kNextSteps || labels == SeriesLabels::kSameSteps;
  if (!tells_own) source.targets = record.targets;
  source.per_step = record.per_step || labels == SeriesLabels::kStepClasses;
  source.class_names = model.labels;
  SEQ_ASSIGN_OR_RETURN(source.missing,
                       MissingByName(record.missing.empty() ? "refuse" : record.missing));
  return source;
}

absl::StatusOr<SeriesTask> TaskOf(const SeriesPreprocessing& record, const data::SeriesSet& set) {
  SeriesTask task;
  SEQ_ASSIGN_OR_RETURN(task.kind, SeriesTaskByName(record.task));
  task.window = record.window;
  task.horizon = record.horizon;
  task.stride = record.stride;
  task.season = static_cast<int>(record.season);
  task.many_labels = record.many_labels;
  task.per_step = record.per_step;
  task.quantiles = record.quantiles;
  if (task.kind == SeriesTaskKind::kForecast) {
    SEQ_ASSIGN_OR_RETURN(task.targets, FeaturesByName(set, record.targets));
    SEQ_ASSIGN_OR_RETURN(task.known_future, FeaturesByName(set, record.known_future));
  }
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task));
  return task;
}

}  // namespace seqgraph
