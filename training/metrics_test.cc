#include "training/metrics.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/testing.h"

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

// Two sequences of three steps, as [2, 3, width], against Keras 3.15.1:
//
//   c = np.array([[1, 1, 2], [0, 2, 2]])    # of the classes of p; h = np.eye(3)[c]
//   w = np.array([[.5, 2, 1], [0, 1.5, 3]]) # sample weights of the steps
//   m = np.array([[1, 1, 0], [1, 0, 1]])    # mask of the output, given as sample weights
//   for sample_weight in (None, w, m, w * m):
//     metric = keras.metrics.CategoricalAccuracy()  # and the others below
//     metric.update_state(h, p, sample_weight=sample_weight)
//     print(metric.result())
//
// Keras's Precision, Recall and AUC want weights as wide as p, R2Score and AUC of three classes
// rows instead of sequences: [6, width]. CategoricalAccuracy and MeanAbsoluteError of a p that
// bears m as its _keras_mask give what m as weights does.
const std::vector<float> kSequence = {.1f, .7f, .2f, .4f, .4f, .2f, .3f, .3f, .4f,
                                      .6f, .3f, .1f, .2f, .5f, .3f, .1f, .1f, .8f};
const std::vector<int32_t> kClasses = {1, 1, 2, 0, 2, 2};
const std::vector<float> kOneHot = {0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1};
const std::vector<float> kOdds = {.9f, .6f, .2f, .5f, .8f, .3f}, kTruth = {1, 0, 1, 1, 1, 0};
const std::vector<float> kReal = {1, 2, 0, 3, -1, 1, 2, 2, 4, 0, 1, -2},
                         kRealLabels = {0, 2, 1, 1, -1, 3, 2, 0, 1, 1, 0, -1};
const std::vector<float> kSigns = {1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1, -1};
const std::vector<float> kOthers = {.6f, .3f, .1f, .2f, .5f, .3f, .1f, .1f, .8f,
                                    .1f, .7f, .2f, .4f, .4f, .2f, .3f, .3f, .4f};
const std::vector<float> kLabels = {0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0};
const std::vector<float> kWeights[] = {
    {}, {.5f, 2, 1, 0, 1.5f, 3}, {1, 1, 0, 1, 0, 1}, {.5f, 2, 0, 0, 0, 3}};

Metric ByName(absl::string_view name) { return MetricByName(name).value(); }

TEST(Metrics, OnSequencesAreKeras) {
  const MetricBatch one_hot{.rows = 6, .predictions = kSequence, .labels = kOneHot},
      classes{.rows = 6, .predictions = kSequence, .classes = kClasses},
      binary{.rows = 6, .predictions = kOdds, .labels = kTruth},
      real{.rows = 6, .predictions = kReal, .labels = kRealLabels},
      signs{.rows = 6, .predictions = kReal, .labels = kSigns},
      mixed{.rows = 6, .predictions = kSequence, .labels = kOthers},
      many{.rows = 6, .predictions = kSequence, .labels = kLabels};
  const struct {
    Metric metric;
    MetricBatch batch;
    double expected[4];
  } kCases[] = {
      {Accuracy(), one_hot, {0.6666666865, 0.5625, 0.75, 0.6363636255}},
      {Accuracy(), classes, {0.6666666865, 0.5625, 0.75, 0.6363636255}},
      {Accuracy(), binary, {0.5, 0.6249999404, 0.5, 0.6363636255}},
      {BinaryAccuracy(), binary, {0.5, 0.6249999404, 0.5, 0.6363636255}},
      {Precision(), binary, {0.6666666865, 0.5, 0.5, 0.2000000030}},
      {Recall(), binary, {0.5, 0.6666666865, 0.5, 1}},
      // Keras's own takes both of two largest: .4, .4 was given as .41, .4.
      {F1Score(), one_hot, {59.0 / 90, (2.0 / 9 + 16.0 / 19) / 3, 7.0 / 9, 4.0 / 9}},
      {F1Score(), classes, {59.0 / 90, (2.0 / 9 + 16.0 / 19) / 3, 7.0 / 9, 4.0 / 9}},
      {F1ScoreOfLabels(), many, {0.3888888359, 0.07407406718, 0.4444443882, 0.1111110970}},
      {F1ScoreOfLabels(), binary, {4.0 / 7, 4.0 / 7, 0.5, 1.0 / 3}},
      {AUC(), binary, {0.625, 0.6666667461, 0.75, 1}},
      {Precision(), one_hot, {1, 1, 1, 1}},
      {AUC(), one_hot, {0.9097222686, 0.888671875, 0.984375, 0.9669421911}},
      {AUC(), classes, {0.9097222686, 0.888671875, 0.984375, 0.9669421911}},
      {MeanAbsoluteError(), real, {1.1666667461, 1.28125, 1, 1.1363637447}},
      {RootMeanSquaredError(), real, {1.4719601870, 1.4895468950, 1.2247449160, 1.2247449160}},
      {ByName("mse"), real, {2.166666746, 2.21875, 1.5, 1.5}},
      {ByName("mape"), mixed, {104.7486801, 75.10417175, 109.2063446, 70.60607147}},
      {ByName("msle"), real, {0.4107712507, 0.3789945245, 0.3910950422, 0.3275815248}},
      {ByName("log_cosh"), real, {0.7044367194, 0.7360505462, 0.5481411219, 0.5761038661}},
      {ByName("kld"), one_hot, {0.6878635287, 0.6753220558, 0.5017308593, 0.4873334765}},
      {ByName("kld"), classes, {0.6878635287, 0.6753220558, 0.5017308593, 0.4873334765}},
      {ByName("hinge"), one_hot, {0.9777777791, 0.9666666985, 0.9166666865, 0.9030303955}},
      {ByName("squared_hinge"), signs, {0.1666666716, 0.21875, 0.125, 0.1818181872}},
      {ByName("categorical_hinge"), one_hot, {0.7666667104, 0.7312500477, 0.625, 0.572727263}},
      {ByName("cosine_similarity"), real, {0.8007670045, 0.8124744892, 0.8007669449, 0.826310575}},
      {R2Score(), real, {-0.7909091115, -2.1057701111, -0.4454545379, -1.9464284566}},
  };
  for (const auto& [metric, batch, expected] : kCases) {
    const auto state = metric.make();
    for (int i = 0; i < 4; ++i) {
      state->Reset();
      MetricBatch weighted = batch;
      weighted.weights = kWeights[i];
      state->Add(weighted);
      EXPECT_NEAR(state->value(), expected[i], 5e-7 * std::max(1.0, expected[i]))
          << metric.name << ", weights " << i;
    }
  }
}

// (1 + 3) / 2, sqrt((1 + 9) / 2) and 1 - 10 / 2, the labels far from 0.
TEST(Metrics, OfARegression) {
  const std::vector<float> p = {9000001, 8999999}, y = {9000000, 9000002};
  EXPECT_EQ(Measure(MeanAbsoluteError(), p, y), 2);
  EXPECT_NEAR(Measure(RootMeanSquaredError(), p, y), std::sqrt(5), 1e-12);
  EXPECT_NEAR(Measure(R2Score(), p, y), -4, 1e-12);
  EXPECT_EQ(Measure(R2Score(), y, y), 1);
  EXPECT_EQ(Measure(R2Score(), {1, 2}, {3, 3}), 0);
  EXPECT_FALSE(MeanAbsoluteError().higher_is_better);
  EXPECT_FALSE(RootMeanSquaredError().higher_is_better);
  EXPECT_TRUE(R2Score().higher_is_better);
}

// Of class 3 there is nothing: it does not count. Of one number a row both sides are classes: tp 2,
// fp 1, fn 2 for 1 and tp 1, fp 2, fn 1 for 0. Over batches, and anew after a Reset.
TEST(F1Score, IsTheMeanOverClassesThatOccur) {
  const std::vector<float> p = {.1f, .7f, .2f, 0, .6f, .3f, .1f, 0};
  const auto state = F1Score().make();
  EXPECT_EQ(state->value(), 0);
  state->Add({.rows = 2, .predictions = p, .classes = {1, 2}});
  EXPECT_NEAR(state->value(), 1.0 / 3, 1e-15);
  state->Add({.rows = 2, .predictions = p, .classes = {1, 0}});
  EXPECT_NEAR(state->value(), (2.0 / 3 + 1 + 0) / 3, 1e-15);
  state->Reset();
  state->Add({.rows = 1, .predictions = {p.data(), 4}, .classes = {1}});
  EXPECT_EQ(state->value(), 1);
  EXPECT_NEAR(Measure(F1Score(), kOdds, kTruth), (4.0 / 7 + 2.0 / 5) / 2, 1e-15);
  EXPECT_EQ(Measure(F1Score(), {0.2f, 0.3f}, {0, 0}), 1);
}

TEST(F1ScoreOfLabels, OfALabelThatNeverOccursIs0) {
  const auto state = F1ScoreOfLabels().make();
  state->Add({.rows = 1, .predictions = {.9f, .1f}, .labels = {1, 0}});
  EXPECT_EQ(state->value(), 0.5);
}

TEST(Metrics, ByName) {
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(MetricNames(), ", "))) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Metric metric, MetricByName(name));
    EXPECT_EQ(metric.name, name);
    EXPECT_FALSE(metric.weighted);
    SEQ_ASSERT_OK_AND_ASSIGN(const Metric weighted, MetricByName("weighted_" + name));
    EXPECT_EQ(weighted.name, "weighted_" + name);
    EXPECT_TRUE(weighted.weighted);
    EXPECT_EQ(weighted.higher_is_better, metric.higher_is_better);
  }
  EXPECT_THAT(MetricByName("f1"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           "\"f1\": expected one of accuracy, precision"));
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
