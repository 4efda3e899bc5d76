#include "training/series/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "data/numpy_random.h"
#include "data/stratified_split.h"

namespace seqgraph {
namespace {

using data::RandomState;
using data::SeriesSet;

enum Part { kTrain, kValidation, kTest };
constexpr std::array<const char*, 3> kParts = {"train", "validation", "test"};

std::vector<RowRange>& RowsOf(SeriesSplit& split, int part) {
  return part == kTrain ? split.train : part == kValidation ? split.validation : split.test;
}

// A share of n rounded up, but for what is only the rounding of the product.
int64_t CeilShare(double share, int64_t n) {
  return static_cast<int64_t>(std::ceil(share * static_cast<double>(n) - 1e-9));
}

absl::Status CheckShares(const SplitOptions& options, double test) {
  for (const auto& [name, share] : {std::pair("validation", options.validation), {"test", test}}) {
    if (share >= 0 && share < 1) continue;
    return InvalidArgument("split: the share for ", name, " is ", share,
                           "; expected at least 0 and less than 1");
  }
  if (options.validation + test < 1) return absl::OkStatus();
  return InvalidArgument("split: shares of ", options.validation, " for validation and ", test,
                         " for test leave nothing to train on");
}

// Rows of a forecast within `steps`, the last `test` of which are the test part, and those before
// it, `validation` of them, the validation part.
void AddByTime(const SeriesSet& set, const SeriesTask& task, int64_t series, StepRange steps,
               int64_t validation, int64_t test, SeriesSplit& split) {
  const int64_t test_begin = steps.end - test, validation_begin = test_begin - validation;
  const auto before = [&](int64_t end) { return end < steps.end ? end - task.horizon : end; };
  AddForecastRows(set, task, series, {steps.begin, before(validation_begin)}, split.train);
  if (validation > 0) {
    AddForecastRows(set, task, series, {validation_begin, before(test_begin)}, split.validation);
  }
  if (test > 0) AddForecastRows(set, task, series, {test_begin, steps.end}, split.test);
}

// Whether there is one series, and each step of it is told in windows: these are split by time.
bool HasWindowsOfOne(const SeriesSet& set, const SeriesTask& task) {
  return set.num_series() == 1 && task.window > 0 && HasStepLabels(task);
}

// Windows of the only series there is within `steps`, as above, each to the part that all of it
// lies in; those across a border go to none.
void AddWindowsByTime(const SeriesSet& set, const SeriesTask& task, StepRange steps,
                      int64_t validation, int64_t test, SeriesSplit& split) {
  const int64_t test_begin = steps.end - test, validation_begin = test_begin - validation;
  std::vector<RowRange> rows;
  AddRows(set, task, /*series=*/0, rows);
  for (const RowRange& row : rows) {
    const int64_t end = row.begin + row.steps;
    if (end <= validation_begin) {
      split.train.push_back(row);
    } else if (row.begin >= validation_begin && end <= test_begin) {
      split.validation.push_back(row);
    } else if (row.begin >= test_begin && end <= steps.end) {
      split.test.push_back(row);
    }
  }
}

// What is split whole: series, or groups of them.
struct Units {
  std::vector<int64_t> of_series;  // the unit of each series
  std::vector<int64_t> sizes;      // series in each
  std::vector<int32_t> classes;    // of each; empty: not looked at
  const char* name = "series";

  int64_t size() const { return static_cast<int64_t>(sizes.size()); }
};

Units UnitsOf(const SeriesSet& set, const SeriesTask& task) {
  Units units;
  std::map<std::string, int64_t> numbers;
  for (int64_t series = 0; series < set.num_series(); ++series) {
    int64_t unit = series;
    if (!set.groups.empty()) {
      unit = numbers.try_emplace(set.groups[series], units.size()).first->second;
    }
    if (unit == units.size()) units.sizes.push_back(0);
    ++units.sizes[unit];
    units.of_series.push_back(unit);
  }
  if (!set.groups.empty()) {
    units.name = "groups";
  } else if (task.kind == SeriesTaskKind::kClassify && !task.many_labels) {
    units.classes = set.classes;
  }
  return units;
}

// Moves `count` units by lot from the training part to another.
absl::Status Draw(const SeriesSet& set, const Units& units, int64_t count, uint32_t seed, Part to,
                  std::vector<int>& parts) {
  if (count == 0) return absl::OkStatus();
  std::vector<int64_t> from;
  std::vector<int32_t> classes;
  std::map<int32_t, int64_t> sizes;
  for (int64_t unit = 0; unit < units.size(); ++unit) {
    if (parts[unit] != kTrain) continue;
    from.push_back(unit);
    if (units.classes.empty()) continue;
    classes.push_back(units.classes[unit]);
    ++sizes[classes.back()];
  }
  const auto n = static_cast<int64_t>(from.size());
  if (count >= n) {
    return InvalidArgument("split: ", n, " ", units.name, " cannot give ", count, " to the ",
                           kParts[to], " part; a smaller share, or 0, leaves some to train on");
  }
  for (const auto& [number, size] : sizes) {
    if (size > 1) continue;
    return InvalidArgument("split: only one series of ", ClassName(set, number),
                           " is left for the ", kParts[to],
                           " and the training part; more of it,"
                           " or a share of 0 for ",
                           kParts[to], ", is needed");
  }
  // So that rounding up gives the count.
  const double share = (static_cast<double>(count) - 0.5) / static_cast<double>(n);
  SEQ_ASSIGN_OR_RETURN(const data::SplitIndices drawn,
                       Annotate(classes.empty() ? data::TrainTestSplit(n, share, seed)
                                                : data::StratifiedSplit(classes, share, seed),
                                absl::StrCat("split: ", kParts[to], " part")));
  for (const int64_t i : drawn.test) parts[from[i]] = to;
  return absl::OkStatus();
}

void AddWhole(const SeriesSet& set, const SeriesTask& task, const Units& units,
              absl::Span<const int> parts, SeriesSplit& split) {
  for (int64_t series = 0; series < set.num_series(); ++series) {
    AddRows(set, task, series, RowsOf(split, parts[units.of_series[series]]));
  }
}

absl::Status CheckParts(SeriesSplit& split, const SeriesTask& task, double validation,
                        double test) {
  for (const auto& [part, share] :
       {std::pair(kTrain, 1.0), {kValidation, validation}, {kTest, test}}) {
    if (share == 0 || !RowsOf(split, part).empty()) continue;
    if (task.kind != SeriesTaskKind::kForecast) {
      return InvalidArgument("split: the ", kParts[part], " part has no row; a shorter window, or ",
                             "other shares, give it some");
    }
    return InvalidArgument("split: the ", kParts[part], " part has no window of ", task.window,
                           " steps with ", task.horizon, " to be told behind it, the gap of ",
                           task.horizon,
                           " steps between parts kept; a shorter window or horizon,"
                           " or other shares, give it some");
  }
  return absl::OkStatus();
}

// The fold of each unit.
std::vector<int> DealFolds(const Units& units, int folds, uint32_t seed) {
  RandomState random(seed);
  std::vector<int64_t> order = random.Permutation(units.size());
  // Equal ones stay as they were drawn.
  std::stable_sort(order.begin(), order.end(), [&units](int64_t a, int64_t b) {
    if (!units.classes.empty()) return units.classes[a] < units.classes[b];
    return units.sizes[a] > units.sizes[b];
  });
  std::vector<int> fold_of(order.size());
  std::vector<int64_t> sizes(folds);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto fold = units.classes.empty()
                          ? std::min_element(sizes.begin(), sizes.end()) - sizes.begin()
                          : static_cast<int64_t>(i) % folds;
    sizes[fold] += units.sizes[order[i]];
    fold_of[order[i]] = static_cast<int>(fold);
  }
  return fold_of;
}

}  // namespace

absl::StatusOr<SeriesSplit> SplitSeries(const SeriesSet& set, const SeriesTask& task,
                                        const SplitOptions& options) {
  SEQ_RETURN_IF_ERROR(CheckShares(options, options.test));
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kJudge));
  SEQ_RETURN_IF_ERROR(CheckRowsFit(set, task, options.max_memory));
  SeriesSplit split;
  if (task.kind == SeriesTaskKind::kForecast) {
    for (int64_t i = 0; i < set.num_series(); ++i) {
      AddByTime(set, task, i, {set.begin[i], set.begin[i + 1]},
                CeilShare(options.validation, set.length(i)),
                CeilShare(options.test, set.length(i)), split);
    }
  } else if (HasWindowsOfOne(set, task)) {
    const int64_t steps = set.num_steps();
    AddWindowsByTime(set, task, {0, steps}, CeilShare(options.validation, steps),
                     CeilShare(options.test, steps), split);
  } else {
    const Units units = UnitsOf(set, task);
    std::vector<int> parts(units.size(), kTrain);
    SEQ_RETURN_IF_ERROR(
        Draw(set, units, CeilShare(options.test, units.size()), options.seed, kTest, parts));
    SEQ_RETURN_IF_ERROR(Draw(set, units, CeilShare(options.validation, units.size()), options.seed,
                             kValidation, parts));
    AddWhole(set, task, units, parts, split);
  }
  SEQ_RETURN_IF_ERROR(CheckParts(split, task, options.validation, options.test));
  return split;
}

absl::StatusOr<std::vector<SeriesSplit>> FoldSeries(const SeriesSet& set, const SeriesTask& task,
                                                    int folds, const SplitOptions& options) {
  constexpr int kMostFolds = 1000;
  if (folds < 2 || folds > kMostFolds) {
    return InvalidArgument("folds: ", folds, "; expected 2 to ", kMostFolds);
  }
  SEQ_RETURN_IF_ERROR(CheckShares(options, /*test=*/0));
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kJudge));
  SEQ_RETURN_IF_ERROR(CheckRowsFit(set, task, (options.max_memory + folds - 1) / folds));
  std::vector<SeriesSplit> splits(folds);
  const bool windows = HasWindowsOfOne(set, task);
  const bool by_time = task.kind == SeriesTaskKind::kForecast || windows;
  // Where windows begin: borders between them cut none in two.
  const int64_t grid = !windows ? 1 : task.stride > 0 ? task.stride : task.window;
  const Units units = by_time ? Units() : UnitsOf(set, task);
  if (!by_time && units.size() < folds) {
    return InvalidArgument("folds: ", units.size(), " ", units.name, " cannot be dealt to ", folds);
  }
  const std::vector<int> fold_of = DealFolds(units, folds, options.seed);
  for (int fold = 0; fold < folds; ++fold) {
    SeriesSplit& split = splits[fold];
    if (by_time) {
      for (int64_t i = 0; i < set.num_series(); ++i) {
        const int64_t length = set.length(i) / grid;
        const int64_t test = length / (folds + 1) * grid;
        const int64_t end = set.begin[i] + length * grid - (folds - 1 - fold) * test;
        const StepRange steps = {set.begin[i], end};
        const int64_t validation =
            CeilShare(options.validation, (end - test - set.begin[i]) / grid) * grid;
        if (windows) {
          AddWindowsByTime(set, task, steps, validation, test, split);
        } else {
          AddByTime(set, task, i, steps, validation, test, split);
        }
      }
    } else {
      std::vector<int> parts(units.size(), kTrain);
      for (int64_t unit = 0; unit < units.size(); ++unit) {
        if (fold_of[unit] == fold) parts[unit] = kTest;
      }
      const int64_t rest = std::count(parts.begin(), parts.end(), kTrain);
      SEQ_RETURN_IF_ERROR(Annotate(
          Draw(set, units, CeilShare(options.validation, rest), options.seed, kValidation, parts),
          absl::StrCat("fold ", fold + 1)));
      AddWhole(set, task, units, parts, split);
    }
    SEQ_RETURN_IF_ERROR(Annotate(CheckParts(split, task, options.validation, /*test=*/1),
                                 absl::StrCat("fold ", fold + 1)));
  }
  return splits;
}

absl::StatusOr<std::vector<RowRange>> PartOf(SeriesSplit split, absl::string_view name) {
  for (const Part part : {kTrain, kValidation, kTest}) {
    if (name == kParts[part]) return std::move(RowsOf(split, part));
  }
  return InvalidArgument("unknown part \"", name, "\": expected train, validation or test");
}

std::string SplitToText(const SplitOptions& options) {
  // %.17g gives every double back.
  return absl::StrFormat("validation=%.17g test=%.17g seed=%d", options.validation, options.test,
                         options.seed);
}

absl::StatusOr<SplitOptions> SplitFromText(absl::string_view text) {
  SplitOptions options;
  bool right = true;
  int found = 0;
  for (const absl::string_view setting : absl::StrSplit(text, ' ')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(setting, absl::MaxSplits('=', 1));
    const auto& [name, value] = pair;
    right = right && (name == "validation" ? absl::SimpleAtod(value, &options.validation)
                      : name == "test"     ? absl::SimpleAtod(value, &options.test)
                                       : name == "seed" && absl::SimpleAtoi(value, &options.seed));
    ++found;
  }
  if (!right || found != 3) {
    return InvalidArgument("split \"", text, "\": expected like ", SplitToText({}));
  }
  SEQ_RETURN_IF_ERROR(CheckShares(options, options.test));
  return options;
}

}  // namespace seqgraph
