// The elementary functions against double, over all magnitudes, on every target of this CPU.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/target.h"
#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class MathTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SEQ_ASSERT_OK(ForceTarget(GetParam())); }
  void TearDown() override { SEQ_ASSERT_OK(ForceTarget("")); }
};

// Floats `stride` apart in the order of their bits, from both sides of every power of two on. With
// SEQGRAPH_ALL_FLOATS=1 all of them.
template <typename F>
void ForFloats(F f) {
  constexpr int64_t kBlock = 1 << 14;
  const bool all = std::getenv("SEQGRAPH_ALL_FLOATS") != nullptr;
  const int64_t stride = all ? 1 : 977;  // a prime: all patterns of low bits occur
  std::vector<float> x;
  const auto flush = [&] {
    f(x);
    x.clear();
  };
  for (int64_t bits = 0; bits < int64_t{1} << 32; bits += stride) {
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    if (static_cast<int64_t>(x.size()) == kBlock) flush();
  }
  for (uint32_t sign : {0u, 0x80000000u}) {
    for (uint32_t exponent = 0; exponent < 256; ++exponent) {
      for (int near = -3; near <= 3; ++near) {
        x.push_back(std::bit_cast<float>(sign | ((exponent << 23) + near)));
      }
    }
  }
  flush();
}

// What `loop` gives must be within `epsilons` eps of exact(x), relative to it, where that is at
// least `smallest`, and within `smallest` of it below.
void ExpectWithin(double epsilons, double smallest, UnaryLoop loop, double (*exact)(double)) {
  double worst = 0;
  float worst_x = 0;
  int64_t not_nan = 0, wrong = 0;
  ForFloats([&](const std::vector<float>& x) {
    std::vector<float> y(x.size());
    loop(x.data(), static_cast<int64_t>(x.size()), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      if (std::isnan(x[i])) {
        if (!std::isnan(y[i])) ++not_nan;
        continue;
      }
      const double expected = exact(x[i]);
      const double error = std::fabs(y[i] - expected);
      if (std::fabs(expected) > std::numeric_limits<float>::max()) {
        // Rounds to infinity or just below it.
        if (!(std::copysign(y[i], expected * y[i]) >= std::numeric_limits<float>::max())) ++wrong;
        continue;
      }
      if (std::fabs(expected) < smallest || expected == 0) {
        if (!(error <= smallest)) ++wrong;
        continue;
      }
      const double in_epsilons = error / std::fabs(expected) / kEpsilon;
      if (!(in_epsilons <= worst)) {
        worst = in_epsilons;
        worst_x = x[i];
      }
    }
  });
  EXPECT_EQ(not_nan, 0);
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(worst, epsilons) << "at " << worst_x;
  ::testing::Test::RecordProperty("worst_error_in_milli_epsilons", static_cast<int>(worst * 1000));
  std::printf("worst error %.3f eps at %.9g\n", worst, worst_x);
}

double ExactSigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

TEST_P(MathTest, TanhIsWithinThreeEpsilonsOfEveryFloatDenormalsToo) {
  ExpectWithin(3, 0, TanhLoop, [](double x) { return std::tanh(x); });
}

TEST_P(MathTest, SigmoidIsWithinThreeEpsilons) {
  ExpectWithin(3, std::numeric_limits<float>::min(), SigmoidLoop, ExactSigmoid);
}

TEST_P(MathTest, ExpIsWithinTwoEpsilons) {
  ExpectWithin(2, std::numeric_limits<float>::min(), ExpLoop, [](double x) { return std::exp(x); });
}

TEST_P(MathTest, LogIsWithinOneEpsilonDenormalsToo) {
  const UnaryLoop log_of_magnitude = [](const float* x, int64_t n, float* y) {
    AbsLoop(x, n, y);
    LogLoop(y, n, y);
  };
  ExpectWithin(1, 0, log_of_magnitude, [](double x) { return std::log(std::fabs(x)); });
}

TEST_P(MathTest, ErfIsWithinFourEpsilons) {
  ExpectWithin(4, std::numeric_limits<float>::min(), ErfLoop, [](double x) { return std::erf(x); });
}

TEST_P(MathTest, SoftplusIsWithinThreeEpsilons) {
  ExpectWithin(3, std::numeric_limits<float>::min(), SoftplusLoop,
               [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); });
}

TEST_P(MathTest, EluIsWithinTwoEpsilons) {
  const UnaryLoop elu = [](const float* x, int64_t n, float* y) { EluLoop(x, 0.5f, n, y); };
  ExpectWithin(2, std::numeric_limits<float>::min(), elu,
               [](double x) { return x > 0 ? x : 0.5 * std::expm1(x); });
}

TEST_P(MathTest, SpecialValuesKeepTheirMeaningInEveryLane) {
  const float kNaN = std::numeric_limits<float>::quiet_NaN();
  for (int lane = 0; lane < 33; ++lane) {
    std::vector<float> x(33, 0.25f), y(33);
    const auto at = [&](UnaryLoop loop, float value) {
      x[lane] = value;
      loop(x.data(), 33, y.data());
      // The other lanes do not notice.
      for (int i = 0; i < 33; ++i) {
        if (i == lane) continue;
        EXPECT_EQ(y[i], y[lane == 0 ? 1 : 0]);
      }
      return y[lane];
    };
    for (UnaryLoop tanh : {TanhLoop, TanhFastLoop}) {
      EXPECT_TRUE(std::isnan(at(tanh, kNaN)));
      EXPECT_TRUE(std::isnan(at(tanh, -kNaN)));
      EXPECT_EQ(at(tanh, kInfinity), 1.0f);
      EXPECT_EQ(at(tanh, -kInfinity), -1.0f);
      EXPECT_EQ(at(tanh, 0.0f), 0.0f);
      EXPECT_FALSE(std::signbit(at(tanh, 0.0f)));
      EXPECT_TRUE(std::signbit(at(tanh, -0.0f)));
    }
    EXPECT_TRUE(std::isnan(at(SigmoidLoop, kNaN)));
    EXPECT_EQ(at(SigmoidLoop, kInfinity), 1.0f);
    EXPECT_EQ(at(SigmoidLoop, 0.0f), 0.5f);
    EXPECT_EQ(at(SigmoidLoop, -kInfinity), 0.0f);
    EXPECT_EQ(at(ExpLoop, 0.0f), 1.0f);
    EXPECT_EQ(at(ExpLoop, kInfinity), kInfinity);
    EXPECT_EQ(at(ExpLoop, -kInfinity), 0.0f);
    EXPECT_EQ(at(LogLoop, kInfinity), kInfinity);
    EXPECT_EQ(at(LogLoop, -0.0f), -kInfinity);
    EXPECT_TRUE(std::isnan(at(LogLoop, -1.0f)));
    EXPECT_EQ(at(ErfLoop, -kInfinity), -1.0f);
    EXPECT_EQ(at(SignLoop, -0.0f), 0.0f);
    EXPECT_EQ(at(SignLoop, -kInfinity), -1.0f);
    for (UnaryLoop loop : {LogLoop, ErfLoop, SoftplusLoop, SignLoop, FloorLoop}) {
      EXPECT_TRUE(std::isnan(at(loop, kNaN)));
    }
    EXPECT_TRUE(std::isnan(at(ReluLoop, kNaN)));
    EXPECT_EQ(at(ReluLoop, kInfinity), kInfinity);
    EXPECT_EQ(at(ReluLoop, -1.0f), 0.0f);
  }
}

TEST_P(MathTest, FastTanhIsWithinEightEpsilonsOfOne) {
  // Absolute: recurrences add it to values of that size.
  double worst = 0;
  ForFloats([&](const std::vector<float>& x) {
    std::vector<float> y(x.size());
    TanhFastLoop(x.data(), static_cast<int64_t>(x.size()), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      if (std::isnan(x[i])) continue;
      const double error = std::fabs(y[i] - std::tanh(static_cast<double>(x[i])));
      if (!(error <= worst)) worst = error;
    }
  });
  EXPECT_LE(worst, 8 * kEpsilon);
}

INSTANTIATE_TEST_SUITE_P(Targets, MathTest, ::testing::ValuesIn(SupportedTargets()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace seqgraph::kernels
