// Loops of the kernels against the same formulas in double, or bit for bit against plain loops, on
// every target. Lengths lie around multiples of every vector length.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/optimizer_loops.h"
#include "backends/kernels/reduction_loops.h"
#include "backends/kernels/target.h"
#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr int64_t kLengths[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 1000};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class LoopsTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SEQ_ASSERT_OK(ForceTarget(GetParam())); }
  void TearDown() override { SEQ_ASSERT_OK(ForceTarget("")); }

  std::vector<float> Random(int64_t n, float low = -2, float high = 2) {
    std::uniform_real_distribution<float> uniform(low, high);
    std::vector<float> x(n);
    for (float& value : x) value = uniform(random_);
    return x;
  }

  std::mt19937 random_{20261123};
};

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// An array whose neighbours must stay as they are.
class Guarded {
 public:
  explicit Guarded(int64_t n) : all_(n + 2 * kMargin, kMark) {}
  ~Guarded() {
    for (int64_t i = 0; i < kMargin; ++i) {
      EXPECT_EQ(all_[i], kMark);
      EXPECT_EQ(all_[all_.size() - 1 - i], kMark);
    }
  }
  float* data() { return all_.data() + kMargin; }
  std::vector<float> values() const { return {all_.begin() + kMargin, all_.end() - kMargin}; }

 private:
  static constexpr int64_t kMargin = 16;
  static constexpr float kMark = -54321.0f;
  std::vector<float> all_;
};

TEST_P(LoopsTest, ExactElementwiseLoopsGiveTheBitsOfPlainOnes) {
  struct Row {
    BinaryLoop loop;
    float (*plain)(float, float);
  };
  const Row rows[] = {
      {AddLoop, [](float a, float b) { return a + b; }},
      {SubtractLoop, [](float a, float b) { return a - b; }},
      {MultiplyLoop, [](float a, float b) { return a * b; }},
      {ReluGradLoop, [](float y, float dy) { return y > 0 ? dy : 0.0f; }},
      {SigmoidGradLoop, [](float y, float dy) { return dy * (y * (1 - y)); }},
  };
  for (const Row& row : rows) {
    for (int64_t n : kLengths) {
      const std::vector<float> a = Random(n), b = Random(n);
      std::vector<float> expected(n);
      for (int64_t i = 0; i < n; ++i) expected[i] = row.plain(a[i], b[i]);
      Guarded y(n);
      row.loop(a.data(), b.data(), n, y.data());
      EXPECT_TRUE(SameBits(y.values(), expected)) << n;
    }
  }
}

TEST_P(LoopsTest, ExactUnaryLoopsGiveTheBitsOfPlainOnes) {
  struct Row {
    UnaryLoop loop;
    float (*plain)(float);
  };
  const Row rows[] = {
      {CeilLoop, [](float x) { return std::ceil(x); }},
      {FloorLoop, [](float x) { return std::floor(x); }},
      {RoundLoop, [](float x) { return std::nearbyint(x); }},
      {NegativeLoop, [](float x) { return -x; }},
      {ReciprocalLoop, [](float x) { return 1 / x; }},
      {SignLoop, [](float x) { return x > 0   ? 1.0f
                                      : x < 0 ? -1.0f
                                              : x; }},
  };
  for (const Row& row : rows) {
    for (int64_t n : kLengths) {
      std::vector<float> x = Random(n, -5, 5), expected(n);
      for (int64_t i = 0; i < n; ++i) {
        if (i % 3 == 0) x[i] = std::floor(x[i]) + 0.5f;
        expected[i] = row.plain(x[i]);
      }
      Guarded y(n);
      row.loop(x.data(), n, y.data());
      EXPECT_TRUE(SameBits(y.values(), expected)) << n;
    }
  }
}

TEST_P(LoopsTest, PowersAreThoseOfC) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  struct Row {
    float a, b, power;
  };
  // C99, F.9.4.4.
  const Row rows[] = {
      {0, -3, kInf},       {-0.0f, -3, -kInf}, {-0.0f, -2, kInf},    {-0.0f, 3, -0.0f},
      {-0.0f, 2, 0},       {-0.0f, 0.5f, 0},   {-1, kInf, 1},        {-1, -kInf, 1},
      {1, kNaN, 1},        {kNaN, 0, 1},       {kNaN, -0.0f, 1},     {kNaN, 2, kNaN},
      {2, kNaN, kNaN},     {-2, 0.5f, kNaN},   {-2, 3, -8},          {-3, 2, 9},
      {0.5f, -kInf, kInf}, {2, -kInf, 0},      {0.5f, kInf, 0},      {-2, kInf, kInf},
      {-kInf, -3, -0.0f},  {-kInf, -2, 0},     {-kInf, 3, -kInf},    {-kInf, 2, kInf},
      {-kInf, 0.5f, kInf}, {kInf, -1, 0},      {kInf, 0.1f, kInf},   {4, -0.5f, 0.5f},
      {2, 127, 0x1p127f},  {2, 128, kInf},     {2, -126, 0x1p-126f}, {1e20f, 2, kInf},
      {-1e20f, 3, -kInf},
  };
  for (const Row& row : rows) {
    float y = 0;
    PowerLoop(&row.a, &row.b, 1, &y);
    if (std::isnan(row.power)) {
      EXPECT_TRUE(std::isnan(y)) << row.a << "^" << row.b << " = " << y;
    } else {
      EXPECT_TRUE(SameBits({y}, {row.power})) << row.a << "^" << row.b << " = " << y;
    }
  }
  for (int64_t n : kLengths) {
    const std::vector<float> a = Random(n, 0, 30), b = Random(n, -12, 12);
    Guarded y(n);
    PowerLoop(a.data(), b.data(), n, y.data());
    for (int64_t i = 0; i < n; ++i) {
      const double power = std::pow(double{a[i]}, double{b[i]});
      EXPECT_NEAR(y.values()[i], power, kEpsilon * power) << a[i] << "^" << b[i];
    }
  }
}

TEST_P(LoopsTest, ComparisonsGiveIntegersAndChooseWords) {
  for (int64_t n : kLengths) {
    std::vector<float> a = Random(n), b = Random(n);
    std::vector<int32_t> equal(n), less(n), condition(n);
    std::vector<float> chosen(n), smaller(n);
    for (int64_t i = 0; i < n; ++i) {
      if (i % 3 == 0) b[i] = a[i];
      if (i % 7 == 0) a[i] = kNaN;
      if (i % 7 == 1) b[i] = kNaN;
      condition[i] = static_cast<int32_t>(i % 4) - 2;
      equal[i] = a[i] == b[i];
      less[i] = a[i] < b[i];
      chosen[i] = condition[i] != 0 ? a[i] : b[i];
      smaller[i] = a[i] != a[i] || a[i] <= b[i] ? a[i] : b[i];
    }
    const auto expect = [&](const auto& expected, const auto& loop) {
      std::vector<float> words(n);
      std::memcpy(words.data(), expected.data(), n * sizeof(float));
      Guarded y(n);
      loop(y.data());
      EXPECT_TRUE(SameBits(y.values(), words)) << n;
    };
    expect(equal, [&](float* y) { EqualLoop(a.data(), b.data(), n, y); });
    expect(less, [&](float* y) { LessLoop(a.data(), b.data(), n, y); });
    expect(smaller, [&](float* y) { MinimumLoop(a.data(), b.data(), n, y); });
    expect(chosen, [&](float* y) { WhereLoop(condition.data(), a.data(), b.data(), n, y); });
  }
}

TEST_P(LoopsTest, TanhGradIsWithinTwoRoundings) {
  const std::vector<float> y = Random(1000, -1, 1), dy = Random(1000);
  std::vector<float> dx(1000);
  TanhGradLoop(y.data(), dy.data(), 1000, dx.data());
  for (int i = 0; i < 1000; ++i) {
    const double exact = dy[i] * (1 - static_cast<double>(y[i]) * y[i]);
    // 1 - y^2 is rounded by as much as its larger operand, 1, asks for.
    EXPECT_NEAR(dx[i], exact, 2 * kEpsilon * std::fabs(dy[i]));
  }
}

TEST_P(LoopsTest, SumsAreThoseOfDoubles) {
  for (int64_t n : kLengths) {
    const std::vector<float> x = Random(n);
    double sum = 0, magnitudes = 0;
    for (float value : x) {
      sum += value;
      magnitudes += std::fabs(value);
    }
    EXPECT_NEAR(SumLoop(x.data(), n), sum, 1e-15 * static_cast<double>(n) * magnitudes);
  }
}

TEST_P(LoopsTest, RowsAreSummedInDoubleForEveryNumberOfColumns) {
  for (int64_t columns : kLengths) {
    for (int64_t rows : {0, 1, 2, 50}) {
      const std::vector<float> x = Random(rows * columns);
      Guarded y(columns);
      SumRowsLoop(x.data(), rows, columns, y.data());
      for (int64_t c = 0; c < columns; ++c) {
        double sum = 0, magnitudes = 0;
        for (int64_t r = 0; r < rows; ++r) {
          sum += x[r * columns + c];
          magnitudes += std::fabs(x[r * columns + c]);
        }
        // One rounding to float; the sums in double may differ in their order.
        EXPECT_NEAR(y.values()[c], sum, kEpsilon / 2 * std::fabs(sum) + 1e-14 * magnitudes)
            << columns << " " << rows;
      }
    }
  }
}

TEST_P(LoopsTest, ARowIsAddedToEachRow) {
  const int64_t rows = 3;
  for (int64_t columns : kLengths) {
    const std::vector<float> x = Random(rows * columns), row = Random(columns);
    std::vector<float> expected = x;
    for (int64_t i = 0; i < rows * columns; ++i) expected[i] += row[i % columns];
    Guarded y(rows * columns);
    AddRowLoop(x.data(), row.data(), rows, columns, y.data());
    EXPECT_TRUE(SameBits(y.values(), expected)) << columns;
  }
}

TEST_P(LoopsTest, TheLargestMagnitudeIsThatOfNanAboveInfinity) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(MaxAbsLoop(nullptr, 0), 0.0f);
  for (int64_t n : kLengths) {
    std::vector<float> x = Random(n);
    for (int64_t i = 0; i < n; ++i) {
      const float before = x[i];
      for (float largest : {-5.0f, 5.0f, -kInfinity}) {
        x[i] = largest;
        EXPECT_EQ(MaxAbsLoop(x.data(), n), std::fabs(largest)) << n << " " << i;
      }
      x[(i + 1) % n] = kInfinity;
      x[i] = kNaN;
      EXPECT_TRUE(std::isnan(MaxAbsLoop(x.data(), n))) << n << " " << i;
      x[(i + 1) % n] = x[i] = before;
    }
  }
}

TEST_P(LoopsTest, LossOfLogitsIsTheRoundedLossInDouble) {
  for (int64_t n : kLengths) {
    if (n == 0) continue;
    std::vector<float> z = Random(n, -20, 20), y = Random(n, 0, 1);
    z[0] = n % 2 == 0 ? 800.0f : -800.0f;  // whose e^-|z| is no float
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double zi = z[i];
      sum += std::max(zi, 0.0) - zi * y[i] + std::log1p(std::exp(-std::fabs(zi)));
    }
    const double exact = sum / static_cast<double>(n);
    EXPECT_NEAR(BceOnLogitsLoop(z.data(), y.data(), n), exact, kEpsilon * exact) << n;
  }
}

TEST_P(LoopsTest, SlopeOfTheLossOfLogitsIsTheRoundedOneInDouble) {
  for (int64_t n : kLengths) {
    if (n == 0) continue;
    std::vector<float> z = Random(n, -20, 20), y = Random(n, 0, 1);
    z[0] = n % 2 == 0 ? 800.0f : -800.0f;
    Guarded dz(n);
    BceOnLogitsGradLoop(z.data(), y.data(), 0.75f, n, dz.data());
    for (int64_t i = 0; i < n; ++i) {
      const double sigmoid = 1 / (1 + std::exp(-static_cast<double>(z[i])));
      const double exact = 0.75 / static_cast<double>(n) * (sigmoid - y[i]);
      // Rounded once; the difference may cancel, in double.
      EXPECT_NEAR(dz.values()[i], exact, kEpsilon * std::fabs(exact) + 1e-15) << z[i];
    }
  }
}

TEST_P(LoopsTest, NotANumberReachesLossAndSlope) {
  std::vector<float> z(19, 0.5f), y(19, 1.0f), dz(19);
  for (int i = 0; i < 19; ++i) {
    z[i] = kNaN;
    EXPECT_TRUE(std::isnan(BceOnLogitsLoop(z.data(), y.data(), 19))) << i;
    BceOnLogitsGradLoop(z.data(), y.data(), 1.0f, 19, dz.data());
    for (int k = 0; k < 19; ++k) EXPECT_EQ(std::isnan(dz[k]), k == i);
    z[i] = 0.5f;
  }
}

TEST_P(LoopsTest, RmsPropGivesTheBitsOfTheFormulaInPlaceToo) {
  for (int64_t n : kLengths) {
    const std::vector<float> w = Random(n), g = Random(n), v = Random(n, 0, 1), m = Random(n),
                             a = Random(n, -0.1f, 0.1f);
    const float rho = 0.9f, rest = static_cast<float>(1 - 0.9), small = 1e-7f, lr = 0.01f;
    const float inertia = 0.5f;
    for (bool general : {false, true}) {
      std::vector<float> new_w(n), new_v(n), new_m(n), new_a(n);
      for (int64_t i = 0; i < n; ++i) {
        new_v[i] = rho * v[i] + rest * (g[i] * g[i]);
        new_a[i] = rho * a[i] + rest * g[i];
        const float variance = general ? new_v[i] - new_a[i] * new_a[i] : new_v[i];
        new_m[i] = lr * g[i] / std::sqrt(variance + small);
        if (general) new_m[i] = inertia * m[i] + new_m[i];
        new_w[i] = w[i] - new_m[i];
      }
      std::vector<float> ws = w, vs = v, ms = m, as = a;
      RmsPropLoop(ws.data(), g.data(), vs.data(), general ? ms.data() : nullptr,
                  general ? as.data() : nullptr, lr, 0.9, 0.5, 1e-7, n, ws.data(), vs.data(),
                  ms.data(), as.data());
      EXPECT_TRUE(!general || (SameBits(ms, new_m) && SameBits(as, new_a))) << n;
      EXPECT_TRUE(SameBits(ws, new_w) && SameBits(vs, new_v)) << n;
    }
  }
}

TEST_P(LoopsTest, SgdGivesTheBitsOfTheFormula) {
  for (int64_t n : kLengths) {
    const std::vector<float> w = Random(n), g = Random(n), m = Random(n);
    const float lr = 0.03f, inertia = 0.9f;
    for (int form = 0; form < 3; ++form) {
      std::vector<float> new_w(n), new_m(n);
      for (int64_t i = 0; i < n; ++i) {
        const float step = lr * g[i];
        new_m[i] = inertia * m[i] - step;
        new_w[i] = form == 0   ? w[i] - step
                   : form == 1 ? w[i] + new_m[i]
                               : w[i] + (inertia * new_m[i] - step);
      }
      Guarded ws(n), ms(n);
      SgdLoop(w.data(), g.data(), form == 0 ? nullptr : m.data(), lr, 0.9, form == 2, n, ws.data(),
              ms.data());
      EXPECT_TRUE(form == 0 || SameBits(ms.values(), new_m)) << n;
      EXPECT_TRUE(SameBits(ws.values(), new_w)) << n;
    }
  }
}

TEST_P(LoopsTest, AdamGivesTheBitsOfTheFormula) {
  for (int64_t n : kLengths) {
    const std::vector<float> w = Random(n), g = Random(n), m = Random(n), v = Random(n, 0, 1);
    const float alpha = 0.002f, small = 1e-7f;
    const float rest1 = static_cast<float>(1 - 0.9), rest2 = static_cast<float>(1 - 0.999);
    std::vector<float> new_w(n), new_m(n), new_v(n);
    for (int64_t i = 0; i < n; ++i) {
      new_m[i] = m[i] + (g[i] - m[i]) * rest1;
      new_v[i] = v[i] + (g[i] * g[i] - v[i]) * rest2;
      new_w[i] = w[i] - new_m[i] * alpha / (std::sqrt(new_v[i]) + small);
    }
    Guarded ws(n), ms(n), vs(n);
    AdamLoop(w.data(), g.data(), m.data(), v.data(), alpha, 0.9, 0.999, 1e-7, n, ws.data(),
             ms.data(), vs.data());
    EXPECT_TRUE(SameBits(ws.values(), new_w) && SameBits(ms.values(), new_m) &&
                SameBits(vs.values(), new_v))
        << n;
  }
}

TEST_P(LoopsTest, EveryBadIdIsFoundAndTheFirstIsNamed) {
  for (int64_t n : {1, 4, 5, 16, 17, 100}) {
    std::vector<int32_t> ids(n, 3);
    EXPECT_EQ(FindBadId(ids.data(), n, 4), -1);
    EXPECT_EQ(FindBadId(ids.data(), n, 3), 0);
    EXPECT_EQ(FindBadId(ids.data(), n, int64_t{1} << 40), -1);
    for (int32_t bad : {-1, 4, INT32_MIN, INT32_MAX}) {
      for (int64_t i = n - 1; i >= 0; --i) {
        ids[i] = bad;
        EXPECT_EQ(FindBadId(ids.data(), n, 4), i);
      }
      std::fill(ids.begin(), ids.end(), 3);
    }
  }
  EXPECT_EQ(FindBadId(nullptr, 0, 4), -1);
}

TEST_P(LoopsTest, LookupsCopyRowsAndTheirGradientsAreSummedInOrder) {
  ThreadPool pool(1);
  for (int64_t width : kLengths) {
    const int64_t rows = 7, n = 40;
    const std::vector<float> table = Random(rows * width), dy = Random(n * width);
    std::vector<int32_t> ids(n);
    // Runs of equal ids, and ids that come back.
    for (int64_t i = 0; i < n; ++i) ids[i] = static_cast<int32_t>(i < 20 ? i / 6 : i * 5 % 6);
    Guarded y(n * width), sums(rows * width);
    GatherRows(table.data(), width, ids.data(), n, y.data());
    ScatterAddRows(dy.data(), ids.data(), n, width, rows, sums.data(), nullptr, pool);
    std::vector<float> expected_y(n * width), expected(rows * width);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        expected_y[i * width + j] = table[ids[i] * width + j];
        expected[ids[i] * width + j] += dy[i * width + j];
      }
    }
    EXPECT_TRUE(SameBits(y.values(), expected_y)) << width;
    EXPECT_TRUE(SameBits(sums.values(), expected)) << width;
  }
}

TEST_P(LoopsTest, ManyIdsOfASmallTableGiveTheSameBitsOnAnyNumberOfThreads) {
  const int64_t n = 30001, width = 9, rows = 50;
  const std::vector<float> dy = Random(n * width);
  std::vector<int32_t> ids(n);
  for (int32_t& id : ids) id = static_cast<int32_t>(random_() % rows);
  const int64_t scratch_size = ScatterAddScratch(n, width, rows);
  ASSERT_GT(scratch_size, 0);
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Guarded table(rows * width), scratch(scratch_size);
    ScatterAddRows(dy.data(), ids.data(), n, width, rows, table.data(), scratch.data(), pool);
    results.push_back(table.values());
  }
  EXPECT_TRUE(SameBits(results[0], results[1]) && SameBits(results[0], results[2]));
  std::vector<double> sums(rows * width), magnitudes(rows * width);
  for (int64_t i = 0; i < n * width; ++i) {
    sums[ids[i / width] * width + i % width] += dy[i];
    magnitudes[ids[i / width] * width + i % width] += std::fabs(dy[i]);
  }
  for (int64_t i = 0; i < rows * width; ++i) {
    EXPECT_NEAR(results[0][i], sums[i], 700 * kEpsilon * magnitudes[i]);  // about n / rows terms
  }
}

TEST_P(LoopsTest, IdsAndRowsOfGradientsMayLieApart) {
  const int64_t rows = 5, n = 12, id_stride = 3;
  std::vector<int32_t> ids(n * id_stride);
  for (int32_t& id : ids) id = static_cast<int32_t>(random_() % rows);
  for (int64_t width : kLengths) {
    const int64_t dy_stride = width + 5;
    const std::vector<float> table = Random(rows * width), dy = Random(n * dy_stride);
    Guarded y(n * width), sums(rows * width);
    std::copy(table.begin(), table.end(), sums.data());
    GatherRows(table.data(), width, ids.data(), n, y.data(), id_stride);
    AddRows(dy.data(), dy_stride, ids.data(), id_stride, n, width, sums.data());
    std::vector<float> expected_y(n * width), expected = table;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        const int64_t at = ids[i * id_stride] * width + j;
        expected_y[i * width + j] = table[at];
        expected[at] += dy[i * dy_stride + j];
      }
    }
    EXPECT_TRUE(SameBits(y.values(), expected_y)) << width;
    EXPECT_TRUE(SameBits(sums.values(), expected)) << width;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, LoopsTest, ::testing::ValuesIn(SupportedTargets()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace seqgraph::kernels
