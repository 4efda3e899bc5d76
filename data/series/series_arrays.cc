#include "data/series/series_arrays.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/class_table.h"

namespace seqgraph::data {
namespace {

// How x and y are called together; the first pair whose x is there.
constexpr std::pair<absl::string_view, absl::string_view> kPairs[] = {
    {"x", "y"},           {"X", "y"},           {"x_train", "y_train"}, {"X_train", "y_train"},
    {"x_test", "y_test"}, {"X_test", "y_test"}, {"data", "labels"},     {"arr_0", "arr_1"},
};
class Chooser {
 public:
  Chooser(const std::string& path, const SeriesSourceOptions& options, SeriesArrays& found)
      : path_(path), options_(options), found_(found) {}

  absl::Status Find() {
    std::string x, y;
    for (const auto& [x_name, y_name] : kPairs) {
      if (!x.empty() || found_.arrays.count(std::string(x_name)) == 0) continue;
      x = std::string(x_name);
      y = std::string(y_name);
    }
    if (x.empty() && found_.arrays.size() == 1) x = found_.arrays.begin()->first;
    if (x.empty()) {
      return InvalidArgument("'", path_, "' has no array x (X, x_train, X_train, arr_0, ...) of ",
                             "series; it has ", NamesFound());
    }
    found_.x_name = x;
    SEQ_ASSIGN_OR_RETURN(found_.x, Take("x", x, {}));
    if (options_.targets.size() > 1) {
      return InvalidArgument("'", path_, "': the targets are one array, [series, targets]; found ",
                             options_.targets.size(), " names");
    }
    const std::string given = !options_.label.empty()     ? options_.label
                              : !options_.targets.empty() ? options_.targets[0]
                                                          : "";
    if (options_.wants_targets) {
      SEQ_ASSIGN_OR_RETURN(found_.y, Take("y", given, {y}));
      if (found_.y == nullptr) {
        SEQ_ASSIGN_OR_RETURN(found_.y,
                             Take("y", "", {"Y", "labels", "label", "targets", "target"}));
      }
      SEQ_ASSIGN_OR_RETURN(found_.weights, Take("weights", options_.weight,
                                                {"sample_weight", "sample_weights", "weights"}));
      SEQ_ASSIGN_OR_RETURN(found_.groups, Take("groups", options_.group, {}));
    }
    SEQ_ASSIGN_OR_RETURN(found_.lengths, Take("lengths", "", {"lengths", "length"}));
    SEQ_ASSIGN_OR_RETURN(found_.mask, Take("mask", "", {"mask"}));
    SEQ_ASSIGN_OR_RETURN(found_.times, Take("times", options_.time, {}));
    std::vector<std::string> others;
    for (const auto& [name, array] : found_.arrays) {
      if (std::find(used_.begin(), used_.end(), name) == used_.end()) others.push_back(Shown(name));
    }
    if (options_.wants_targets && !others.empty()) {
      found_.notes.push_back(
          absl::StrCat("arrays that are not read: ", absl::StrJoin(others, ", ")));
    }
    return absl::OkStatus();
  }

 private:
  // Null for a name that is not there; no error unless the user gave the name.
  absl::StatusOr<NpyArray*> Take(absl::string_view part, const std::string& given,
                                 std::initializer_list<absl::string_view> usual) {
    std::vector<std::string> names(usual.begin(), usual.end());
    if (!given.empty()) names = {given};
    for (const std::string& name : names) {
      const auto found = found_.arrays.find(name);
      if (found == found_.arrays.end()) continue;
      used_.push_back(name);
      return &found->second;
    }
    if (given.empty()) return nullptr;
    return InvalidArgument("'", path_, "' has no array ", Shown(given), " (", part, "); it has ",
                           NamesFound());
  }

  std::string NamesFound() const {
    std::vector<std::string> names;
    for (const auto& [name, array] : found_.arrays) {
      names.push_back(absl::StrCat(Shown(name), " ", ShapeText(array)));
    }
    return names.empty() ? "none" : absl::StrJoin(names, ", ");
  }

  const std::string& path_;
  const SeriesSourceOptions& options_;
  SeriesArrays& found_;
  std::vector<std::string> used_;
};

}  // namespace

std::string ShapeText(const NpyArray& array) {
  return absl::StrCat("[", absl::StrJoin(array.shape, ", "), "]");
}

double NumberAt(const NpyArray& array, int64_t i) {
  const auto load = [&](auto value) {
    std::memcpy(&value, array.bytes.data() + static_cast<size_t>(i) * sizeof value, sizeof value);
    return static_cast<double>(value);
  };
  switch (array.type) {
    case NpyType::kInt32:
      return load(int32_t{});
    case NpyType::kInt64:
      return load(int64_t{});
    case NpyType::kFloat32:
      return load(float{});
    case NpyType::kFloat64:
      return load(double{});
  }
  return 0;
}

absl::StatusOr<SeriesArrays> ChooseArrays(const std::string& path,
                                          std::map<std::string, NpyArray> arrays,
                                          const SeriesSourceOptions& options) {
  SeriesArrays found{.arrays = std::move(arrays)};
  SEQ_RETURN_IF_ERROR(Chooser(path, options, found).Find());
  return found;
}

}  // namespace seqgraph::data
