#include "tools/series_stream.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "data/series/decimal.h"
#include "tools/series_answers.h"
#include "training/series/series_record.h"

namespace seqgraph::tools {
namespace {

using Missing = data::SeriesSourceOptions::Missing;

// What stands between fields of the line: the first of these that it has, else any white space.
std::vector<absl::string_view> FieldsOf(absl::string_view line) {
  std::vector<absl::string_view> fields;
  for (const char separator : {'\t', ';', ','}) {
    if (line.find(separator) == absl::string_view::npos) continue;
    fields = absl::StrSplit(line, separator);
    break;
  }
  if (fields.empty()) fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  for (absl::string_view& field : fields) field = absl::StripAsciiWhitespace(field);
  return fields;
}

}  // namespace

absl::StatusOr<SeriesStream> SeriesStream::Create(ModelRunner* runner, int64_t roll,
                                                  const std::atomic<bool>* interrupt) {
  const Model& model = runner->model();
  SEQ_ASSIGN_OR_RETURN(const data::SeriesSourceOptions source, SourceOf(model));
  if (!model.series.known_future.empty()) {
    return InvalidArgument("the model is told from columns that are known of the future (",
                           absl::StrJoin(model.series.known_future, ", "),
                           "); name a file of them by --data");
  }
  SeriesStream stream;
  stream.runner_ = runner;
  stream.roll_ = roll;
  stream.interrupt_ = interrupt;
  stream.missing_ = source.missing;
  stream.fields_ = model.series.features.size();
  stream.places_.resize(stream.fields_);
  std::iota(stream.places_.begin(), stream.places_.end(), size_t{0});
  return stream;
}

size_t SeriesStream::features() const { return places_.size(); }

int64_t SeriesStream::steps() const {
  return static_cast<int64_t>(values_.size() / std::max<size_t>(features(), 1));
}

// Whether the fields are the names of all features, among others.
bool SeriesStream::TakeNames(const std::vector<absl::string_view>& fields) {
  std::vector<size_t> places;
  for (const std::string& feature : runner_->model().series.features) {
    const auto found = std::find(fields.begin(), fields.end(), feature);
    if (found == fields.end()) return false;
    places.push_back(static_cast<size_t>(found - fields.begin()));
  }
  places_ = std::move(places);
  fields_ = fields.size();
  return true;
}

// False: the step is left out.
absl::StatusOr<bool> SeriesStream::TakeStep(const std::vector<absl::string_view>& fields) {
  const std::vector<std::string>& names = runner_->model().series.features;
  if (fields.size() != fields_) {
    return InvalidArgument("expected ", fields_, " numbers, found ", fields.size(),
                           " fields; the model takes ", absl::StrJoin(names, ", "));
  }
  std::vector<float> step;
  for (size_t k = 0; k < places_.size(); ++k) {
    const absl::string_view field = fields[places_[k]];
    float value = 0;
    const data::NumberText kind = data::ReadNumber(field, &value);
    if (kind == data::NumberText::kMissing) {
      value = 0;
      const bool has_last = !values_.empty();
      if (missing_ == Missing::kDrop) return false;
      if (missing_ == Missing::kMask) {
        value = std::numeric_limits<float>::quiet_NaN();
      } else if (missing_ == Missing::kForward && has_last) {
        value = values_[values_.size() - places_.size() + k];
      } else if (missing_ != Missing::kZero) {
        return InvalidArgument(
            "a value of ", names[k],
            " is missing: give one, or train with --missing=mask, which takes such steps");
      }
    } else if (kind != data::NumberText::kNumber) {
      return InvalidArgument("expected a finite number for ", names[k], ", got '", field, "'");
    }
    step.push_back(value);
  }
  values_.insert(values_.end(), step.begin(), step.end());
  return true;
}

absl::StatusOr<std::string> SeriesStream::Answer() {
  const SeriesPreprocessing& record = runner_->model().series;
  SeriesData data;
  data.set.features = record.features;
  data.set.target_names = record.targets;
  data.set.values = values_;
  data.set.begin = {0, steps()};
  data.set.names = {absl::StrCat(series_)};
  data.set.files = {"standard input"};
  SEQ_ASSIGN_OR_RETURN(data.task, TaskOf(record, data.set));
  SEQ_ASSIGN_OR_RETURN(const std::vector<RowRange> rows, RowsToPredict(data.set, data.task));
  SEQ_ASSIGN_OR_RETURN(
      std::string table,
      AnswerSeries(*runner_, data, rows, {.batch = 1, .roll = roll_, .interrupt = interrupt_}));
  if (any_answer_) table.erase(0, table.find('\n') + 1);
  any_answer_ = true;
  return table;
}

absl::StatusOr<std::string> SeriesStream::Add(absl::string_view line) {
  const SeriesPreprocessing& record = runner_->model().series;
  const bool forecasts = record.horizon > 0;
  std::string answer;
  if (absl::StripAsciiWhitespace(line).empty()) {
    if (values_.empty()) return answer;
    if (!forecasts) {
      SEQ_ASSIGN_OR_RETURN(answer, Answer());
    }
    values_.clear();
    ++series_;
    return answer;
  }
  const std::vector<absl::string_view> fields = FieldsOf(line);
  const bool first = !std::exchange(any_line_, true);
  if (first && TakeNames(fields)) return answer;
  SEQ_ASSIGN_OR_RETURN(const bool taken, TakeStep(fields));
  if (!taken) return answer;
  const int64_t longest = record.window > 0 ? record.window : record.max_steps;
  if (forecasts) {
    if (steps() > longest) {
      values_.erase(values_.begin(), values_.begin() + static_cast<ptrdiff_t>(features()));
    }
    if (steps() == longest) {
      SEQ_ASSIGN_OR_RETURN(answer, Answer());
    }
  } else if (record.window > 0 && steps() == longest) {
    SEQ_ASSIGN_OR_RETURN(answer, Answer());
    values_.clear();
  } else if (steps() > longest) {
    return InvalidArgument("the model takes series of at most ", longest,
                           " steps; an empty line ends a series");
  }
  return answer;
}

}  // namespace seqgraph::tools
