#include "training/metrics.h"

#include <cmath>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace seqgraph {
namespace {

// The value over batches of one number a row.
double Measure(const Metric& metric, const std::vector<float>& predictions,
               const std::vector<float>& labels) {
  const auto state = metric.make();
  state->Add({.rows = static_cast<int64_t>(predictions.size()),
              .predictions = predictions,
              .labels = labels});
  return state->value();
}

TEST(BinaryAccuracy, TheThresholdItselfIsClassZero) {
  const Metric metric = BinaryAccuracy();
  EXPECT_EQ(metric.name, "accuracy");
  EXPECT_TRUE(metric.higher_is_better);
  EXPECT_EQ(Measure(metric, {0.5f}, {0.f}), 1);
  EXPECT_EQ(Measure(metric, {0.5f}, {1.f}), 0);
  EXPECT_EQ(Measure(metric, {std::nextafter(0.5f, 1.f)}, {1.f}), 1);
}

TEST(BinaryAccuracy, CountsMatches) {
  EXPECT_EQ(Measure(BinaryAccuracy(), {.1f, .9f, .6f, .4f}, {0.f, 1.f, 0.f, 1.f}), 0.5);
  EXPECT_EQ(Measure(BinaryAccuracy(.3), {.1f, .9f, .6f, .4f}, {0.f, 1.f, 0.f, 1.f}), 0.75);
  EXPECT_EQ(Measure(BinaryAccuracy(), {}, {}), 0);
}

TEST(BinaryAccuracy, ANaNIsNotAbove) { EXPECT_EQ(Measure(BinaryAccuracy(), {NAN}, {1.f}), 0); }

TEST(Accuracy, IsBinaryForOneNumberARow) {
  EXPECT_EQ(Measure(Accuracy(), {.1f, .9f, .6f, .4f}, {0.f, 1.f, 0.f, 1.f}), 0.5);
}

// Three rows of three classes; the second has two largest, of which the first counts.
TEST(Accuracy, ComparesTheLargestOfARowWithTheClass) {
  const std::vector<float> p = {.1f, .7f, .2f, .4f, .4f, .2f, .3f, .3f, .4f};
  const std::vector<int32_t> classes = {1, 1, 2};
  const std::vector<float> one_hot = {0, 1, 0, 0, 1, 0, 0, 0, 1};
  const auto state = Accuracy().make();
  state->Add({.rows = 3, .predictions = p, .classes = classes});
  EXPECT_EQ(state->value(), 2.0 / 3);
  state->Reset();
  EXPECT_EQ(state->value(), 0);
  state->Add({.rows = 3, .predictions = p, .labels = one_hot});
  EXPECT_EQ(state->value(), 2.0 / 3);
}

// tp = 2, fp = 1, fn = 2.
TEST(PrecisionAndRecall, CountOverBatches) {
  const std::vector<float> p1 = {.9f, .6f, .2f}, y1 = {1, 0, 1}, p2 = {.5f, .8f}, y2 = {1, 1};
  for (const auto& [metric, expected] :
       {std::pair(Precision(), 2.0 / 3), std::pair(Recall(), 2.0 / 4)}) {
    const auto state = metric.make();
    EXPECT_EQ(state->value(), 0) << metric.name;
    state->Add({.rows = 3, .predictions = p1, .labels = y1});
    state->Add({.rows = 2, .predictions = p2, .labels = y2});
    EXPECT_EQ(state->value(), expected) << metric.name;
  }
}

// At thresholds below 0, 0.5 and above 1 the curve is (1, 1), (0, 0.5), (0, 0).
TEST(AUC, IsTheTrapezoidRuleOverThresholds) {
  const std::vector<float> p = {0, .5f, .3f, .9f}, y = {0, 0, 1, 1};
  EXPECT_EQ(Measure(AUC(3), p, y), 0.75);
  // Three of the four pairs of a 1 and a 0 are in order, and no two share a bucket.
  EXPECT_EQ(Measure(AUC(), p, y), 0.75);
}

TEST(AUC, IsExactWhereThresholdsTellAllApart) {
  EXPECT_EQ(Measure(AUC(), {.1f, .2f, .7f, .9f}, {0, 0, 1, 1}), 1);
  EXPECT_EQ(Measure(AUC(), {.9f, .7f, .2f, .1f}, {0, 0, 1, 1}), 0);
  EXPECT_EQ(Measure(AUC(), {.5f, .5f}, {0, 1}), 0.5);
  EXPECT_EQ(Measure(AUC(), {.5f, .6f}, {1, 1}), 0);  // no curve
}

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
