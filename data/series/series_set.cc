#include "data/series/series_set.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::data {

int64_t SeriesSet::min_length() const {
  int64_t least = num_series() == 0 ? 0 : std::numeric_limits<int64_t>::max();
  for (int64_t i = 0; i < num_series(); ++i) least = std::min(least, length(i));
  return least;
}

int64_t SeriesSet::max_length() const {
  int64_t most = 0;
  for (int64_t i = 0; i < num_series(); ++i) most = std::max(most, length(i));
  return most;
}

absl::Span<const float> SeriesSet::Series(int64_t series) const {
  return values.subspan(static_cast<size_t>(begin[static_cast<size_t>(series)] * num_features()),
                        static_cast<size_t>(length(series) * num_features()));
}

std::string SeriesSet::RowName(int64_t series, int64_t step) const {
  if (lines.empty()) {
    return absl::StrCat("series ", series, step < 0 ? "" : absl::StrCat(", step ", step), " of '",
                        files.empty() ? "" : files[0], "'");
  }
  const int64_t at = begin[static_cast<size_t>(series)] + std::max<int64_t>(step, 0);
  const auto next = std::upper_bound(lines.begin(), lines.end(), at,
                                     [](int64_t a, const Lines& b) { return a < b.step; });
  SEQ_CHECK(next != lines.begin());
  const Lines& run = *(next - 1);
  return absl::StrCat("line ", run.line + at - run.step, " of '",
                      files[static_cast<size_t>(run.file)], "'");
}

}  // namespace seqgraph::data
