#include "data/numpy_random.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> First(const std::vector<int64_t>& values, size_t n) {
  return {values.begin(), values.begin() + static_cast<ptrdiff_t>(std::min(n, values.size()))};
}

std::vector<int64_t> Last(const std::vector<int64_t>& values, size_t n) {
  return {values.end() - static_cast<ptrdiff_t>(std::min(n, values.size())), values.end()};
}

// Literals below were given by numpy and scikit-learn.
TEST(RandomState, DrawsWhatNumpyDraws) {
  RandomState random(42);
  EXPECT_EQ(random.NextUint32(), 1608637542u);
  EXPECT_EQ(random.NextUint32(), 3421126067u);
  EXPECT_EQ(random.NextUint32(), 4083286876u);
  RandomState other(113);
  EXPECT_EQ(other.NextUint64(), (uint64_t{3659249829u} << 32) | 529109724u);
  RandomState reference(5489);
  for (int i = 1; i < 10000; ++i) reference.NextUint32();
  EXPECT_EQ(reference.NextUint32(), 4123659995u);
}

TEST(RandomState, RandomSampleMatchesNumpy) {
  RandomState random(42);
  EXPECT_EQ(random.RandomSample(), 0.3745401188473625);
  EXPECT_EQ(random.RandomSample(), 0.9507143064099162);
  EXPECT_EQ(random.RandomSample(), 0.7319939418114051);
}

TEST(RandomState, IntervalZeroDrawsNothing) {
  RandomState random(42);
  EXPECT_EQ(random.Interval(0), 0u);
  EXPECT_EQ(random.NextUint32(), 1608637542u);
}

TEST(RandomState, IntervalMasksAndRejects) {
  // 1608637542, 3421126067, 4083286876, 787846414 are 6, 3, 4, 6 modulo 8: 6 is refused for max
  // = 5.
  RandomState random(42);
  EXPECT_EQ(random.Interval(5), 3u);
  EXPECT_EQ(random.Interval(5), 4u);
  EXPECT_EQ(random.Interval(7), 6u);
}

TEST(RandomState, IntervalBeyond32BitsTakesTwoDraws) {
  RandomState random(42);
  const uint64_t first = (uint64_t{1608637542u} << 32) | 3421126067u;
  EXPECT_EQ(random.Interval(~uint64_t{0}), first);
  EXPECT_EQ(random.Interval(0xffffffffu), 4083286876u);
}

TEST(RandomState, PermutationMatchesNumpy) {
  EXPECT_THAT(RandomState(42).Permutation(10), ElementsAre(8, 1, 5, 0, 7, 2, 9, 4, 3, 6));
  EXPECT_THAT(RandomState(113).Permutation(10), ElementsAre(9, 3, 6, 1, 0, 7, 4, 8, 2, 5));
  EXPECT_THAT(RandomState(0).Permutation(1), ElementsAre(0));
  EXPECT_TRUE(RandomState(0).Permutation(0).empty());
  EXPECT_TRUE(RandomState(0).Permutation(-1).empty());
  const std::vector<int64_t> p = RandomState(42).Permutation(25000);
  EXPECT_THAT(First(p, 5), ElementsAre(6868, 24016, 9668, 13640, 14018));
  EXPECT_THAT(Last(p, 4), ElementsAre(5390, 860, 15795, 23654));
}

TEST(RandomState, SecondShuffleGoesOnWhereTheFirstStopped) {
  RandomState random(113);
  EXPECT_THAT(First(random.Permutation(25000), 5), ElementsAre(7798, 13226, 18078, 793, 17499));
  EXPECT_THAT(First(random.Permutation(25000), 4), ElementsAre(22748, 4083, 8015, 13688));
}

TEST(RandomState, ShuffleMovesAnyValuesAsPermutationMovesIndices) {
  std::vector<std::string> letters = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  RandomState(42).Shuffle(absl::MakeSpan(letters));
  EXPECT_THAT(letters, ElementsAre("i", "b", "f", "a", "h", "c", "j", "e", "d", "g"));
}

TEST(TrainTestSplit, MatchesScikitLearn) {
  SEQ_ASSERT_OK_AND_ASSIGN(SplitIndices s, TrainTestSplit(7, 0.3, 42));  // ceil(2.1) = 3
  EXPECT_THAT(s.train, ElementsAre(2, 4, 3, 6));
  EXPECT_THAT(s.test, ElementsAre(0, 1, 5));
  SEQ_ASSERT_OK_AND_ASSIGN(SplitIndices big, TrainTestSplit(25000, 0.2, 42));
  EXPECT_EQ(big.train.size(), 20000u);
  EXPECT_EQ(big.test.size(), 5000u);
  EXPECT_THAT(First(big.train, 5), ElementsAre(23311, 23623, 1020, 12645, 1533));
}

TEST(TrainTestSplit, RefusesWhatCannotBeSplit) {
  for (double fraction : {0.0, 1.0, -0.1, 1.5, std::nan("")}) {
    EXPECT_THAT(TrainTestSplit(10, fraction, 42),
                StatusIs(absl::StatusCode::kInvalidArgument, "between 0 and 1"));
  }
  for (int64_t n : {-1, 0, 1}) {
    EXPECT_THAT(TrainTestSplit(n, 0.2, 42),
                StatusIs(absl::StatusCode::kInvalidArgument, "at least one row"));
  }
  EXPECT_THAT(TrainTestSplit(3, 0.99, 42),
              StatusIs(absl::StatusCode::kInvalidArgument, "3 rows cannot be split"));
  SEQ_EXPECT_OK(TrainTestSplit(2, 0.2, 42));
}

// Everything that the reference file holds on generators, permutations and splits.
TEST(NumpyReference, AllVectorsOfTheSharedFile) {
  SEQ_SHARED_OR_SKIP(path, "golden_numpy_sklearn.json");
  const auto golden = nlohmann::json::parse(ReadFileOrDie(path));
  RandomState words(42);
  for (uint32_t expected : golden["mt19937_42_first_uint32"]) {
    EXPECT_EQ(words.NextUint32(), expected);
  }
  RandomState samples(42);
  for (double expected : golden["random_sample_42"]) EXPECT_EQ(samples.RandomSample(), expected);
  int permutations = 0;
  int splits = 0;
  for (const auto& [key, value] : golden.items()) {
    unsigned seed;
    long n;
    double fraction;
    if (std::sscanf(key.c_str(), "permutation_seed%u_n%ld", &seed, &n) == 2) {
      ++permutations;
      const std::vector<int64_t> p = RandomState(seed).Permutation(n);
      EXPECT_EQ(First(p, value["first"].size()), value["first"].get<std::vector<int64_t>>()) << key;
      EXPECT_EQ(Last(p, value["last"].size()), value["last"].get<std::vector<int64_t>>()) << key;
      int64_t sum = 0;  // The largest, for 25,000, is far below 2^61 - 1.
      for (int64_t i = 0; i < n; ++i) sum += i * p[static_cast<size_t>(i)];
      EXPECT_EQ(sum, value["checksum_sum_i_times_p_i_mod_2_61_minus_1"]) << key;
    } else if (std::sscanf(key.c_str(), "train_test_split_n%ld_test%lf_seed%u", &n, &fraction,
                           &seed) == 3) {
      ++splits;
      SEQ_ASSERT_OK_AND_ASSIGN(SplitIndices s, TrainTestSplit(n, fraction, seed));
      EXPECT_EQ(s.train.size(), value["train_size"]) << key;
      EXPECT_EQ(s.test.size(), value["test_size"]) << key;
      EXPECT_EQ(First(s.train, value["train_first"].size()),
                value["train_first"].get<std::vector<int64_t>>())
          << key;
      EXPECT_EQ(First(s.test, value["test_first"].size()),
                value["test_first"].get<std::vector<int64_t>>())
          << key;
    }
  }
  EXPECT_EQ(permutations, 6);
  EXPECT_EQ(splits, 4);
}

}  // namespace
}  // namespace seqgraph::data
