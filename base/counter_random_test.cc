#include "base/counter_random.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/philox.h"
#include "gtest/gtest.h"

namespace seqgraph {
namespace {

using Words = std::array<uint32_t, 4>;

// The authors' known answers (Random123, kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, GivesThePublishedKnownAnswers) {
  EXPECT_EQ(PhiloxBlock({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(PhiloxBlock({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(PhiloxBlock({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Published test vectors of FNV-1a.
TEST(StreamOf, IsFnv1a) {
  EXPECT_EQ(StreamOf(""), 0xcbf29ce484222325u);
  EXPECT_EQ(StreamOf("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(StreamOf("foobar"), 0x85944171f73967e8u);
}

TEST(CounterRandom, DrawsAreTheBlocksInOrder) {
  CounterRandom random(0, uint64_t{0});
  EXPECT_EQ(random.Next(), 0xe169c58d6627e8d5u);  // The first known answer, low word first.
  EXPECT_EQ(random.Next(), 0x9b00dbd8bc57ac4cu);
  EXPECT_EQ(CounterRandom(0, uint64_t{0}).At(1), 0x9b00dbd8bc57ac4cu);
}

TEST(CounterRandom, SeedsAndStreamsAreIndependent) {
  EXPECT_NE(CounterRandom(1, "a").Next(), CounterRandom(1, "b").Next());
  EXPECT_NE(CounterRandom(1, "a").Next(), CounterRandom(2, "a").Next());
  EXPECT_NE(CounterRandom(1, "a").Next(), CounterRandom(1 | uint64_t{1} << 40, "a").Next());
}

TEST(CounterRandom, UniformsFillTheUnitInterval) {
  CounterRandom random(7, "uniform");
  const int n = 200000;
  double sum = 0, sum2 = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.NextUniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    sum2 += u * u;
  }
  // Standard errors: 0.29 / sqrt(n) = 6.5e-4 and 0.30 / sqrt(n) = 6.7e-4; five of them.
  EXPECT_NEAR(sum / n, 1.0 / 2, 3.3e-3);
  EXPECT_NEAR(sum2 / n, 1.0 / 3, 3.4e-3);
}

TEST(CounterRandom, NormalsHaveTheMomentsOfTheNormalDistribution) {
  CounterRandom random(7, "normal");
  const int n = 200000;
  double sum = 0, sum2 = 0, sum4 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.NextNormal();
    sum += x;
    sum2 += x * x;
    sum4 += x * x * x * x;
  }
  // Standard errors: 1, sqrt(2) and sqrt(96), over sqrt(n) = 447; five of them.
  EXPECT_NEAR(sum / n, 0, 0.012);
  EXPECT_NEAR(sum2 / n, 1, 0.016);
  EXPECT_NEAR(sum4 / n, 3, 0.11);
}

TEST(CounterRandom, BoundedDrawsAreUnbiased) {
  CounterRandom random(3, "bounded");
  std::vector<int> counts(6);
  const int n = 60000;
  for (int i = 0; i < n; ++i) ++counts[random.NextBelow(6)];
  for (const int count : counts) EXPECT_NEAR(count, n / 6, 5 * 92);  // sqrt(n 5/36) = 91.3
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.NextBelow(1), 0u);
  // A bound of 3/4 of the range: unbiased only if a quarter of the draws is thrown away.
  const uint64_t bound = uint64_t{3} << 62;
  int low = 0;
  for (int i = 0; i < n; ++i) low += random.NextBelow(bound) < bound / 3;
  EXPECT_NEAR(low, n / 3, 5 * 116);
}

TEST(PortableLog, AgreesWithTheLibraryToAFewUlps) {
  for (double x = 1e-300; x < 1e300; x *= 1.7) {
    const double expected = std::log(x);
    EXPECT_NEAR(PortableLog(x), expected, 1e-15 * std::max(1e-1, std::abs(expected))) << x;
  }
  EXPECT_EQ(PortableLog(1), 0);
  EXPECT_NEAR(PortableLog(1 - 0x1p-53), -0x1p-53, 1e-31);
  EXPECT_NEAR(PortableLog(5e-324), -744.4400719213812, 1e-12);
}

TEST(Shuffle, IsAPermutationThatDependsOnSeedAndStream) {
  std::vector<int64_t> a(1000), b(1000), c(1000), d(1000);
  Shuffle(1, "shuffle/0", absl::MakeSpan(a));
  Shuffle(1, "shuffle/0", absl::MakeSpan(b));
  Shuffle(1, "shuffle/1", absl::MakeSpan(c));
  Shuffle(2, "shuffle/0", absl::MakeSpan(d));
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a, d);
  EXPECT_FALSE(std::is_sorted(a.begin(), a.end()));
  std::sort(a.begin(), a.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(a[i], i);
}

TEST(Shuffle, ReachesEveryOrderEquallyOften) {
  std::vector<int> counts(6);
  const int n = 12000;
  for (int i = 0; i < n; ++i) {
    std::vector<int64_t> order(3);
    Shuffle(i, "orders", absl::MakeSpan(order));
    ++counts[2 * order[0] + (order[1] > order[2])];
  }
  for (const int count : counts) EXPECT_NEAR(count, n / 6, 5 * 41);  // sqrt(n 5/36) = 40.8
}

TEST(Shuffle, TakesEmptyAndSingleLists) {
  std::vector<int64_t> none, one(1, 5);
  Shuffle(1, "s", absl::MakeSpan(none));
  Shuffle(1, "s", absl::MakeSpan(one));
  EXPECT_EQ(one[0], 0);
}

}  // namespace
}  // namespace seqgraph
