// Matrix products against double, for all that is special about an extent, on every target.

#include "backends/kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "backends/kernels/target.h"
#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

constexpr double kEpsilon = 1.1920928955078125e-7;
constexpr uint32_t kSeed = 20261123;

class GemmTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SEQ_ASSERT_OK(ForceTarget(GetParam())); }
  void TearDown() override { SEQ_ASSERT_OK(ForceTarget("")); }
};

std::vector<float> Random(int64_t n, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> x(n);
  for (float& value : x) value = uniform(random);
  return x;
}

struct Product {
  std::vector<float> a, b, bias;
  MatrixView a_view, b_view;

  Product(const GemmShape& s, bool a_transposed, bool b_transposed, std::mt19937& random)
      : a(Random(s.rows * s.inner, random)),
        b(Random(s.inner * s.columns, random)),
        bias(Random(s.columns, random)),
        a_view(a_transposed ? Transposed(a.data(), s.rows) : RowMajor(a.data(), s.inner)),
        b_view(b_transposed ? Transposed(b.data(), s.inner) : RowMajor(b.data(), s.columns)) {}

  // With a margin around c and scratch that must stay as it is.
  std::vector<float> Run(const GemmShape& s, bool with_bias, ThreadPool& pool) const {
    constexpr int64_t kMargin = 64;
    constexpr float kMark = 12345.0f;
    const int64_t scratch_size = MultiplyScratch(s);
    std::vector<float> c(s.rows * s.columns + 2 * kMargin, kMark);
    std::vector<float> scratch(scratch_size + 2 * kMargin, kMark);
    const auto misalignment = reinterpret_cast<uintptr_t>(scratch.data()) % 64 / sizeof(float);
    const int64_t begin = kMargin - static_cast<int64_t>(misalignment);
    Multiply(s, a_view, b_view, with_bias ? bias.data() : nullptr, c.data() + kMargin,
             scratch.data() + begin, pool);
    for (int64_t i = 0; i < kMargin; ++i) {
      EXPECT_EQ(c[i], kMark);
      EXPECT_EQ(c[c.size() - 1 - i], kMark);
    }
    for (int64_t i = 0; i < begin; ++i) EXPECT_EQ(scratch[i], kMark);
    for (size_t i = begin + scratch_size; i < scratch.size(); ++i) EXPECT_EQ(scratch[i], kMark);
    return {c.begin() + kMargin, c.end() - kMargin};
  }

  void ExpectRight(const GemmShape& s, bool with_bias, const std::vector<float>& c) const {
    for (int64_t r = 0; r < s.rows; ++r) {
      for (int64_t j = 0; j < s.columns; ++j) {
        double sum = with_bias ? bias[j] : 0, magnitudes = std::fabs(sum);
        for (int64_t p = 0; p < s.inner; ++p) {
          const double term = static_cast<double>(*a_view.at(r, p)) * *b_view.at(p, j);
          sum += term;
          magnitudes += std::fabs(term);
        }
        // Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: gamma_k.
        const double bound = static_cast<double>(s.inner + 1) * kEpsilon * magnitudes;
        ASSERT_NEAR(c[r * s.columns + j], sum, bound) << r << ", " << j;
      }
    }
  }
};

void Check(const GemmShape& s, ThreadPool& pool, std::mt19937& random) {
  SCOPED_TRACE(::testing::Message() << "[" << s.rows << ", " << s.inner << "] x [" << s.inner
                                    << ", " << s.columns << "], seed " << kSeed);
  for (int form = 0; form < 8; ++form) {
    const bool with_bias = (form & 4) != 0;
    const Product product(s, form & 1, form & 2, random);
    product.ExpectRight(s, with_bias, product.Run(s, with_bias, pool));
  }
}

TEST_P(GemmTest, EveryExtentAroundTilesAndVectorsIsRight) {
  std::mt19937 random(kSeed);
  ThreadPool pool(1);
  for (int64_t rows : {0, 1, 2, 5, 7, 12, 13, 25}) {
    for (int64_t inner : {0, 1, 3, 8, 17}) {
      for (int64_t columns : {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 50, 56}) {
        Check({rows, inner, columns}, pool, random);
      }
    }
  }
}

TEST_P(GemmTest, BlocksOfEveryExtentAreRight) {
  std::mt19937 random(kSeed);
  ThreadPool pool(1);
  for (const GemmShape& shape : {GemmShape{119, 5, 20},
                                 {121, 255, 33},
                                 {64, 257, 16},
                                 {3, 600, 130},
                                 {250, 2, 257},
                                 {16, 2048, 8},
                                 {9, 5000, 1},
                                 {1, 5000, 9}}) {
    Check(shape, pool, random);
  }
}

TEST_P(GemmTest, AnyNumberOfThreadsGivesTheSameBits) {
  std::mt19937 random(kSeed);
  ThreadPool one(1), two(2), three(3);
  for (const GemmShape& shape :
       {GemmShape{500, 64, 40}, {64, 300, 300}, {16, 6400, 8}, {1000, 1000, 1}}) {
    const Product product(shape, true, false, random);
    const std::vector<float> expected = product.Run(shape, true, one);
    for (ThreadPool* pool : {&two, &three}) {
      const std::vector<float> c = product.Run(shape, true, *pool);
      EXPECT_EQ(std::memcmp(c.data(), expected.data(), c.size() * sizeof(float)), 0);
    }
  }
}

TEST_P(GemmTest, NotANumberStaysInItsRowAndColumn) {
  std::mt19937 random(kSeed);
  ThreadPool pool(1);
  const GemmShape shape{7, 5, 11};
  Product product(shape, false, false, random);
  product.a[2 * 5 + 3] = NAN;
  const std::vector<float> c = product.Run(shape, true, pool);
  for (int64_t i = 0; i < 7 * 11; ++i) EXPECT_EQ(std::isnan(c[i]), i / 11 == 2);
}

INSTANTIATE_TEST_SUITE_P(Targets, GemmTest, ::testing::ValuesIn(SupportedTargets()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace seqgraph::kernels
