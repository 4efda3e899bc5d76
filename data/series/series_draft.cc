#include "data/series/series_draft.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/class_table.h"
#include "data/series/time_text.h"

namespace seqgraph::data {
namespace {

using Missing = SeriesSourceOptions::Missing;

// Keeps the groups of `width` elements whose step (or series) is kept.
template <typename T>
void Compact(const std::vector<bool>& drop, size_t width, T* elements) {
  T* out = elements;
  for (size_t i = 0; i < drop.size(); ++i) {
    if (drop[i]) continue;
    if (out != elements + i * width) std::copy_n(elements + i * width, width, out);
    out += width;
  }
}

template <typename T>
void Compact(const std::vector<bool>& drop, std::vector<T>& elements) {
  if (elements.empty()) return;
  const size_t width = elements.size() / drop.size();
  size_t kept = 0;
  for (bool dropped : drop) kept += !dropped;
  T* const first = elements.data();
  Compact(drop, width, first);
  elements.resize(kept * width);
}

// The lines of the steps that are kept.
std::vector<SeriesSet::Lines> CompactLines(const std::vector<bool>& drop,
                                           const std::vector<SeriesSet::Lines>& lines) {
  std::vector<SeriesSet::Lines> kept;
  int64_t step = 0;
  size_t run = 0;
  for (size_t i = 0; i < drop.size() && !lines.empty(); ++i) {
    if (run + 1 < lines.size() && lines[run + 1].step == static_cast<int64_t>(i)) ++run;
    if (drop[i]) continue;
    const int64_t line = lines[run].line + static_cast<int64_t>(i) - lines[run].step;
    if (kept.empty() || kept.back().file != lines[run].file ||
        kept.back().line + step - kept.back().step != line) {
      kept.push_back({.step = step, .line = line, .file = lines[run].file});
    }
    ++step;
  }
  return kept;
}

// Treats the missing values of one series; `drop` is of all steps.
class MissingRule {
 public:
  MissingRule(SeriesDraft& draft, const SeriesSourceOptions& options)
      : draft_(draft), options_(options), drop_(static_cast<size_t>(draft.set.num_steps())) {}

  void Apply() {
    SeriesSet& set = draft_.set;
    for (int64_t i = 0; i < set.num_series(); ++i) {
      for (int64_t step = 0; step < set.length(i); ++step) ApplyToStep(i, step);
    }
    if (any_dropped_) draft_.Drop(drop_, /*leaves_gaps=*/true);
  }

 private:
  void ApplyToStep(int64_t series, int64_t step) {
    SeriesSet& set = draft_.set;
    const int64_t width = set.num_features();
    const int64_t at = set.begin[static_cast<size_t>(series)] + step;
    float* const row = draft_.values + at * width;
    if (!draft_.masked.empty() && draft_.masked[static_cast<size_t>(at)]) {
      if (options_.missing == Missing::kDrop) return Drop(at);
      std::fill_n(row, width, std::numeric_limits<float>::quiet_NaN());
      return;
    }
    for (int64_t f = 0; f < width; ++f) {
      if (std::isfinite(row[f])) continue;
      if (!std::isnan(row[f])) return Lose(series, step, f, "not finite");
      switch (options_.missing) {
        case Missing::kRefuse:
          return Lose(series, step, f,
                      "no value; a rule is needed for missing ones (--missing=forward, zero, mask "
                      "or drop)");
        case Missing::kForward:
          if (step == 0 || !std::isfinite(row[f - width])) {
            return Lose(series, step, f,
                        "no value, and none before it in its series to carry forward "
                        "(--missing=zero, mask or drop)");
          }
          row[f] = row[f - width];
          break;
        case Missing::kZero:
          row[f] = 0;
          break;
        case Missing::kMask:
          break;
        case Missing::kDrop:
          return Drop(at);
      }
    }
  }

  void Drop(int64_t step) {
    drop_[static_cast<size_t>(step)] = true;
    any_dropped_ = true;
  }

  void Lose(int64_t series, int64_t step, int64_t feature, absl::string_view why) {
    const SeriesSet& set = draft_.set;
    draft_.problems.Add(absl::StrCat(set.RowName(series, step), ", ",
                                     Shown(set.features[static_cast<size_t>(feature)]), ": ", why));
    Drop(set.begin[static_cast<size_t>(series)] + step);
  }

  SeriesDraft& draft_;
  const SeriesSourceOptions& options_;
  std::vector<bool> drop_;
  bool any_dropped_ = false;
};

// The usual step of time: the median, of a million of them if there are more. 0: there is none.
double UsualStep(const SeriesSet& set) {
  constexpr int64_t kMostSteps = 1'000'000;
  const size_t stride = static_cast<size_t>(set.num_steps() / kMostSteps + 1);
  std::vector<double> spans;
  size_t next = 0;
  for (int64_t i = 0; i < set.num_series(); ++i) {
    const size_t end = static_cast<size_t>(set.begin[static_cast<size_t>(i) + 1]);
    for (size_t k = static_cast<size_t>(set.begin[static_cast<size_t>(i)]) + 1; k < end; ++k) {
      if (next++ % stride == 0) spans.push_back(set.times[k] - set.times[k - 1]);
    }
  }
  if (spans.empty()) return 0;
  const auto middle = spans.begin() + static_cast<ptrdiff_t>(spans.size() / 2);
  std::nth_element(spans.begin(), middle, spans.end());
  return *middle;
}

// Notes steps of more than 1.5 times the usual one.
void FindGaps(SeriesSet& set) {
  if (set.times.empty()) return;
  const double usual = UsualStep(set);
  std::vector<int64_t> gaps;
  std::string first;
  int64_t backwards = 0;
  for (int64_t i = 0; i < set.num_series(); ++i) {
    for (int64_t step = 1; step < set.length(i); ++step) {
      const int64_t at = set.begin[static_cast<size_t>(i)] + step;
      const double* const time = set.times.data() + at;
      const double span = time[0] - time[-1];
      backwards += span <= 0;
      if (!(span > 1.5 * usual)) continue;
      gaps.push_back(at);
      if (first.empty()) {
        first = absl::StrCat("the first before ", set.RowName(i, step), " (",
                             TimeText(time[0], set.times_are_dates),
                             "): ", SpanText(span, set.times_are_dates), ", where ",
                             SpanText(usual, set.times_are_dates), " are usual");
      }
    }
  }
  if (backwards > 0) {
    set.notes.push_back(absl::StrCat("time does not go on from one step to the next ", backwards,
                                     backwards == 1 ? " time" : " times"));
  }
  if (gaps.empty()) return;
  set.notes.push_back(
      absl::StrCat("time has ", gaps.size(), gaps.size() == 1 ? " gap, " : " gaps, ", first));
  std::vector<int64_t> all;
  std::set_union(gaps.begin(), gaps.end(), set.gaps.begin(), set.gaps.end(),
                 std::back_inserter(all));
  set.gaps = std::move(all);
}

std::string Describe(const SeriesSet& set, const std::string& name) {
  const auto count = [](int64_t number, absl::string_view one, absl::string_view many) {
    return absl::StrCat(number, " ", number == 1 ? one : many);
  };
  const int64_t least = set.min_length(), most = set.max_length();
  return absl::StrCat(
      name, ": ", count(set.num_series(), "series", "series"), ", ",
      count(set.num_features(), "feature", "features"), ", ",
      least == most ? count(most, "step", "steps") : absl::StrCat(least, " to ", most, " steps"));
}

}  // namespace

void SeriesDraft::SetValues(const StoredFloats& stored) {
  values = stored.data;
  set.values = absl::MakeConstSpan(stored.data, static_cast<size_t>(stored.size));
  set.storage = stored.owner;
}

void SeriesDraft::Drop(const std::vector<bool>& drop, bool leaves_gaps) {
  const size_t width = static_cast<size_t>(set.num_features());
  std::vector<bool> empty(static_cast<size_t>(set.num_series()));
  std::vector<int64_t> begin = {0}, gaps;
  auto gap = set.gaps.begin();
  int64_t kept = 0;
  for (size_t i = 0; i < empty.size(); ++i) {
    bool after_gap = false;
    for (int64_t k = set.begin[i]; k < set.begin[i + 1]; ++k) {
      if (gap != set.gaps.end() && *gap == k) {
        after_gap = true;
        ++gap;
      }
      if (drop[static_cast<size_t>(k)]) {
        after_gap |= leaves_gaps;
        continue;
      }
      if (after_gap && kept > begin.back()) gaps.push_back(kept);
      after_gap = false;
      ++kept;
    }
    empty[i] = kept == begin.back();
    if (!empty[i]) begin.push_back(kept);
  }
  set.lines = CompactLines(drop, set.lines);
  Compact(drop, width, values);
  set.values = set.values.first(static_cast<size_t>(kept) * width);
  if (!masked.empty()) {
    std::vector<bool> kept_masks;
    for (size_t i = 0; i < drop.size(); ++i) {
      if (!drop[i]) kept_masks.push_back(masked[i]);
    }
    masked = std::move(kept_masks);
  }
  Compact(drop, set.times);
  set.per_step ? Compact(drop, set.classes) : Compact(empty, set.classes);
  set.per_step ? Compact(drop, set.targets) : Compact(empty, set.targets);
  set.weights_per_step ? Compact(drop, set.weights) : Compact(empty, set.weights);
  Compact(empty, set.names);
  Compact(empty, set.groups);
  set.begin = std::move(begin);
  set.gaps = std::move(gaps);
}

absl::StatusOr<SeriesSet> FinishSeries(SeriesDraft draft, const std::string& name,
                                       const SeriesSourceOptions& options) {
  SeriesSet& set = draft.set;
  const int64_t series = set.num_series();
  if (!draft.complete) MissingRule(draft, options).Apply();
  // Files without rows, arrays of which all is masked.
  if (set.num_steps() > 0 && set.min_length() == 0) {
    draft.Drop(std::vector<bool>(static_cast<size_t>(set.num_steps())), /*leaves_gaps=*/false);
  }
  if (!options.skip_bad_rows) SEQ_RETURN_IF_ERROR(draft.problems.status());
  if (set.num_steps() == 0) {
    return InvalidArgument("'", name, "' has no rows",
                           draft.problems.count() > 0 ? " without problems, such as " : "",
                           draft.problems.count() > 0 ? draft.problems.first() : "");
  }
  if (set.num_series() < series) {
    set.notes.push_back(absl::StrCat(series - set.num_series(), " series have no step left"));
  }
  set.skipped_rows = draft.problems.count();
  if (set.skipped_rows > 0) {
    set.notes.push_back(
        absl::StrCat(set.skipped_rows, " rows are left out, the first: ", draft.problems.first()));
  }
  FindGaps(set);
  set.description = Describe(set, name);
  return std::move(set);
}

}  // namespace seqgraph::data
