#include "data/stratified_split.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

// How many of `draws` rows to take of each class (scikit-learn's _approximate_mode): its share,
// rounded down, and one more for those with the largest remainders until there are enough.
std::vector<int64_t> Shares(const std::vector<int64_t>& counts, int64_t draws,
                            RandomState& random) {
  double all = 0;
  for (int64_t count : counts) all += static_cast<double>(count);
  std::vector<int64_t> shares;
  std::map<double, std::vector<size_t>, std::greater<>> by_remainder;
  int64_t missing = draws;
  for (size_t c = 0; c < counts.size(); ++c) {
    // In this order, as the remainders are compared as doubles.
    const double share = static_cast<double>(counts[c]) / all * static_cast<double>(draws);
    shares.push_back(static_cast<int64_t>(std::floor(share)));
    missing -= shares.back();
    by_remainder[share - std::floor(share)].push_back(c);
  }
  for (const auto& [remainder, classes] : by_remainder) {
    if (missing <= 0) break;
    // choice(classes, size, replace=False): the first of a permutation.
    const std::vector<int64_t> drawn = random.Permutation(static_cast<int64_t>(classes.size()));
    for (size_t i = 0; i < drawn.size() && missing > 0; ++i, --missing) {
      ++shares[classes[static_cast<size_t>(drawn[i])]];
    }
  }
  return shares;
}

}  // namespace

absl::StatusOr<SplitIndices> StratifiedSplit(absl::Span<const int32_t> classes,
                                             double test_fraction, uint32_t seed) {
  const int64_t n = static_cast<int64_t>(classes.size());
  // For its checks and the sizes.
  SEQ_ASSIGN_OR_RETURN(SplitIndices split, TrainTestSplit(n, test_fraction, seed));
  std::map<int32_t, std::vector<int64_t>> rows;
  for (int64_t row = 0; row < n; ++row) rows[classes[static_cast<size_t>(row)]].push_back(row);
  std::vector<int64_t> counts;
  for (const auto& [number, of_class] : rows) {
    if (of_class.size() < 2) {
      return InvalidArgument("StratifiedSplit: class ", number,
                             " has one row; each part needs one of every class");
    }
    counts.push_back(static_cast<int64_t>(of_class.size()));
  }
  if (std::min(split.train.size(), split.test.size()) < rows.size()) {
    return InvalidArgument("StratifiedSplit: parts of ", split.train.size(), " and ",
                           split.test.size(), " rows are too small for ", rows.size(), " classes");
  }
  RandomState random(seed);
  const std::vector<int64_t> train =
      Shares(counts, static_cast<int64_t>(split.train.size()), random);
  std::vector<int64_t> left = counts;
  for (size_t c = 0; c < left.size(); ++c) left[c] -= train[c];
  const std::vector<int64_t> test = Shares(left, static_cast<int64_t>(split.test.size()), random);
  split.train.clear();
  split.test.clear();
  size_t c = 0;
  for (const auto& [number, of_class] : rows) {
    const std::vector<int64_t> order = random.Permutation(counts[c]);
    for (int64_t i = 0; i < train[c] + test[c]; ++i) {
      (i < train[c] ? split.train : split.test)
          .push_back(of_class[static_cast<size_t>(order[static_cast<size_t>(i)])]);
    }
    ++c;
  }
  random.Shuffle(absl::MakeSpan(split.train));
  random.Shuffle(absl::MakeSpan(split.test));
  return split;
}

}  // namespace seqgraph::data
