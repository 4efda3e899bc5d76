#include "tools/series_training.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/series/series_file.h"
#include "layers/normalization.h"
#include "tools/training_text.h"
#include "training/series/row_labels.h"
#include "training/series/series_record.h"
#include "training/summary.h"

namespace seqgraph::tools {
namespace {

bool AnyShorter(absl::Span<const RowRange> rows, int64_t steps) {
  return std::any_of(rows.begin(), rows.end(), [&](const RowRange& r) { return r.steps < steps; });
}

bool AnyMissing(const data::SeriesSet& set) {
  return std::any_of(set.values.begin(), set.values.end(), [](float x) { return std::isnan(x); });
}

// What scales: the loss is that of scaled numbers.
std::vector<LayerKind> ScalingOf(const Model& model) {
  std::vector<LayerKind> scaling;
  if (!model.layers.has_value()) return scaling;
  for (const Layer& layer : model.layers->layers) {
    if (layer.kind.class_name == NormalizationLayer::kClass) scaling.push_back(layer.kind);
  }
  return scaling;
}

}  // namespace

absl::Status SeriesTraining::Read(const Model* resumed) {
  if (resumed == nullptr) {
    SEQ_ASSIGN_OR_RETURN(source_, flags_.Source(data_));
    SEQ_RETURN_IF_ERROR(data::CompleteFromSeriesFile(data_.data, &source_));
  } else {
    SEQ_ASSIGN_OR_RETURN(source_, SourceOf(*resumed));
    source_.separator = SeparatorOf(data_);
    source_.skip_bad_rows = data_.skip_bad_rows;
  }
  if (max_memory_ > 0) source_.max_memory = max_memory_;
  SEQ_ASSIGN_OR_RETURN(read_.set, data::ReadSeries(data_.data, source_));
  if (resumed == nullptr) {
    SEQ_ASSIGN_OR_RETURN(read_.task, flags_.Task(read_.set));
  } else {
    SEQ_ASSIGN_OR_RETURN(read_.task, TaskOf(resumed->series, read_.set));
  }
  return CheckSeriesTask(read_.task, read_.set, SeriesUse::kTrain);
}

// In the columns and with the classes of the series that are trained on.
absl::Status SeriesTraining::ReadValidation(SeriesSplit& split) {
  Model like;
  like.series = record_;
  like.labels = read_.set.class_names;
  SEQ_ASSIGN_OR_RETURN(apart_, ReadSeriesFor(like, flags_.validation_data, data_));
  SEQ_ASSIGN_OR_RETURN(split.validation, AllRows(apart_->set, apart_->task, source_.max_memory));
  return absl::OkStatus();
}

absl::Status SeriesTraining::Load(const Model* resumed, const std::string& path) {
  const absl::Status read = Read(resumed);
  SEQ_RETURN_IF_ERROR(resumed == nullptr ? read : Annotate(read, path));
  SplitOptions split = flags_.Split(task(), data_, seed_);
  if (resumed != nullptr) {
    SEQ_ASSIGN_OR_RETURN(split, SplitFromText(resumed->series.split));
    record_ = resumed->series;
  } else {
    record_ = RecordSeries(task(), read_.set,
                           {.source = source_,
                            .split = split,
                            .scale = *ScaleKindByName(flags_.scale),
                            .loss = flags_.loss});
  }
  if (!task().known_future.empty()) read_.set = WithKnownFuture(read_.set, read_.task);
  split.max_memory = source_.max_memory;
  if (resumed == nullptr) {
    SEQ_ASSIGN_OR_RETURN(SeriesSplit parts, SplitSeries(read_.set, task(), split));
    if (!flags_.validation_data.empty()) SEQ_RETURN_IF_ERROR(ReadValidation(parts));
    return Use(std::move(parts));
  }
  SEQ_ASSIGN_OR_RETURN(split_, SplitSeries(read_.set, task(), split));
  if (!flags_.validation_data.empty()) SEQ_RETURN_IF_ERROR(ReadValidation(split_));
  // It may know no shorter rows.
  SEQ_RETURN_IF_ERROR(ExamplesFor(*resumed, read_, split_.train, /*labels=*/true).status());
  return MakeExamples();
}

absl::StatusOr<std::vector<SeriesSplit>> SeriesTraining::Folds(int folds) const {
  SplitOptions split = flags_.Split(task(), data_, seed_);
  split.max_memory = source_.max_memory;
  return FoldSeries(read_.set, task(), folds, split);
}

absl::Status SeriesTraining::Use(SeriesSplit split) {
  split_ = std::move(split);
  record_.max_steps =
      std::max({LongestOf(split_.train), LongestOf(split_.validation), LongestOf(split_.test)});
  const ScaleKind scale = *ScaleKindByName(flags_.scale);
  features_ = targets_ = {};
  if (scale != ScaleKind::kNone) {
    SEQ_ASSIGN_OR_RETURN(features_, FitScale(read_.set, split_.train, task(), scale));
    const SeriesLabels labels = FactsOf(task().kind).labels;
    if (labels == SeriesLabels::kTargets || labels == SeriesLabels::kNextSteps) {
      SEQ_ASSIGN_OR_RETURN(targets_, FitTargetScale(read_.set, split_.train, task(), scale));
    }
  }
  return MakeExamples();
}

absl::Status SeriesTraining::MakeExamples() {
  const int64_t steps = record_.max_steps;
  masking_ = AnyShorter(split_.train, steps) || AnyShorter(split_.validation, steps) ||
             AnyShorter(split_.test, steps) || AnyMissing(read_.set) ||
             (apart_.has_value() && AnyMissing(apart_->set));
  const SeriesExamplesOptions options{.max_steps = steps};
  SEQ_ASSIGN_OR_RETURN(train_, SeriesExamples::Create(read_.set, split_.train, task(), options));
  validation_.reset();
  if (!split_.validation.empty()) {
    SEQ_ASSIGN_OR_RETURN(validation_,
                         SeriesExamples::Create(judged(), split_.validation, task(), options));
  }
  test_.reset();
  if (flags_.folds > 0 && !split_.test.empty()) {  // Nobody else judges by them here.
    SEQ_ASSIGN_OR_RETURN(test_, SeriesExamples::Create(read_.set, split_.test, task(), options));
  }
  return absl::OkStatus();
}

std::string SeriesTraining::Lines() const {
  std::string lines = SeriesLines(read_.set);
  if (apart_.has_value()) absl::StrAppend(&lines, SeriesLines(apart_->set));
  const std::vector<std::string>& classes = labels();
  constexpr size_t kListed = 8;
  absl::StrAppend(&lines, "Task: ", FactsOf(task().kind).name, ": ",
                  WithThousands(static_cast<int64_t>(split_.train.size())), " ", noun(),
                  " to train on, ", WithThousands(static_cast<int64_t>(split_.validation.size())),
                  " to validate on");
  if (!split_.test.empty()) {
    absl::StrAppend(&lines, ", ", WithThousands(static_cast<int64_t>(split_.test.size())),
                    " kept for a test");
  }
  if (!classes.empty()) {
    absl::StrAppend(
        &lines, "; ", classes.size(), " classes",
        classes.size() <= kListed ? absl::StrCat(": ", absl::StrJoin(classes, ", ")) : "");
  }
  return lines + "\n";
}

absl::StatusOr<Model> SeriesTraining::MakeModel(TrainableOptions trainable) const {
  trainable.sample_weight = trainable.sample_weight || !read_.set.weights.empty();
  SEQ_ASSIGN_OR_RETURN(Model model, MakeSeriesModel({.task = task(),
                                                     .features = read_.set.num_features(),
                                                     .steps = record_.max_steps,
                                                     .masking = masking_,
                                                     .outputs = NumbersPerLabel(read_.set, task()),
                                                     .input = features_,
                                                     .target = targets_,
                                                     .layers = model_.Layers(),
                                                     .loss = flags_.loss},
                                                    std::move(trainable)));
  model.series = record_;
  model.labels = task().many_labels ? read_.set.target_names : labels();
  return model;
}

std::string SeriesTraining::ModelDescription() const {
  return absl::StrCat("Model of series (", record_.task, ", ", model_.LayersDescription(), ")");
}

// Guessing all C classes alike has a cross-entropy of ln C, and each of many labels of ln 2.
std::optional<double> SeriesTraining::guessing() const {
  if (record_.loss != DefaultLoss(task())) return std::nullopt;
  if (task().many_labels) return std::log(2.0);
  if (!HasClasses(task())) return std::nullopt;
  return std::log(static_cast<double>(labels().size()));
}

absl::Status SeriesTraining::CheckComparable(const Model& earlier, const Model& ours) const {
  if (earlier.series.task.empty()) return InvalidArgument("it takes no series of numbers");
  if (earlier.series.task != ours.series.task) {
    return InvalidArgument("its task is ", earlier.series.task);
  }
  if (earlier.labels != ours.labels) {
    return InvalidArgument("its classes are ", absl::StrJoin(earlier.labels, ", "));
  }
  if (earlier.series != ours.series) {
    return InvalidArgument("it takes other columns or rows, or was trained on another split or ",
                           "loss");
  }
  if (ScalingOf(earlier) != ScalingOf(ours)) {
    return InvalidArgument("it scales numbers otherwise: it was trained on other series");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SeriesTraining::BaselineLines(const Logs& best) const {
  const std::vector<Metric> metrics = DefaultMetrics();
  SEQ_ASSIGN_OR_RETURN(
      const std::vector<BaselineResult> baselines,
      BaselinesOf(read_.set, split_.train, judged(), split_.validation, task(), metrics));
  return ComparisonText("best epoch, on the validation", best, "val_", baselines, metrics);
}

absl::StatusOr<std::vector<BaselineResult>> SeriesTraining::TestBaselines() const {
  return BaselinesOf(read_.set, split_.train, read_.set, split_.test, task(), DefaultMetrics());
}

std::string SeriesTraining::ExampleUse(const std::string& model) const {
  const bool judges = !split_.test.empty();
  return absl::StrCat(judges ? "evaluate " : "predict ", Quoted(model),
                      " --data=", Quoted(data_.data), judges ? " --part=test" : "");
}

}  // namespace seqgraph::tools
