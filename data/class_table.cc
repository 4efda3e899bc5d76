#include "data/class_table.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph::data {
std::string Shown(absl::string_view name) {
  constexpr size_t kShown = 60;
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(name.substr(0, kShown)),
                      name.size() > kShown ? "..." : "", "'");
}

absl::string_view ClassOfFolder(absl::string_view folder) {
  if (folder == "neg") return kNegative;
  if (folder == "pos") return kPositive;
  if (folder == "unsup" || absl::StartsWith(folder, ".")) return "";
  return folder;
}

ClassTable::ClassTable() {
  for (absl::string_view name : {kNegative, kPositive}) {
    numbers_.emplace(name, static_cast<int>(classes_.size()));
    classes_.push_back({std::string(name), ""});
  }
}

absl::StatusOr<int> ClassTable::Number(absl::string_view class_name, absl::string_view folder,
                                       absl::string_view name) {
  const auto found = numbers_.find(class_name);
  const int number = found != numbers_.end() ? found->second : static_cast<int>(classes_.size());
  const auto seen = [this] {  // the two published names may never be
    return std::count_if(classes_.begin(), classes_.end(),
                         [](const Class& each) { return !each.first_place.empty(); });
  };
  if (found == numbers_.end()) {
    if (class_name.empty()) {
      return InvalidArgument(
          folder, name,
          ": the label is empty: give it one, or leave such rows out (--skip_bad_rows)");
    }
    if (number >= kMaxClasses && seen() >= kMaxClasses) {
      return ResourceExhausted(folder, name, ": label ", Shown(class_name), " is one more than ",
                               kMaxClasses, " different ones; are these the labels?");
    }
    numbers_.emplace(class_name, number);
    classes_.push_back({std::string(class_name), ""});
  }
  std::string& place = classes_[static_cast<size_t>(number)].first_place;
  if (place.empty()) place = absl::StrCat(folder, name);
  return number;
}

std::vector<std::string> ClassTable::SortedNames(absl::Span<const int> numbers) const {
  std::vector<bool> wanted(classes_.size());
  for (int number : numbers) wanted[static_cast<size_t>(number)] = true;
  std::vector<std::string> names;
  for (size_t i = 0; i < classes_.size(); ++i) {
    if (wanted[i]) names.push_back(classes_[i].name);
  }
  std::sort(names.begin(), names.end());
  const auto value = [](const std::string& name) {
    int64_t parsed = 0;
    return absl::SimpleAtoi(name, &parsed) ? std::make_optional(parsed) : std::nullopt;
  };
  if (std::all_of(names.begin(), names.end(),
                  [&value](const std::string& name) { return value(name).has_value(); })) {
    std::stable_sort(
        names.begin(), names.end(),
        [&value](const std::string& a, const std::string& b) { return value(a) < value(b); });
  }
  return names;
}

absl::StatusOr<std::vector<int>> ClassTable::IndicesIn(const std::vector<std::string>& names,
                                                       const std::string& path) const {
  std::vector<int> indices;
  for (const Class& each : classes_) {
    const auto found = std::find(names.begin(), names.end(), each.name);
    if (found == names.end() && !each.first_place.empty()) {
      constexpr size_t kListed = 10;
      const size_t listed = std::min(kListed, names.size());
      return InvalidArgument(
          "'", path, "': ", each.first_place, " has the label ", Shown(each.name),
          "; expected one of ", names.size(), " known classes: ",
          absl::StrJoin(names.begin(), names.begin() + static_cast<ptrdiff_t>(listed), ", "),
          listed < names.size() ? ", ..." : "");
    }
    indices.push_back(found == names.end() ? -1 : static_cast<int>(found - names.begin()));
  }
  return indices;
}

}  // namespace seqgraph::data
