#include "backends/onednn/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace seqgraph::onednn {
namespace {

constexpr double kEps = 1.1920928955078125e-7;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The largest relative error, in eps, over floats of all magnitudes with |x| in [1e-30, limit].
template <typename F, typename G>
double LargestError(F fast, G exact, float limit, bool negative_only) {
  double largest = 0;
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 4099) {
    const auto word = static_cast<uint32_t>(bits);
    float x;
    std::memcpy(&x, &word, sizeof(x));
    if (!(std::fabs(x) <= limit && std::fabs(x) >= 1e-30f) || (negative_only && x > 0)) continue;
    const double want = exact(static_cast<double>(x));
    largest = std::max(largest, std::fabs(fast(x) - want) / std::fabs(want) / kEps);
  }
  return largest;
}

TEST(VectorMathTest, ErrorsAreBelowWhatIsStated) {
  EXPECT_LE(LargestError(
                ExpOfNegative, [](double x) { return std::exp(x); }, 86.9f, true),
            1);
  EXPECT_LE(LargestError(
                FastSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 86.9f, false),
            2);
  EXPECT_LE(LargestError(
                FastTanh, [](double x) { return std::tanh(x); }, 1e30f, false),
            3);
}

TEST(VectorMathTest, SaturatesExactlyAndKeepsNan) {
  EXPECT_EQ(FastSigmoid(-kInfinity), 0.0f);
  EXPECT_EQ(FastSigmoid(kInfinity), 1.0f);
  EXPECT_EQ(FastTanh(-kInfinity), -1.0f);
  EXPECT_EQ(FastTanh(kInfinity), 1.0f);
  EXPECT_TRUE(std::isnan(FastSigmoid(NAN)));
  EXPECT_TRUE(std::isnan(FastTanh(NAN)));
}

}  // namespace
}  // namespace seqgraph::onednn
