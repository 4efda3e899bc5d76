#include "data/series/row_collector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

template <typename T>
void AppendTo(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

template <typename T>
void PermuteVector(const std::vector<int64_t>& order, std::vector<T>& elements) {
  if (elements.empty()) return;
  const size_t width = elements.size() / order.size();
  std::vector<T> sorted;
  sorted.reserve(elements.size());
  for (int64_t step : order) {
    const auto from = elements.begin() + step * static_cast<int64_t>(width);
    sorted.insert(sorted.end(), from, from + static_cast<ptrdiff_t>(width));
  }
  elements = std::move(sorted);
}

// A number of the block's words here, found when first needed.
int32_t& NumberOf(std::vector<int32_t>& numbers, int32_t word) {
  if (numbers.size() <= static_cast<size_t>(word))
    numbers.resize(static_cast<size_t>(word) + 1, -1);
  return numbers[static_cast<size_t>(word)];
}

}  // namespace

RowCollector::RowCollector(const SeriesSourceOptions& options)
    : options_(options), values_(std::min(kMostInMemory, options.max_memory / 4)) {}

void RowCollector::BeginFile(const TableColumns& columns, const std::string& series,
                             const std::string& label) {
  files_.push_back(columns.path);
  if (files_.size() == 1) {
    features_ = columns.features;
    targets_ = columns.targets;
    key_ = columns.key;
    time_ = columns.time;
    any_label_ = columns.has_label || !label.empty();
    any_group_ = columns.has_group;
    any_weight_ = columns.has_weight;
    named_ = columns.has_series || !series.empty();
  }
  AppendTo(notes_, columns.notes);
  file_label_ = label;
  file_series_ = columns.has_series ? -1 : NewSeries(series);
}

int32_t RowCollector::NewSeries(absl::string_view name) {
  series_.push_back({.name = std::string(name)});
  return static_cast<int32_t>(series_.size() - 1);
}

int32_t RowCollector::SeriesOf(const TableRows& rows, size_t row, WordNumbers& words) {
  if (file_series_ >= 0) return file_series_;
  const int32_t word = rows.series[row];
  int32_t& number = NumberOf(words.series, word);
  if (number < 0) {
    const std::string& name = rows.series_words.names()[static_cast<size_t>(word)];
    const int32_t known = series_words_.Number(name);
    if (static_cast<size_t>(known) == series_of_word_.size()) {
      series_of_word_.push_back(NewSeries(name));
    }
    number = series_of_word_[static_cast<size_t>(known)];
  }
  return number;
}

absl::StatusOr<int32_t> RowCollector::LabelOf(const TableRows& rows, size_t row, int64_t line,
                                              WordNumbers& words) {
  if (rows.labels.empty() && file_label_.empty()) return -1;
  const int32_t word = rows.labels.empty() ? 0 : rows.labels[row];
  if (word < 0) return -1;
  int32_t& number = NumberOf(words.labels, word);
  if (number >= 0) return number;
  const std::string& name =
      rows.labels.empty() ? file_label_ : rows.label_words.names()[static_cast<size_t>(word)];
  SEQ_ASSIGN_OR_RETURN(number, Annotate(classes_.Number(name, "line ", absl::StrCat(line)),
                                        absl::StrCat("'", files_.back(), "'")));
  return number;
}

// How a row differs from its series' first one in what belongs to the series; empty: it does not.
std::string RowCollector::ConflictIn(const Series& series, const TableRows& rows, size_t row,
                                     int32_t label, int32_t group) const {
  const auto differs = [&](absl::string_view what) {
    const bool elsewhere = series.file + 1 != static_cast<int32_t>(files_.size());
    const std::string& file = files_[static_cast<size_t>(series.file)];
    return absl::StrCat("another ", what, " than on line ", series.line,
                        elsewhere ? absl::StrCat(" of '", file, "'") : "", " of the same series",
                        named_ ? absl::StrCat(" (", Shown(series.name), ")") : "",
                        named_ ? "" : "; which column tells series apart (--series)?");
  };
  if (group != series.group) return differs("group");
  if (options_.per_step) return "";
  if (label != series.label) return differs("label");
  if (!rows.weights.empty() && rows.weights[row] != series.weight) return differs("weight");
  const size_t width = targets_.size(), index = static_cast<size_t>(&series - series_.data());
  for (size_t k = 0; k < width; ++k) {
    if (rows.targets[row * width + k] != series_targets_[index * width + k]) {
      return differs("target");
    }
  }
  return "";
}

// Takes a row into its series. What is wrong with it, if anything is.
absl::StatusOr<std::string> RowCollector::AddRow(const TableRows& rows, int64_t index, int64_t line,
                                                 WordNumbers& words) {
  const size_t row = static_cast<size_t>(index), width = targets_.size();
  const int32_t number = SeriesOf(rows, row, words);
  SEQ_ASSIGN_OR_RETURN(const int32_t label, LabelOf(rows, row, line, words));
  int32_t group = -1;
  if (!rows.groups.empty()) {
    int32_t& known = NumberOf(words.groups, rows.groups[row]);
    if (known < 0) {
      known = group_words_.Number(rows.group_words.names()[static_cast<size_t>(rows.groups[row])]);
    }
    group = known;
  }
  Series& series = series_[static_cast<size_t>(number)];
  if (series.steps == 0) {
    series.line = line;
    series.file = static_cast<int32_t>(files_.size() - 1);
    series.label = label;
    series.group = group;
    if (!rows.weights.empty()) series.weight = rows.weights[row];
    if (!options_.per_step) {
      series_targets_.resize(series_.size() * width);
      std::copy_n(
          rows.targets.begin() + static_cast<ptrdiff_t>(row * width), width,
          series_targets_.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(number) * width));
    }
  } else if (std::string conflict = ConflictIn(series, rows, row, label, group);
             !conflict.empty()) {
    return conflict;
  }
  if (runs_.empty() || runs_.back().series != number) runs_.push_back({number, steps_});
  if (options_.per_step && any_label_) step_labels_.push_back(label);
  ++series.steps;
  ++steps_;
  return "";
}

absl::Status RowCollector::AppendArrays(const TableRows& rows) {
  SEQ_RETURN_IF_ERROR(values_.Append(rows.features));
  AppendTo(keys_, rows.keys);
  AppendTo(times_, rows.times);
  if (options_.per_step) {
    AppendTo(step_targets_, rows.targets);
    AppendTo(step_weights_, rows.weights);
  }
  const int64_t before = steps_ - rows.rows;
  for (SeriesSet::Lines run : rows.lines) {
    run.step += before;
    run.file = static_cast<int32_t>(files_.size() - 1);
    const bool follows = !lines_.empty() && lines_.back().file == run.file &&
                         lines_.back().line + run.step - lines_.back().step == run.line;
    if (!follows) lines_.push_back(run);
  }
  return absl::OkStatus();
}

absl::Status RowCollector::CheckMemory(const TableRows& rows) const {
  const int64_t bytes =
      values_.bytes_in_memory() +
      static_cast<int64_t>((keys_.size() + times_.size()) * sizeof(double) +
                           (step_targets_.size() + step_weights_.size() + series_targets_.size() +
                            step_labels_.size()) *
                               sizeof(float) +
                           runs_.size() * sizeof(Run) + lines_.size() * sizeof(lines_[0]) +
                           series_.size() * 2 * (sizeof(Series) + 32));
  if (bytes <= options_.max_memory) return absl::OkStatus();
  const int64_t line =
      rows.lines.empty() ? 0 : rows.lines.back().line + rows.rows - 1 - rows.lines.back().step;
  return ResourceExhausted("'", files_.back(), "': times, names and answers take more than ",
                           options_.max_memory, " bytes at line ", line,
                           "; allow more (--max_memory) or give fewer rows");
}

// Whether all of a block's rows are of one series, with nothing to compare.
bool RowCollector::BelongTogether(const TableRows& rows) const {
  return file_series_ >= 0 && rows.labels.empty() && file_label_.empty() && rows.groups.empty() &&
         (options_.per_step || (rows.targets.empty() && rows.weights.empty()));
}

void RowCollector::AddAll(const TableRows& rows) {
  if (rows.rows == 0) return;
  if (runs_.empty() || runs_.back().series != file_series_) runs_.push_back({file_series_, steps_});
  series_[static_cast<size_t>(file_series_)].steps += rows.rows;
  steps_ += rows.rows;
}

absl::Status RowCollector::AddEach(TableRows& rows) {
  WordNumbers words;
  std::vector<bool> keep(static_cast<size_t>(rows.rows), true);
  bool all = true;
  size_t run = 0;
  for (int64_t i = 0; i < rows.rows; ++i) {
    if (run + 1 < rows.lines.size() && rows.lines[run + 1].step == i) ++run;
    const int64_t line = rows.lines[run].line + i - rows.lines[run].step;
    SEQ_ASSIGN_OR_RETURN(const std::string problem, AddRow(rows, i, line, words));
    if (problem.empty()) continue;
    problems_.Add(absl::StrCat("'", files_.back(), "', line ", line, ": ", problem));
    keep[static_cast<size_t>(i)] = all = false;
  }
  if (!all) rows.Keep(keep);
  return absl::OkStatus();
}

absl::Status RowCollector::Add(TableRows rows) {
  problems_.Add(rows.problems);
  missing_ += rows.missing;
  if (BelongTogether(rows)) {
    AddAll(rows);
  } else {
    SEQ_RETURN_IF_ERROR(AddEach(rows));
  }
  SEQ_RETURN_IF_ERROR(AppendArrays(rows));
  return CheckMemory(rows);
}

// The steps in the order of series, and in each series of keys; none if they are so already.
// Notes how many were not.
std::vector<int64_t> RowCollector::SortedSteps(const std::vector<int64_t>& begin) {
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  bool together = runs_.size() <= series_.size();
  for (const Run& run : runs_) {
    together = together && next[static_cast<size_t>(run.series)] == run.begin;
  }
  const auto key = [this](int64_t step) { return keys_[static_cast<size_t>(step)]; };
  bool sorted = together;
  for (size_t i = 0; i + 1 < begin.size() && sorted && !keys_.empty(); ++i) {
    for (int64_t at = begin[i] + 1; at < begin[i + 1]; ++at) sorted &= !(key(at) < key(at - 1));
  }
  if (sorted) return {};
  std::vector<int64_t> order(static_cast<size_t>(steps_));
  for (size_t r = 0; r < runs_.size(); ++r) {
    const int64_t end = r + 1 < runs_.size() ? runs_[r + 1].begin : steps_;
    int64_t& to = next[static_cast<size_t>(runs_[r].series)];
    for (int64_t step = runs_[r].begin; step < end; ++step) order[static_cast<size_t>(to++)] = step;
  }
  if (keys_.empty()) return order;
  int64_t disordered = 0;
  for (size_t i = 0; i + 1 < begin.size(); ++i) {
    const auto first = order.begin() + begin[i], last = order.begin() + begin[i + 1];
    int64_t here = 0;
    for (auto at = first; at != last && at + 1 != last; ++at) here += key(at[1]) < key(at[0]);
    if (here > 0) {
      std::stable_sort(first, last, [&](int64_t a, int64_t b) { return key(a) < key(b); });
    }
    disordered += here;
  }
  if (disordered > 0) {
    notes_.push_back(absl::StrCat("rows were not in order ", disordered,
                                  disordered == 1 ? " time" : " times", "; they are sorted"));
  }
  return order;
}

absl::Status RowCollector::Permute(const std::vector<int64_t>& order, StoredFloats* values) {
  const size_t width = features_.size();
  for (int64_t step : order) {
    SEQ_RETURN_IF_ERROR(values_.Append(
        absl::MakeConstSpan(values->data + static_cast<size_t>(step) * width, width)));
  }
  SEQ_ASSIGN_OR_RETURN(*values, values_.Finish());
  PermuteVector(order, keys_);
  PermuteVector(order, times_);
  PermuteVector(order, step_labels_);
  PermuteVector(order, step_targets_);
  PermuteVector(order, step_weights_);
  std::vector<SeriesSet::Lines> sorted;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto next =
        std::upper_bound(lines_.begin(), lines_.end(), order[i],
                         [](int64_t a, const SeriesSet::Lines& b) { return a < b.step; });
    const SeriesSet::Lines& from = *(next - 1);
    const int64_t step = static_cast<int64_t>(i), line = from.line + order[i] - from.step;
    if (sorted.empty() || sorted.back().file != from.file ||
        sorted.back().line + step - sorted.back().step != line) {
      sorted.push_back({.step = step, .line = line, .file = from.file});
    }
  }
  lines_ = std::move(sorted);
  return absl::OkStatus();
}

// Of steps with the same key in a series the first stays.
void RowCollector::DropRepeated(SeriesDraft& draft) const {
  const SeriesSet& set = draft.set;
  const std::vector<double>& keys = keys_.empty() ? set.times : keys_;
  if (keys.empty()) return;
  std::vector<bool> drop(keys.size());
  bool any = false;
  for (int64_t i = 0; i < set.num_series(); ++i) {
    for (int64_t step = 1; step < set.length(i); ++step) {
      const size_t at = static_cast<size_t>(set.begin[static_cast<size_t>(i)] + step);
      if (keys[at] != keys[at - 1]) continue;
      drop[at] = any = true;
      draft.problems.Add(absl::StrCat(
          set.RowName(i, step), ": the same place in the order as ", set.RowName(i, step - 1), ", ",
          TimeText(keys[at], key_->are_dates()),
          named_ ? absl::StrCat(", in series ", Shown(series_[static_cast<size_t>(i)].name))
                 : "; which column tells series apart (--series)?"));
    }
  }
  if (any) draft.Drop(drop, /*leaves_gaps=*/false);
}

absl::Status RowCollector::SetClasses(SeriesSet& set, const std::string& name) const {
  if (!any_label_) return absl::OkStatus();
  std::vector<int> numbers(step_labels_.begin(), step_labels_.end());
  if (!options_.per_step) {
    for (const Series& series : series_) numbers.push_back(series.label);
  }
  std::vector<int> seen;
  std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(seen),
               [](int number) { return number >= 0; });
  set.class_names =
      options_.class_names.empty() ? classes_.SortedNames(seen) : options_.class_names;
  SEQ_ASSIGN_OR_RETURN(const std::vector<int> indices, classes_.IndicesIn(set.class_names, name));
  // -1 belongs to steps that go.
  for (int number : numbers) {
    set.classes.push_back(number < 0 ? 0 : indices[static_cast<size_t>(number)]);
  }
  return absl::OkStatus();
}

absl::StatusOr<SeriesSet> RowCollector::Finish(const std::string& name) {
  if (!options_.skip_bad_rows) SEQ_RETURN_IF_ERROR(problems_.status());
  // Files without rows give series without steps.
  SeriesDraft draft{.complete = missing_ == 0, .problems = std::move(problems_)};
  SeriesSet& set = draft.set;
  for (const Series& series : series_) set.begin.push_back(set.begin.back() + series.steps);
  SEQ_ASSIGN_OR_RETURN(StoredFloats values, values_.Finish());
  const std::vector<int64_t> order = SortedSteps(set.begin);
  if (!order.empty()) SEQ_RETURN_IF_ERROR(Permute(order, &values));
  draft.SetValues(values);
  SEQ_RETURN_IF_ERROR(SetClasses(set, name));
  set.features = features_;
  set.target_names = targets_;
  set.per_step = options_.per_step;
  series_targets_.resize(options_.per_step ? 0 : series_.size() * targets_.size());
  set.targets = options_.per_step ? std::move(step_targets_) : std::move(series_targets_);
  set.weights_per_step = options_.per_step && any_weight_;
  set.weights = std::move(step_weights_);
  for (const Series& series : series_) {
    if (named_) set.names.push_back(series.name);
    if (any_group_) {
      set.groups.push_back(
          series.group < 0 ? "" : group_words_.names()[static_cast<size_t>(series.group)]);
    }
    if (any_weight_ && !options_.per_step) set.weights.push_back(series.weight);
  }
  set.times = std::move(times_.empty() ? keys_ : times_);
  set.times_are_dates = key_ && (time_ ? *time_ : *key_).are_dates();
  set.files = files_;
  set.lines = std::move(lines_);
  set.notes = notes_;
  DropRepeated(draft);
  return FinishSeries(std::move(draft), name, options_);
}

}  // namespace seqgraph::data
