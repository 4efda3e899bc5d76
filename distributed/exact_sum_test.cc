#include "distributed/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

double SumOf(const std::vector<double>& numbers) {
  ExactSum sum;
  for (const double x : numbers) sum.Add(x);
  return sum.value();
}

TEST(ExactSum, LosesNothing) {
  EXPECT_EQ(SumOf({}), 0);
  EXPECT_EQ(SumOf({1, 2, 3.5}), 6.5);
  EXPECT_EQ(SumOf({1e300, 1, -1e300}), 1);
  EXPECT_EQ(SumOf({-1e-300, 1e10, 5e-324, -1e10}), -1e-300 + 5e-324);
  EXPECT_EQ(SumOf({5e-324, 5e-324}), 1e-323);
  EXPECT_EQ(SumOf({-3, 1}), -2);
  EXPECT_EQ(SumOf({std::ldexp(1.0, 52), 0.5, -std::ldexp(1.0, 52), 0.25}), 0.75);
  EXPECT_TRUE(std::isnan(SumOf({1, std::numeric_limits<double>::infinity()})));
}

TEST(ExactSum, IsTheSameInAnyOrderAndGrouping) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  std::vector<double> numbers;
  for (int i = 0; i < 1000; ++i) {
    numbers.push_back(std::ldexp(std::normal_distribution<double>()(random), i % 200 - 100));
  }
  const double expected = SumOf(numbers);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(numbers.begin(), numbers.end(), random);
    ExactSum all;
    for (size_t begin = 0; begin < numbers.size(); begin += 100) {
      ExactSum part, read;
      for (size_t i = begin; i < begin + 100; ++i) part.Add(numbers[i]);
      ASSERT_TRUE(read.FromBytes(part.Bytes()));
      all.Merge(read);
    }
    EXPECT_EQ(all.value(), expected);
  }
  EXPECT_FALSE(ExactSum().FromBytes("short"));
}

}  // namespace
}  // namespace seqgraph
