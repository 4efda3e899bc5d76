#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "backends/onednn/layout_loops.h"
#include "backends/onednn/math_loops.h"
#include "tests/testing.h"

namespace seqgraph::onednn {
namespace {

using Floats = std::vector<float>;
using testing::Each;
using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Floats Random(int64_t n, uint32_t seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> values(-1.0f, 1.0f);
  Floats result(n);
  for (float& v : result) v = values(rng);
  return result;
}

TEST(LayoutLoopsTest, TheFirstBadIdIsFoundAtBothEndsOfTheRange) {
  std::vector<int32_t> ids(100, 6);
  EXPECT_EQ(FindBadId(ids.data(), 100, 7), -1);
  EXPECT_EQ(FindBadId(ids.data(), 100, 6), 0);
  for (int32_t bad : {-1, 7, INT32_MIN, INT32_MAX}) {
    ids[63] = bad;
    EXPECT_EQ(FindBadId(ids.data(), 100, 7), 63) << bad;
    EXPECT_EQ(FindBadId(ids.data(), 63, 7), -1) << bad;
  }
  ids[63] = INT32_MAX;
  EXPECT_EQ(FindBadId(ids.data(), 100, int64_t{1} << 40), -1);
  ids[63] = -1;
  EXPECT_EQ(FindBadId(ids.data(), 100, int64_t{1} << 40), 63);
}

TEST(LayoutLoopsTest, GatherWritesTimeMajorRowsWithZerosBehindThem) {
  const Floats table = {1, 2, 3, 4, 5, 6};              // rows [1 2] [3 4] [5 6]
  const std::vector<int32_t> ids = {2, 0, 1, 1, 2, 0};  // [batch 2, time 3]
  Floats out(3 * 2 * 3, 9.0f);
  GatherTimeMajor(table.data(), 2, ids.data(), 2, 3, 3, out.data());
  EXPECT_THAT(out, ElementsAre(5, 6, 0, 3, 4, 0, 1, 2, 0, 5, 6, 0, 3, 4, 0, 1, 2, 0));
}

// The widths with code of their own, and others: against an indexed copy.
TEST(LayoutLoopsTest, GatherAndScatterAgreeWithIndexingAtEveryWidth) {
  constexpr int64_t kBatch = 5, kTime = 7, kRows = 4;
  std::mt19937 rng(1);
  std::vector<int32_t> ids(kBatch * kTime);
  for (int32_t& id : ids) id = static_cast<int32_t>(rng() % kRows);
  for (int64_t width : {1, 3, 8, 15, 16, 17, 32, 100}) {
    for (int64_t padded : {width, width + 5}) {
      const Floats table = Random(kRows * width, 2);
      Floats out(kBatch * kTime * padded, 9.0f);
      GatherTimeMajor(table.data(), width, ids.data(), kBatch, kTime, padded, out.data());
      std::vector<double> sums(kRows * width, 0.0);
      Floats grad = Random(kBatch * kTime * padded, 3);
      for (int64_t t = 0; t < kTime; ++t) {
        for (int64_t b = 0; b < kBatch; ++b) {
          const int64_t row = ids[b * kTime + t];
          for (int64_t j = 0; j < padded; ++j) {
            const int64_t at = (t * kBatch + b) * padded + j;
            ASSERT_EQ(out[at], j < width ? table[row * width + j] : 0.0f);
            if (j < width) sums[row * width + j] += grad[at];
          }
        }
      }
      Floats scattered(kRows * width, 9.0f);
      ScatterAddTimeMajor(grad.data(), padded, ids.data(), kBatch, kTime, width, kRows,
                          scattered.data());
      for (size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(scattered[i], sums[i], 1e-5);
    }
  }
}

TEST(LayoutLoopsTest, RowsOfIdsThatDoNotOccurAreZero) {
  const std::vector<int32_t> ids = {1, 1, 1};
  const Floats grad = {1, 2, 10, 20, 100, 200};
  Floats table(3 * 2, 9.0f);
  ScatterAddRows(grad.data(), ids.data(), 3, 2, 3, table.data());
  EXPECT_THAT(table, ElementsAre(0, 0, 111, 222, 0, 0));
}

TEST(LayoutLoopsTest, TimeMajorAndBackIsTheIdentity) {
  const Floats in = Random(3 * 4 * 5, 4);
  Floats time_major(4 * 3 * 8, 9.0f), back(in.size());
  BatchToTimeMajor(in.data(), 3, 4, 5, 8, time_major.data());
  EXPECT_EQ(time_major[(2 * 3 + 1) * 8 + 4], in[(1 * 4 + 2) * 5 + 4]);  // t 2, b 1
  EXPECT_EQ(time_major[7], 0.0f);
  TimeToBatchMajor(time_major.data(), 3, 4, 5, 8, back.data());
  EXPECT_EQ(back, in);
}

TEST(LayoutLoopsTest, TransposeFillsThePaddingOfBothSidesWithZeros) {
  constexpr int64_t kRows = 37, kCols = 21, kPaddedRows = 48, kPaddedCols = 32;
  const Floats in = Random(kRows * kCols, 5);
  Floats out(kPaddedCols * kPaddedRows, 9.0f);
  TransposeMatrix(in.data(), kRows, kCols, kPaddedRows, kPaddedCols, out.data());
  for (int64_t c = 0; c < kPaddedCols; ++c) {
    for (int64_t r = 0; r < kPaddedRows; ++r) {
      const float want = r < kRows && c < kCols ? in[r * kCols + c] : 0.0f;
      ASSERT_EQ(out[c * kPaddedRows + r], want) << r << ", " << c;
    }
  }
}

TEST(LayoutLoopsTest, PadAndUnpadMatrix) {
  const Floats in = {1, 2, 3, 4};
  Floats padded(3 * 3, 9.0f), back(4);
  PadMatrix(in.data(), 2, 2, 3, 3, padded.data());
  EXPECT_THAT(padded, ElementsAre(1, 2, 0, 3, 4, 0, 0, 0, 0));
  UnpadMatrix(padded.data(), 3, 2, 2, back.data());
  EXPECT_EQ(back, in);
}

TEST(MathLoopsTest, SumsKeepWhatFloatWouldLose) {
  Floats x(1001, 1.0f);
  x[0] = 1e8f;  // in float, 1e8 + 1 is 1e8
  EXPECT_EQ(Sum(x.data(), 1001), 1e8 + 1000);
  Floats columns(1001 * 3, 1.0f);
  columns[1] = 1e8f;
  Floats y(3);
  SumRows(columns.data(), 1001, 3, y.data());
  EXPECT_THAT(y, ElementsAre(1001.0f, static_cast<float>(1e8 + 1000), 1001.0f));
}

TEST(MathLoopsTest, MaxAbsSeesNanAboveInf) {
  Floats x = Random(100, 6);
  x[70] = -5.0f;
  EXPECT_EQ(MaxAbs(x.data(), 100), 5.0f);
  x[99] = -kInf;
  EXPECT_EQ(MaxAbs(x.data(), 100), kInf);
  x[0] = kNan;
  EXPECT_TRUE(std::isnan(MaxAbs(x.data(), 100)));
  EXPECT_EQ(MaxAbs(x.data(), 0), 0.0f);
}

TEST(MathLoopsTest, ActivationsCarryNanAndDoNotOverflow) {
  const Floats x = {kNan, -kInf, -1000.0f, 0.0f, 1000.0f, kInf};
  Floats y(6);
  Relu(x.data(), 6, y.data());
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_THAT(Floats(y.begin() + 1, y.end()), ElementsAre(0, 0, 0, 1000, kInf));
  Sigmoid(x.data(), 6, y.data());
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_THAT(Floats(y.begin() + 1, y.end()), ElementsAre(0, 0, 0.5f, 1, 1));
  Tanh(x.data(), 6, y.data());
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_THAT(Floats(y.begin() + 1, y.end()), ElementsAre(-1, -1, 0, 1, 1));
}

TEST(MathLoopsTest, DenseOneUnitAndItsGradientByHand) {
  // More columns than lanes: x[r, c] = 1 everywhere but one, w[c] = c.
  constexpr int64_t kCols = 37;
  Floats x(2 * kCols, 1.0f), w(kCols);
  for (int64_t c = 0; c < kCols; ++c) w[c] = static_cast<float>(c);
  x[kCols + 36] = 0.0f;
  const float bias = 0.5f;
  Floats y(2);
  DenseOneUnit(x.data(), w.data(), &bias, 2, kCols, y.data());
  EXPECT_THAT(y, ElementsAre(666.5f, 630.5f));  // 0 + 1 + ... + 36 = 666
  const Floats dy = {2.0f, 3.0f};
  Floats dx(2 * kCols), dw(kCols);
  float db = 0;
  DenseOneUnitGrad(x.data(), w.data(), dy.data(), 2, kCols, dx.data(), dw.data(), &db);
  EXPECT_EQ(dx[36], 72.0f);
  EXPECT_EQ(dx[kCols + 35], 105.0f);
  EXPECT_EQ(dw[35], 5.0f);
  EXPECT_EQ(dw[36], 2.0f);
  EXPECT_EQ(db, 5.0f);
}

// All 37 elements alike: the vector part and the rest of the loop give one result, in place too.
TEST(MathLoopsTest, OptimizerStepsByHandInPlace) {
  constexpr int64_t kN = 37;
  const Floats g(kN, 2.0f);
  Floats w(kN, 1.0f), v(kN, 0.0f);
  // v = 0.25 * 4 = 1;  w = 1 - 0.5 * 2 / sqrt(1 + 3) = 0.5.
  RmsPropUpdate(w.data(), g.data(), v.data(), 0.5f, 0.75, 3.0, kN, w.data(), v.data());
  EXPECT_THAT(v, Each(1.0f));
  EXPECT_THAT(w, Each(0.5f));

  Floats m(kN, 4.0f);
  w.assign(kN, 1.0f);
  // m = 0.5 * 4 - 0.25 * 2 = 1.5;  w = 1 + 0.5 * 1.5 - 0.5 = 1.25 with look-ahead, 2.5 without.
  SgdMomentumUpdate(w.data(), g.data(), m.data(), 0.25f, 0.5, true, kN, w.data(), m.data());
  EXPECT_THAT(m, Each(1.5f));
  EXPECT_THAT(w, Each(1.25f));
  m.assign(kN, 4.0f);
  w.assign(kN, 1.0f);
  SgdMomentumUpdate(w.data(), g.data(), m.data(), 0.25f, 0.5, false, kN, w.data(), m.data());
  EXPECT_THAT(w, Each(2.5f));

  m.assign(kN, 1.0f);
  v.assign(kN, 0.0f);
  w.assign(kN, 1.0f);
  // m = 1 + 0.5 (2 - 1) = 1.5;  v = 0 + 0.25 * 4 = 1;  w = 1 - 2 * 1.5 / (1 + 3) = 0.25.
  AdamUpdate(w.data(), g.data(), m.data(), v.data(), 2.0f, 0.5, 0.75, 3.0, kN, w.data(), m.data(),
             v.data());
  EXPECT_THAT(m, Each(1.5f));
  EXPECT_THAT(v, Each(1.0f));
  EXPECT_THAT(w, Each(0.25f));

  w.assign(kN, 1.0f);
  v.assign(kN, 0.0f);
  m.assign(kN, 2.0f);
  Floats a(kN, 0.0f);
  // v = 0.5 * 4 = 2;  a = 0.5 * 2 = 1;  d = 2 - 1 + 3 = 4;  m = 0.5 * 2 + 0.5 * 2 / 2 = 1.5.
  RmsPropGeneralUpdate(w.data(), g.data(), v.data(), m.data(), a.data(), 0.5f, 0.5, 0.5, 3.0, kN,
                       w.data(), v.data(), m.data(), a.data());
  EXPECT_THAT(v, Each(2.0f));
  EXPECT_THAT(a, Each(1.0f));
  EXPECT_THAT(m, Each(1.5f));
  EXPECT_THAT(w, Each(-0.5f));
}

TEST(MathLoopsTest, BinaryCrossEntropyByHand) {
  const Floats y = {1.0f, 0.0f};
  const Floats z = {0.0f, 1000.0f};
  // log 2 and 1000, the mean of both; gradients (0.5 - 1) / 2 and (1 - 0) / 2.
  EXPECT_FLOAT_EQ(BceOnLogits(z.data(), y.data(), 2), 500.34657f);
  Floats dz(2);
  BceOnLogitsGrad(z.data(), y.data(), 1.0f, 2, dz.data());
  EXPECT_THAT(dz, ElementsAre(-0.25f, 0.5f));
  // -log 0.5 and -log 1e-7 (clipped, so without gradient).
  const Floats p = {0.5f, 1.0f};
  EXPECT_FLOAT_EQ(BceOnProbabilities(p.data(), y.data(), 1e-7, 2), (0.6931472f + 16.118095f) / 2);
  BceOnProbabilitiesGrad(p.data(), y.data(), 1e-7, 1.0f, 2, dz.data());
  EXPECT_THAT(dz, ElementsAre(-1.0f, 0.0f));
  const Floats not_finite = {kNan, 0.0f};
  EXPECT_TRUE(std::isnan(BceOnLogits(not_finite.data(), y.data(), 2)));
}

}  // namespace
}  // namespace seqgraph::onednn
