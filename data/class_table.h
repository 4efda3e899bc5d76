#pragma once

// The classes that labels name. A source that is read as a stream does not know them before its
// end: it numbers them as they come, and the numbers of a model come from the names at the end.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph::data {

/// More classes are an error: the labels are likely to be something else.
inline constexpr int kMaxClasses = 1000;

inline constexpr absl::string_view kNegative = "negative";
inline constexpr absl::string_view kPositive = "positive";

/// The class whose reviews lie in a folder of that name: kNegative for neg, kPositive for pos,
/// otherwise the name; none (empty) for unsup, where unlabelled ones are, and hidden folders.
absl::string_view ClassOfFolder(absl::string_view folder);

/// A name that a file brings, in quotes, short and on one line: for messages.
std::string Shown(absl::string_view name);

class ClassTable {
 public:
  /// Has kNegative as 0 and kPositive as 1, the published numbers, but not seen yet.
  ClassTable();

  /// The number of the class of that name, which is seen from now on; the next one if it is new.
  /// InvalidArgument for an empty name, ResourceExhausted beyond kMaxClasses; both name the place
  /// (`folder` and `name` of a LabelledText), and the latter the limit.
  absl::StatusOr<int> Number(absl::string_view class_name, absl::string_view folder,
                             absl::string_view name);

  /// The names of classes that have been seen, sorted: by value if all of them are whole numbers,
  /// otherwise by bytes. `numbers` may repeat themselves.
  std::vector<std::string> SortedNames(absl::Span<const int> numbers) const;

  /// For each number the index of its name in `names`; -1 where it was not seen. InvalidArgument,
  /// naming `path` and the place, for a class seen that is none of `names`.
  absl::StatusOr<std::vector<int>> IndicesIn(const std::vector<std::string>& names,
                                             const std::string& path) const;

 private:
  struct Class {
    std::string name;
    std::string first_place;  // Empty: not seen.
  };
  std::vector<Class> classes_;
  std::map<std::string, int, std::less<>> numbers_;
};

}  // namespace seqgraph::data
