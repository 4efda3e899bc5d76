#include "training/initializers.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

VariableDef Def(const std::string& name, const Shape& shape, Initializer initializer,
                DType dtype = DType::kFloat32) {
  VariableDef def;
  def.name = name;
  def.type.dtype = dtype;
  def.type.shape = shape;
  def.initializer = initializer;
  return def;
}

// The content that a variable starts with.
template <typename T = float>
std::vector<T> Content(const VariableDef& def, uint64_t seed = 1) {
  VariableStore store;
  SEQ_EXPECT_OK(store.Declare(def));
  SEQ_EXPECT_OK(InitializeVariables(seed, store));
  const Variable* variable = store.Find(def.name);
  const auto elements = variable->value.Elements<T>();
  return std::vector<T>(elements.begin(), elements.end());
}

// Largest and smallest element, mean, and mean square.
struct Moments {
  double low = INFINITY, high = -INFINITY, mean = 0, square = 0;
};
Moments MomentsOf(const std::vector<float>& values) {
  Moments m;
  for (const double x : values) {
    m.low = std::min(m.low, x);
    m.high = std::max(m.high, x);
    m.mean += x / values.size();
    m.square += x * x / values.size();
  }
  return m;
}

TEST(Initializers, ZerosAndConstantsFillEveryType) {
  EXPECT_EQ(Content(Def("v", {3}, Initializer::Zeros())), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(Content(Def("v", {2}, Initializer::Constant(1e-4))), (std::vector<float>(2, 1e-4f)));
  EXPECT_EQ(Content<int64_t>(Def("t", {}, Initializer::Constant(7), DType::kInt64)),
            (std::vector<int64_t>{7}));
  EXPECT_EQ(Content<double>(Def("d", {1}, Initializer::Constant(0.1), DType::kFloat64)),
            (std::vector<double>{0.1}));
}

TEST(Initializers, UniformFillsItsInterval) {
  const Moments m = MomentsOf(Content(Def("v", {500, 16}, Initializer::Uniform(0.05))));
  EXPECT_GE(m.low, -0.05);
  EXPECT_LE(m.high, 0.05);
  EXPECT_LT(m.low, -0.0499);
  EXPECT_GT(m.high, 0.0499);
  EXPECT_NEAR(m.mean, 0, 5 * 0.05 / std::sqrt(3 * 8000.0));  // five standard errors
  EXPECT_NEAR(m.square, 0.05 * 0.05 / 3, 2e-5);
}

TEST(Initializers, GlorotLimitsFollowTheFans) {
  // sqrt(6 / (500 + 8)); sqrt(6 / (9 * 4 + 9 * 80)); sqrt(6 / (1000 + 1000)).
  const std::vector<std::pair<Shape, double>> cases = {
      {{500, 8}, 0.10867860}, {{3, 3, 4, 80}, 0.08908708}, {{1000}, 0.05477226}};
  for (const auto& [shape, limit] : cases) {
    const Moments m = MomentsOf(Content(Def("v", shape, Initializer::GlorotUniform())));
    EXPECT_LE(m.high, limit * (1 + 1e-6)) << shape.ToString();
    EXPECT_GE(m.low, -limit * (1 + 1e-6)) << shape.ToString();
    EXPECT_GT(m.high, limit * 0.98) << shape.ToString();
    EXPECT_LT(m.low, -limit * 0.98) << shape.ToString();
  }
}

// The largest entry of |A^T A - 1| (columns) or |A A^T - 1| (rows) for a row-major matrix.
double OrthogonalityError(const std::vector<double>& a, int rows, int columns) {
  const bool by_row = rows < columns;
  const int count = by_row ? rows : columns, length = by_row ? columns : rows;
  const auto at = [&](int vector, int i) {
    return by_row ? a[vector * columns + i] : a[i * columns + vector];
  };
  double error = 0;
  for (int p = 0; p < count; ++p) {
    for (int q = 0; q < count; ++q) {
      double sum = p == q ? -1 : 0;
      for (int i = 0; i < length; ++i) sum += at(p, i) * at(q, i);
      error = std::max(error, std::abs(sum));
    }
  }
  return error;
}

TEST(Initializers, OrthogonalMatricesAreOrthogonal) {
  for (const auto& [rows, columns] :
       std::vector<std::pair<int, int>>{{1, 1}, {8, 8}, {100, 100}, {5, 3}, {3, 5}, {64, 7}}) {
    const std::vector<double> a =
        Content<double>(Def("u", {rows, columns}, Initializer::Orthogonal(), DType::kFloat64));
    EXPECT_LT(OrthogonalityError(a, rows, columns), 1e-14) << rows << " x " << columns;
  }
  const std::vector<double> cube =
      Content<double>(Def("u", {2, 3, 4}, Initializer::Orthogonal(), DType::kFloat64));
  EXPECT_LT(OrthogonalityError(cube, 6, 4), 1e-14);
}

// The distribution is that of Haar: E tr Q = 0 and E (tr Q)^2 = 1. Without R's diagonal made
// positive (or with Q from Householder as it comes) the trace is biased.
TEST(Initializers, OrthogonalMatricesAreUniformlyDistributed) {
  const int n = 4000;
  double sum = 0, sum2 = 0;
  for (int seed = 0; seed < n; ++seed) {
    const std::vector<float> a = Content(Def("u", {3, 3}, Initializer::Orthogonal()), seed);
    const double trace = a[0] + a[4] + a[8];
    sum += trace;
    sum2 += trace * trace;
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(sum2 / n, 1, 5 * 1.42 / std::sqrt(n));
}

TEST(Initializers, ContentDependsOnSeedAndNameOnly) {
  const Initializer uniform = Initializer::Uniform(1);
  const std::vector<float> alone = Content(Def("b", {4}, uniform), 5);
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Def("a", {9}, uniform)));
  SEQ_ASSERT_OK(store.Declare(Def("b", {4}, uniform)));
  SEQ_ASSERT_OK(InitializeVariables(5, store));
  const auto b = store.Find("b")->value.Elements<float>();
  EXPECT_EQ(std::vector<float>(b.begin(), b.end()), alone);
  EXPECT_NE(Content(Def("c", {4}, uniform), 5), alone);
  EXPECT_NE(Content(Def("b", {4}, uniform), 6), alone);
}

// Philox4x32-10 with key (0, 0) and counter (0, 0, stream of "a" low and high); worked out in
// Python from the published algorithm.
TEST(Initializers, UniformContentIsTheSameOnEveryMachine) {
  EXPECT_EQ(Content<double>(Def("a", {3}, Initializer::Uniform(1), DType::kFloat64), 0),
            (std::vector<double>{-0.3746823964331769, -0.2909485548422599, 0.4559952776063878}));
}

TEST(Initializers, RaisesTheVersion) {
  VariableStore store;
  SEQ_ASSERT_OK(store.Declare(Def("v", {1}, Initializer::Constant(1))));
  const uint64_t before = store.Find("v")->version;
  SEQ_ASSERT_OK(InitializeVariables(1, store));
  EXPECT_GT(store.Find("v")->version, before);
}

TEST(Initializers, RefusesWhatHasNoMeaning) {
  const auto status = [](const VariableDef& def) {
    VariableStore store;
    SEQ_EXPECT_OK(store.Declare(def));
    return InitializeVariables(1, store);
  };
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(status(Def("bias", {8}, Initializer::Orthogonal())), StatusIs(kInvalid, "'bias'"));
  EXPECT_THAT(status(Def("t", {}, Initializer::Uniform(1), DType::kInt64)),
              StatusIs(kInvalid, "float type"));
  EXPECT_THAT(status(Def("t", {}, Initializer::Constant(0.5), DType::kInt64)),
              StatusIs(kInvalid, "whole number"));
  EXPECT_THAT(status(Def("v", {2}, Initializer::Constant(NAN))), StatusIs(kInvalid, "finite"));
}

}  // namespace
}  // namespace seqgraph
