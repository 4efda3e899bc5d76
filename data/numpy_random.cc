#include "data/numpy_random.h"

#include <bit>
#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "base/status_macros.h"

namespace seqgraph::data {

uint64_t RandomState::NextUint64() {
  const uint64_t high = NextUint32();
  return (high << 32) | NextUint32();
}

uint64_t RandomState::Interval(uint64_t max) {
  if (max == 0) return 0;
  const uint64_t mask = ~uint64_t{0} >> std::countl_zero(max);
  uint64_t value;
  do {
    value = (max <= 0xffffffffu ? NextUint32() : NextUint64()) & mask;
  } while (value > max);
  return value;
}

double RandomState::RandomSample() {
  const uint64_t high = NextUint32() >> 5;
  const uint64_t low = NextUint32() >> 6;
  return static_cast<double>((high << 26) + low) / 9007199254740992.0;  // 2^53
}

std::vector<int64_t> RandomState::Permutation(int64_t n) {
  std::vector<int64_t> values(n > 0 ? static_cast<size_t>(n) : 0);
  std::iota(values.begin(), values.end(), int64_t{0});
  Shuffle(absl::MakeSpan(values));
  return values;
}

absl::StatusOr<SplitIndices> TrainTestSplit(int64_t n, double test_fraction, uint32_t seed) {
  if (!(test_fraction > 0.0 && test_fraction < 1.0)) {
    return InvalidArgument("TrainTestSplit: the fraction must lie between 0 and 1, exclusive; got ",
                           test_fraction);
  }
  const int64_t n_test =
      n <= 0 ? 0 : static_cast<int64_t>(std::ceil(test_fraction * static_cast<double>(n)));
  if (n_test < 1 || n_test >= n) {
    return InvalidArgument("TrainTestSplit: ", n, " rows cannot be split at ", test_fraction,
                           ": each part needs at least one row");
  }
  std::vector<int64_t> order = RandomState(seed).Permutation(n);
  SplitIndices split;
  split.train.assign(order.begin() + n_test, order.end());
  order.resize(static_cast<size_t>(n_test));
  split.test = std::move(order);
  return split;
}

}  // namespace seqgraph::data
