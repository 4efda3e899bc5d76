#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/evaluate.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr double kEps = 0x1p-23;

// The bounds of a use of an op whose inputs and exact outputs are given.
std::vector<ErrorBound> Bounds(const std::string& name, const Attributes& attributes,
                               const std::vector<Tensor>& inputs,
                               const std::vector<Tensor>& exact) {
  const OpDef& op = *AllOps().Find(name);
  std::vector<const Tensor*> in(op.inputs().size(), nullptr), out;
  for (size_t i = 0; i < inputs.size(); ++i) in[i] = &inputs[i];
  for (const Tensor& tensor : exact) out.push_back(&tensor);
  auto bounds = op.BoundsOf(*op.CompleteAttributes(attributes), in, out);
  EXPECT_TRUE(bounds.ok()) << bounds.status();
  return bounds.ok() ? *bounds : std::vector<ErrorBound>(exact.size());
}

Tensor Reals(const Shape& shape, std::initializer_list<double> values) {
  return Tensor::Of<double>(shape, values);
}

TEST(NumericBounds, SumAndRecurrenceAreTheirFormulas) {
  EXPECT_EQ(SumRoundings(0), 4);
  EXPECT_EQ(SumRoundings(25), 20);
  EXPECT_EQ(SumRoundings(1000), 500);
  EXPECT_EQ(SumRoundings(1000000), 4096);
  EXPECT_EQ(SumRoundings(4000000), 8000);
  // k T = 3 x 100: log2 300 = 8.2 -> 9; backward k = 3 x 64: log2 19200 = 14.2 -> 15.
  EXPECT_EQ(RecurrenceBound(1, 8, 64, 100, false), 36 * kEps);
  EXPECT_EQ(RecurrenceBound(1, 8, 64, 100, true), 120 * kEps);
}

// x = (1, -1), w = (3, 3): the result 0 has cancelled, the terms add up to 6; k = 2 + 1.
TEST(NumericBounds, TermsThatCancelInASumCountInFull) {
  const auto bounds =
      Bounds("Dense", {}, {Reals({1, 2}, {1, -1}), Reals({2, 1}, {3, 3})}, {Reals({1, 1}, {0})});
  EXPECT_EQ(bounds[0].scale, 6);
  EXPECT_EQ(bounds[0].epsilons, 4 * std::sqrt(3.0));
  EXPECT_DOUBLE_EQ(bounds[0].absolute(), 24 * std::sqrt(3.0) * kEps);
}

// Id 1 occurs three times, id 0 once.
TEST(NumericBounds, AnEmbeddingGradientSumsAsManyTermsAsAnIdOccurs) {
  const Tensor ids = Tensor::Of<int32_t>({4}, {1, 0, 1, 1});
  const auto bounds = Bounds("EmbeddingGrad", {{"rows", int64_t{2}}},
                             {ids, Reals({4, 1}, {1, 5, -2, 3})}, {Reals({2, 1}, {5, 2})});
  EXPECT_EQ(bounds[0].epsilons, 4 * std::sqrt(3.0));
  EXPECT_EQ(bounds[0].scale, 6);  // 1 + 2 + 3 > 5
}

TEST(NumericBounds, WhatOnlyMovesIsExact) {
  const auto bounds = Bounds("Relu", {}, {Reals({2}, {-1, 1e6})}, {Reals({2}, {0, 1e6})});
  EXPECT_EQ(bounds[0].epsilons, 0);
  EXPECT_EQ(bounds[0].absolute(), std::numeric_limits<float>::min());
}

TEST(NumericBounds, WhatIsNotFiniteCountsForNoScale) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto bounds = Bounds("Add", {}, {Reals({2}, {1, infinity}), Reals({2}, {2, 0})},
                             {Reals({2}, {3, infinity})});
  EXPECT_EQ(bounds[0].scale, 3);
}

// The same for an index counted from the end.
TEST(NumericBounds, AGatherGradientSumsAsManyTermsAsAnIndexOccurs) {
  const Tensor indices = Tensor::Of<int32_t>({3}, {1, -1, 0});
  const auto bounds =
      Bounds("GatherGrad", {{"axis", int64_t{0}}},
             {Reals({3}, {1, -2, 7}), indices, Reals({2}, {0, 0})}, {Reals({2}, {7, -1})});
  EXPECT_EQ(bounds[0].epsilons, 4 * std::sqrt(2.0));
  EXPECT_EQ(bounds[0].scale, 7);
}

// g = 1 twice with rho 0.75, v = 1, a = 0: v' = 1, a' = 0.25, so that d = v' - a'^2 = 15 / 16
// (epsilon aside) is off by 16 / 15 as much as v' is; the step 0.1 / sqrt(d) of w = 2.
TEST(NumericBounds, ACenteredRootIsAsBadAsItsDifference) {
  const Tensor one = Reals({1}, {1}), zero = Reals({1}, {0}), two = Reals({1}, {2});
  const double step = 0.1 / std::sqrt(15.0 / 16);
  const auto bounds = Bounds("RMSPropUpdate", {{"centered", true}, {"rho", 0.75}, {"epsilon", 0.0}},
                             {two, one, Reals({}, {0.1}), one, one, zero},
                             {Reals({1}, {2 - step}), one, one, Reals({1}, {0.25})});
  EXPECT_NEAR(bounds[0].epsilons, 12 + 12 * step / 2 * 16 / 15, 1e-9);
  EXPECT_EQ(bounds[1].epsilons, 12);  // of v' itself no difference is taken
}

// How large bounds are in float32, over random uses of each op from the smallest to the kit's
// largest.
class BoundsOfSamples : public testing::TestWithParam<const OpDef*> {};

struct Use {
  OptionalTensors inputs, exact;
  std::vector<ErrorBound> bounds;
};

constexpr uint64_t kSeed = 20261128;

absl::StatusOr<Use> DrawUse(const OpDef& op, SampleSource& source) {
  const OpSample sample = op.sampler()(source);
  SEQ_ASSIGN_OR_RETURN(const Attributes complete, op.CompleteAttributes(sample.attributes));
  const Attributes attributes = CastReals(complete, DType::kFloat64);
  Use use{CastReals(CastReals(sample.inputs, DType::kFloat32), DType::kFloat64), {}, {}};
  SEQ_ASSIGN_OR_RETURN(use.exact, Evaluate(op, attributes, use.inputs));
  SEQ_ASSIGN_OR_RETURN(use.bounds,
                       op.BoundsOf(attributes, PointersTo(use.inputs), PointersTo(use.exact)));
  return use;
}

// Of the operands of small uses.
int LargestRank(const OpDef& op) {
  int rank = 0;
  SampleSource source(kSeed, /*max_dim=*/2);
  for (int draw = 0; draw < 32; ++draw) {
    const absl::StatusOr<Use> use = DrawUse(op, source);
    if (!use.ok()) continue;
    for (const auto* tensors : {&use->inputs, &use->exact}) {
      for (const std::optional<Tensor>& tensor : *tensors) {
        if (tensor.has_value()) rank = std::max(rank, tensor->shape().rank());
      }
    }
  }
  return rank;
}

TEST_P(BoundsOfSamples, AreBelowAThousandthOfTheirScale) {
  const OpDef& op = *GetParam();
  const int large_draws = LargestRank(op) <= 3 ? 2 : 0;
  double worst = 0;
  for (const auto& [max_dim, draws] : {std::pair{1, 20}, {5, 100}, {33, 20}, {129, large_draws}}) {
    SampleSource source(kSeed, max_dim);
    for (int draw = 0; draw < draws; ++draw) {
      SCOPED_TRACE(testing::Message()
                   << "seed " << kSeed << ", extents to " << max_dim << ", draw " << draw);
      SEQ_ASSERT_OK_AND_ASSIGN(const Use use, DrawUse(op, source));
      for (size_t o = 0; o < use.bounds.size(); ++o) {
        const ErrorBound& bound = use.bounds[o];
        EXPECT_FALSE(bound.formula.empty());
        EXPECT_LT(bound.epsilons * kFloatEpsilon, 1e-3) << bound.formula;
        const double largest = LargestFiniteMagnitude(*use.exact[o]);
        if (largest > 0) worst = std::max(worst, bound.absolute() / largest);
      }
    }
  }
  std::printf("largest bound over largest element: %.2g\n", worst);
}

INSTANTIATE_TEST_SUITE_P(AllOps, BoundsOfSamples, testing::ValuesIn(AllOps().All()),
                         [](const auto& info) { return info.param->name(); });

}  // namespace
}  // namespace seqgraph
