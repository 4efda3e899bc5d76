#pragma once

// numpy's legacy generator and scikit-learn's split, bit for bit, so that a data set is shuffled
// and split as the Python tools do it.
//
//   RandomState random(113);
//   std::vector<int64_t> order = random.Permutation(25000);   // 7798 13226 18078 ...
//   absl::StatusOr<SplitIndices> split = TrainTestSplit(25000, 0.2, 42);

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace seqgraph::data {

/// The generator behind `numpy.random.RandomState(seed)` for an integer seed: MT19937 with the
/// seeding of Matsumoto and Nishimura (2002), which std::mt19937 is defined to be. Draws are
/// identical on every machine. Not safe for use from two threads at once.
class RandomState {
 public:
  explicit RandomState(uint32_t seed) : engine_(seed) {}

  /// The next 32 bits.
  uint32_t NextUint32() { return static_cast<uint32_t>(engine_()); }

  /// The next 64 bits: the first draw is the upper half.
  uint64_t NextUint64();

  /// A uniform integer in [0, max], by masked rejection (numpy's `random_interval`): draws are cut
  /// to the bits of `max` until one fits. `max` = 0 draws nothing.
  uint64_t Interval(uint64_t max);

  /// A uniform double in [0, 1) with 53 random bits (`random_sample`).
  double RandomSample();

  /// Fisher-Yates from the last element down, as `shuffle` does on arrays and lists.
  template <typename T>
  void Shuffle(absl::Span<T> values) {
    for (size_t i = values.size(); i-- > 1;) {
      const size_t j = static_cast<size_t>(Interval(i));
      std::swap(values[i], values[j]);
    }
  }

  /// The numbers 0 .. n-1, shuffled (`permutation(n)`). `n` <= 0 gives none.
  std::vector<int64_t> Permutation(int64_t n);

 private:
  std::mt19937 engine_;
};

/// Row numbers of the two parts of a split.
struct SplitIndices {
  std::vector<int64_t> train;
  std::vector<int64_t> test;
};

/// `sklearn.model_selection.train_test_split(range(n), test_size=test_fraction,
/// random_state=seed)`: with p = RandomState(seed).Permutation(n) and n_test = ceil(test_fraction *
/// n), the test part is the first n_test of p and the train part the rest. InvalidArgument unless 0
/// < test_fraction < 1 and both parts get a row.
absl::StatusOr<SplitIndices> TrainTestSplit(int64_t n, double test_fraction, uint32_t seed);

}  // namespace seqgraph::data
