// RoundWeights beyond its examples: how near it stays, that it changes nothing twice, and what is
// not finite or tiny.

#include "ops/round_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/evaluate.h"
#include "ops/all_ops.h"
#include "ops/examples.h"
#include "tests/testing.h"

namespace seqgraph::ops {
namespace {

constexpr uint64_t kSeed = 20261130;

Tensor Round(const Tensor& w, const std::string& format, int64_t axis = 0) {
  const auto outputs =
      Evaluate(*AllOps().Find("RoundWeights"), {{"format", format}, {"axis", axis}}, {w});
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return *(*outputs)[0];
}

// The same whether w is in float or in double, and rounding once more gives it again.
void ExpectFixed(const Tensor& w, const Tensor& y, const std::string& format, int64_t axis) {
  EXPECT_TRUE(Round(y, format, axis).BitwiseEquals(y));
  EXPECT_TRUE(Round(w.Cast(DType::kFloat32), format, axis).Cast(DType::kFloat64).BitwiseEquals(y));
}

TEST(RoundWeights, Bf16KeepsTheUpperHalfOfAFloatAndIsWithinA256thOfEachElement) {
  for (uint64_t seed = kSeed; seed < kSeed + 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SampleSource source(seed);
    const Tensor w = source.Reals({7, 11}, -3, 3).Cast(DType::kFloat32).Cast(DType::kFloat64);
    const Tensor y = Round(w, "bf16");
    ExpectFixed(w, y, "bf16", 0);
    const Tensor floats = y.Cast(DType::kFloat32);
    for (int64_t i = 0; i < w.num_elements(); ++i) {
      const double x = w.Elements<double>()[i];
      EXPECT_LE(std::abs(y.Elements<double>()[i] - x), std::abs(x) / 256);
      uint32_t bits;
      std::memcpy(&bits, &floats.Elements<float>()[i], sizeof(bits));
      EXPECT_EQ(bits & 0xFFFFu, 0u);
    }
  }
}

TEST(RoundWeights, Int8HasAtMost255StepsARowAndIsWithinA253rdOfItsLargest) {
  for (uint64_t seed = kSeed; seed < kSeed + 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SampleSource source(seed);
    constexpr int64_t kRows = 5, kColumns = 300;
    Tensor w = source.Reals({kRows, kColumns});
    for (int64_t i = 0; i < w.num_elements(); ++i) {
      double& x = w.Elements<double>()[i];
      x = static_cast<float>(x * std::pow(10.0, static_cast<double>(i / kColumns) * 5 - 12));
    }
    const Tensor y = Round(w, "int8", 0);
    ExpectFixed(w, y, "int8", 0);
    for (int64_t r = 0; r < kRows; ++r) {
      const double* x = w.Elements<double>().data() + r * kColumns;
      const double* to = y.Elements<double>().data() + r * kColumns;
      double largest = 0;
      for (int64_t j = 0; j < kColumns; ++j) largest = std::max(largest, std::abs(x[j]));
      std::vector<double> steps(to, to + kColumns);
      for (int64_t j = 0; j < kColumns; ++j) EXPECT_LE(std::abs(to[j] - x[j]), largest / 253);
      std::sort(steps.begin(), steps.end());
      EXPECT_LE(std::unique(steps.begin(), steps.end()) - steps.begin(), 255);
    }
  }
}

TEST(RoundWeights, TinyRowsBecomeZeroAndWhatIsNotFiniteMakesItsRowNaN) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = HUGE_VAL;
  const Tensor w = Reals({2, 5}, {1, kNan, kInfinity, 1e-37, 0, 2, 3, -1, 2e-37, 0});
  const Tensor columns = Round(w, "int8", 1);
  for (const int64_t row : {0, 5}) {
    const double* y = columns.Elements<double>().data() + row;
    EXPECT_TRUE(std::isfinite(y[0]));
    EXPECT_TRUE(std::isnan(y[1]) && std::isnan(y[2]));
    EXPECT_EQ(y[3], 0);
    EXPECT_EQ(y[4], 0);
  }
  const Tensor bf16 = Round(w, "bf16");
  EXPECT_TRUE(std::isnan(bf16.Elements<double>()[1]));
  EXPECT_EQ(bf16.Elements<double>()[2], kInfinity);
  EXPECT_EQ(Round(Reals({1}, {-3.4e38}), "bf16").Elements<double>()[0], -kInfinity);
}

}  // namespace
}  // namespace seqgraph::ops
