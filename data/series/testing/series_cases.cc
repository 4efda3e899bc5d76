#include "data/series/testing/series_cases.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "data/testing/test_util.h"
#include "gtest/gtest.h"

namespace seqgraph::data {

std::string SeriesText(const SeriesSet& set) {
  std::string text = absl::StrCat(absl::StrJoin(set.features, ","), ":");
  for (int64_t i = 0; i < set.num_series(); ++i) {
    if (i > 0) absl::StrAppend(&text, " |");
    const absl::Span<const float> values = set.Series(i);
    const size_t width = set.features.size();
    for (size_t at = 0; at < values.size(); at += width) {
      absl::StrAppend(&text, " ", absl::StrJoin(values.subspan(at, width), ","));
    }
  }
  const auto append = [&text](absl::string_view what, const auto& list) {
    if (!list.empty()) absl::StrAppend(&text, "; ", what, " ", absl::StrJoin(list, " "));
  };
  append("names", set.names);
  append("groups", set.groups);
  std::vector<std::string> classes;
  for (int32_t c : set.classes) classes.push_back(set.class_names[static_cast<size_t>(c)]);
  append("classes", classes);
  append("targets", set.targets);
  append("weights", set.weights);
  append(set.times_are_dates ? "dates" : "times", set.times);
  append("gaps", set.gaps);
  append("notes", set.notes);
  return text;
}

void CheckCase(const SeriesCase& each) {
  SCOPED_TRACE(each.name);
  const std::string path = Saved(each.bytes, each.file);
  for (int threads : {1, 2}) {
    SeriesSourceOptions options = each.options;
    options.threads = threads;
    const absl::StatusOr<SeriesSet> set = ReadSeries(path, options);
    std::string text = set.ok() ? SeriesText(*set) : std::string(set.status().message());
    text = absl::StrReplaceAll(text, {{absl::StrCat("'", path, "'"), "FILE"}});
    EXPECT_EQ(text, each.expected);
  }
}

}  // namespace seqgraph::data
