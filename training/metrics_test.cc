#include "training/metrics.h"

#include <cmath>

#include "gtest/gtest.h"

namespace seqgraph {
namespace {

TEST(BinaryAccuracy, TheThresholdItselfIsClassZero) {
  const Metric metric = BinaryAccuracy();
  EXPECT_EQ(metric.name, "accuracy");
  EXPECT_TRUE(metric.higher_is_better);
  EXPECT_EQ(metric.sum({0.5f}, {0.f}), 1);
  EXPECT_EQ(metric.sum({0.5f}, {1.f}), 0);
  EXPECT_EQ(metric.sum({std::nextafter(0.5f, 1.f)}, {1.f}), 1);
}

TEST(BinaryAccuracy, CountsMatches) {
  EXPECT_EQ(BinaryAccuracy().sum({.1f, .9f, .6f, .4f}, {0.f, 1.f, 0.f, 1.f}), 2);
  EXPECT_EQ(BinaryAccuracy(.3).sum({.1f, .9f, .6f, .4f}, {0.f, 1.f, 0.f, 1.f}), 3);
  EXPECT_EQ(BinaryAccuracy().sum({}, {}), 0);
}

TEST(BinaryAccuracy, ANaNIsNotAbove) { EXPECT_EQ(BinaryAccuracy().sum({NAN}, {1.f}), 0); }

TEST(Mean, WeighsByCounts) {
  Mean mean;
  EXPECT_EQ(mean.value(), 0);
  mean.Add(0.5 * 64, 64);
  mean.Add(0.25 * 32, 32);
  EXPECT_EQ(mean.value(), 40.0 / 96);
  mean.Reset();
  mean.Add(3, 2);
  EXPECT_EQ(mean.value(), 1.5);
}

// A float sum of ten million times 0.1 is off by more than a percent.
TEST(Mean, SumsInDouble) {
  Mean mean;
  for (int i = 0; i < 10000000; ++i) mean.Add(0.1, 1);
  EXPECT_NEAR(mean.value(), 0.1, 1e-9);
}

}  // namespace
}  // namespace seqgraph
