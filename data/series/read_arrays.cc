#include "data/series/read_arrays.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/zip.h"
#include "data/class_table.h"
#include "data/npy.h"
#include "data/series/float_store.h"
#include "data/series/series_arrays.h"
#include "data/series/series_draft.h"
#include "data/series/table_columns.h"

namespace seqgraph::data {
namespace {

bool IsWhole(const NpyArray& array) {
  return array.type == NpyType::kInt32 || array.type == NpyType::kInt64;
}

class ArraySeries {
 public:
  ArraySeries(const std::string& path, const SeriesSourceOptions& options, SeriesArrays arrays)
      : path_(path), options_(options), in_(std::move(arrays)) {
    draft_.set.files = {path};
    draft_.set.notes = in_.notes;
  }

  absl::StatusOr<SeriesSet> Read() {
    SEQ_RETURN_IF_ERROR(CheckX());
    SEQ_RETURN_IF_ERROR(FindLengths());
    SEQ_RETURN_IF_ERROR(TakeValues());
    drop_.resize(static_cast<size_t>(draft_.set.num_steps()));
    if (options_.wants_targets) {
      SEQ_RETURN_IF_ERROR(TakeY());
      SEQ_RETURN_IF_ERROR(TakeWeights());
      SEQ_RETURN_IF_ERROR(TakeGroups());
    }
    SEQ_RETURN_IF_ERROR(TakeTimes());
    if (any_dropped_ && options_.skip_bad_rows) draft_.Drop(drop_, /*leaves_gaps=*/true);
    return FinishSeries(std::move(draft_), path_, options_);
  }

 private:
  absl::Status CheckX() {
    const std::vector<int64_t>& shape = in_.x->shape;
    if (shape.size() != 2 && shape.size() != 3) {
      return InvalidArgument("'", path_, "': expected ", Shown(in_.x_name),
                             " of shape [series, steps, features] or [series, steps], found ",
                             ShapeText(*in_.x));
    }
    series_ = shape[0];
    steps_ = shape[1];
    width_ = shape.size() == 3 ? shape[2] : 1;
    if (in_.x->size() == 0) {
      return InvalidArgument("'", path_, "': ", Shown(in_.x_name), " is empty, ",
                             ShapeText(*in_.x));
    }
    if (width_ > kMaxSeriesColumns) {
      return ResourceExhausted("'", path_, "': ", width_, " features, more than ",
                               kMaxSeriesColumns);
    }
    if (in_.x->size() > options_.max_memory / static_cast<int64_t>(sizeof(float))) {
      return ResourceExhausted("'", path_, "': ", in_.x->size(), " numbers take more than ",
                               options_.max_memory, " bytes (--max_memory)");
    }
    return SelectFeatures();
  }

  // By the names that features have: x, or x1, x2, ...
  absl::Status SelectFeatures() {
    std::map<std::string, int64_t> known;
    for (int64_t f = 0; f < width_; ++f) {
      const std::string name = width_ == 1 ? "x" : absl::StrCat("x", f + 1);
      known[name] = f;
      if (options_.columns.empty()) draft_.set.features.push_back(name);
    }
    for (const std::string& name : options_.columns) {
      const auto found = known.find(name);
      if (found == known.end()) {
        return InvalidArgument("'", path_, "' has no feature ", Shown(name), "; they are ",
                               width_ == 1 ? "x" : absl::StrCat("x1 to x", width_));
      }
      draft_.set.features.push_back(name);
      selected_.push_back(found->second);
    }
    return absl::OkStatus();
  }

  absl::Status CheckShape(absl::string_view name, const NpyArray& array,
                          std::vector<std::vector<int64_t>> shapes) const {
    if (std::find(shapes.begin(), shapes.end(), array.shape) != shapes.end()) {
      return absl::OkStatus();
    }
    return InvalidArgument(
        "'", path_, "': expected ", name, " of shape ",
        absl::StrJoin(shapes, " or ",
                      [](std::string* out, const std::vector<int64_t>& shape) {
                        absl::StrAppend(out, "[", absl::StrJoin(shape, ", "), "]");
                      }),
        ", as ", Shown(in_.x_name), " ", ShapeText(*in_.x), " has it, found ", ShapeText(array));
  }

  // How many steps each series has.
  absl::Status FindLengths() {
    std::vector<int64_t> lengths(static_cast<size_t>(series_), steps_);
    if (in_.lengths != nullptr) {
      SEQ_RETURN_IF_ERROR(CheckShape("lengths", *in_.lengths, {{series_}}));
      for (int64_t i = 0; i < series_; ++i) {
        const double length = NumberAt(*in_.lengths, i);
        if (!(length >= 1 && length <= static_cast<double>(steps_)) ||
            length != std::floor(length)) {
          return InvalidArgument(draft_.set.RowName(i), ": its length is ", length,
                                 "; expected a whole number from 1 to ", steps_);
        }
        lengths[static_cast<size_t>(i)] = static_cast<int64_t>(length);
      }
    }
    if (in_.mask != nullptr)
      SEQ_RETURN_IF_ERROR(CheckShape("mask", *in_.mask, {{series_, steps_}}));
    for (int64_t i = 0; i < series_; ++i) {
      int64_t& length = lengths[static_cast<size_t>(i)];
      if (in_.mask != nullptr) {
        while (length > 0 && NumberAt(*in_.mask, i * steps_ + length - 1) == 0) --length;
      } else if (in_.lengths == nullptr && !IsWhole(*in_.x)) {
        while (length > 0 && IsNanStep(i, length - 1)) --length;
      }
      if (length == 0) {
        draft_.problems.Add(absl::StrCat(draft_.set.RowName(i), ": no step is there (all are ",
                                         in_.mask == nullptr ? "NaN)" : "masked)"));
      }
      draft_.set.begin.push_back(draft_.set.begin.back() + length);
    }
    return absl::OkStatus();
  }

  bool IsNanStep(int64_t series, int64_t step) const {
    for (int64_t f = 0; f < width_; ++f) {
      if (!std::isnan(NumberAt(*in_.x, (series * steps_ + step) * width_ + f))) return false;
    }
    return true;
  }

  absl::Status TakeValues() {
    SeriesSet& set = draft_.set;
    const bool as_it_is = in_.x->type == NpyType::kFloat32 && selected_.empty() &&
                          set.num_steps() == series_ * steps_;
    if (as_it_is) {
      auto owner = std::make_shared<std::vector<char>>(std::move(in_.x->bytes));
      draft_.SetValues({reinterpret_cast<float*>(owner->data()), series_ * steps_ * width_, owner});
    } else {
      FloatStore store(options_.max_memory);
      std::vector<float> row(set.features.size());
      for (int64_t i = 0; i < series_; ++i) {
        for (int64_t step = 0; step < set.length(i); ++step) {
          const int64_t at = (i * steps_ + step) * width_;
          for (size_t f = 0; f < row.size(); ++f) {
            row[f] = static_cast<float>(NumberAt(
                *in_.x, at + (selected_.empty() ? static_cast<int64_t>(f) : selected_[f])));
          }
          SEQ_RETURN_IF_ERROR(store.Append(row));
        }
      }
      SEQ_ASSIGN_OR_RETURN(const StoredFloats stored, store.Finish());
      draft_.SetValues(stored);
    }
    if (in_.mask == nullptr) return absl::OkStatus();
    ForEachStep([&](int64_t, int64_t, int64_t from) {
      draft_.masked.push_back(NumberAt(*in_.mask, from) == 0);
    });
    return absl::OkStatus();
  }

  // Calls it with series, step in it, and the step's place in [series, steps].
  template <typename F>
  void ForEachStep(F visit) const {
    for (int64_t i = 0; i < series_; ++i) {
      for (int64_t step = 0; step < draft_.set.length(i); ++step) visit(i, step, i * steps_ + step);
    }
  }

  // A row of [series] or, per step, [series, steps]: with its elements' place in an array of
  // `width` numbers a row.
  struct Row {
    int64_t series, step, from;
  };
  std::vector<Row> Rows(bool per_step) const {
    std::vector<Row> rows;
    if (per_step) {
      ForEachStep([&](int64_t i, int64_t step, int64_t from) { rows.push_back({i, step, from}); });
    } else {
      for (int64_t i = 0; i < series_; ++i) rows.push_back({i, -1, i});
    }
    return rows;
  }

  void Lose(const Row& row, absl::string_view what) {
    draft_.problems.Add(absl::StrCat(draft_.set.RowName(row.series, row.step), ": ", what));
    const int64_t begin = draft_.set.begin[static_cast<size_t>(row.series)];
    const int64_t first = row.step < 0 ? 0 : row.step;
    const int64_t last = row.step < 0 ? draft_.set.length(row.series) : row.step + 1;
    for (int64_t step = first; step < last; ++step) drop_[static_cast<size_t>(begin + step)] = true;
    any_dropped_ = true;
  }

  absl::Status TakeY() {
    if (in_.y == nullptr) return absl::OkStatus();
    const NpyArray& y = *in_.y;
    const bool per_step = options_.per_step;
    const size_t plain = per_step ? 2 : 1;  // Rank without targets.
    const int64_t width = y.shape.size() == plain + 1 ? y.shape[plain] : 1;
    std::vector<int64_t> expected = {series_};
    if (per_step) expected.push_back(steps_);
    std::vector<int64_t> several = expected;
    several.push_back(std::max<int64_t>(width, 1));
    SEQ_RETURN_IF_ERROR(CheckShape("y", y, {expected, several}));
    draft_.set.per_step = per_step;
    const bool classes = options_.targets.empty() && width == 1 &&
                         (IsWhole(y) || !options_.label.empty() || !options_.class_names.empty());
    return classes ? TakeClasses(y) : TakeTargets(y, width);
  }

  absl::Status TakeClasses(const NpyArray& y) {
    ClassTable table;
    const std::vector<Row> rows = Rows(options_.per_step);
    std::vector<int> numbers;
    for (const Row& row : rows) {
      const double label = NumberAt(y, row.from);
      numbers.push_back(-1);
      if (label != std::floor(label) || std::abs(label) > 1e15) {
        Lose(row, absl::StrCat("the label ", label, " is no whole number"));
        continue;
      }
      const std::string name = absl::StrCat(static_cast<int64_t>(label));
      if (!options_.class_names.empty() &&
          std::find(options_.class_names.begin(), options_.class_names.end(), name) ==
              options_.class_names.end()) {
        Lose(row, absl::StrCat("the label ", name, " is none of the ", options_.class_names.size(),
                               " classes of the model"));
        continue;
      }
      SEQ_ASSIGN_OR_RETURN(
          numbers.back(),
          table.Number(name, absl::StrCat("'", path_, "', series "), absl::StrCat(row.series)));
    }
    std::vector<int> seen;
    std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(seen),
                 [](int number) { return number >= 0; });
    SeriesSet& set = draft_.set;
    set.class_names = options_.class_names.empty() ? table.SortedNames(seen) : options_.class_names;
    SEQ_ASSIGN_OR_RETURN(const std::vector<int> indices, table.IndicesIn(set.class_names, path_));
    for (int number : numbers) {
      set.classes.push_back(number < 0 ? 0 : indices[static_cast<size_t>(number)]);
    }
    return absl::OkStatus();
  }

  absl::Status TakeTargets(const NpyArray& y, int64_t width) {
    for (int64_t k = 0; k < width; ++k) {
      draft_.set.target_names.push_back(width == 1 ? "y" : absl::StrCat("y", k + 1));
    }
    for (const Row& row : Rows(options_.per_step)) {
      bool lost = false;
      for (int64_t k = 0; k < width; ++k) {
        const float value = static_cast<float>(NumberAt(y, row.from * width + k));
        if (!std::isfinite(value) && !lost) {
          Lose(row, "its target is not finite");
          lost = true;
        }
        draft_.set.targets.push_back(value);
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeWeights() {
    if (in_.weights == nullptr) return absl::OkStatus();
    SEQ_RETURN_IF_ERROR(CheckShape("weights", *in_.weights, {{series_}, {series_, steps_}}));
    draft_.set.weights_per_step = in_.weights->shape.size() == 2;
    for (const Row& row : Rows(draft_.set.weights_per_step)) {
      const float weight = static_cast<float>(NumberAt(*in_.weights, row.from));
      if (!(weight >= 0) || std::isinf(weight)) {
        Lose(row, absl::StrCat("its weight is ", weight, "; expected a number from 0 on"));
      }
      draft_.set.weights.push_back(weight);
    }
    return absl::OkStatus();
  }

  absl::Status TakeGroups() {
    if (in_.groups == nullptr) return absl::OkStatus();
    SEQ_RETURN_IF_ERROR(CheckShape("groups", *in_.groups, {{series_}}));
    for (int64_t i = 0; i < series_; ++i)
      draft_.set.groups.push_back(absl::StrCat(NumberAt(*in_.groups, i)));
    return absl::OkStatus();
  }

  // [series, steps] or the same for all, [steps].
  absl::Status TakeTimes() {
    if (in_.times == nullptr) return absl::OkStatus();
    SEQ_RETURN_IF_ERROR(CheckShape("times", *in_.times, {{steps_}, {series_, steps_}}));
    const bool common = in_.times->shape.size() == 1;
    std::vector<double>& times = draft_.set.times;
    ForEachStep([&](int64_t i, int64_t step, int64_t from) {
      times.push_back(NumberAt(*in_.times, common ? step : from));
      if (std::isfinite(times.back()) && (step == 0 || times.back() > times[times.size() - 2])) {
        return;
      }
      Lose({i, step, from}, absl::StrCat("its time, ", times.back(), ", is not behind the last"));
    });
    return absl::OkStatus();
  }

  const std::string& path_;
  const SeriesSourceOptions& options_;
  SeriesArrays in_;
  int64_t series_ = 0, steps_ = 0, width_ = 0;
  std::vector<int64_t> selected_;  // Of the features of x; empty: all.
  SeriesDraft draft_;
  std::vector<bool> drop_;
  bool any_dropped_ = false;
};

}  // namespace

absl::StatusOr<SeriesSet> ReadSeriesArrays(const std::string& path,
                                           const SeriesSourceOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::string start, ReadFileStart(path, 4));
  std::map<std::string, NpyArray> arrays;
  if (LooksLikeZip(start)) {
    SEQ_ASSIGN_OR_RETURN(arrays, ReadNpz(path));
  } else {
    SEQ_ASSIGN_OR_RETURN(NpyArray x, ReadNpy(path));
    arrays.emplace("x", std::move(x));
  }
  SEQ_ASSIGN_OR_RETURN(SeriesArrays chosen, ChooseArrays(path, std::move(arrays), options));
  return ArraySeries(path, options, std::move(chosen)).Read();
}

}  // namespace seqgraph::data
