#include "runtime/numeric_bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

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
  auto bounds = NodeErrorBounds(op, *op.CompleteAttributes(attributes), in, out);
  EXPECT_TRUE(bounds.ok()) << bounds.status();
  return bounds.ok() ? *bounds : std::vector<ErrorBound>(exact.size());
}

Tensor Reals(const Shape& shape, std::initializer_list<double> values) {
  return Tensor::Of<double>(shape, values);
}

TEST(NumericBounds, DotAndRecurrenceAreTheirFormulas) {
  EXPECT_EQ(DotBound(10), 40 * kEps);
  // k T = 3 x 100: log2 300 = 8.2 -> 9; backward k = 3 x 64: log2 19200 = 14.2 -> 15.
  EXPECT_EQ(RecurrenceBound(1, 8, 64, 100, false), 36 * kEps);
  EXPECT_EQ(RecurrenceBound(1, 8, 64, 100, true), 120 * kEps);
}

// x = (1, -1), w = (3, 3): the result 0 has cancelled, the terms add up to 6; k = 2 + 1.
TEST(NumericBounds, TermsThatCancelInASumCountInFull) {
  const auto bounds =
      Bounds("Dense", {}, {Reals({1, 2}, {1, -1}), Reals({2, 1}, {3, 3})}, {Reals({1, 1}, {0})});
  EXPECT_EQ(bounds[0].scale, 6);
  EXPECT_EQ(bounds[0].epsilons, 12);
  EXPECT_DOUBLE_EQ(bounds[0].absolute(), 72 * kEps);
}

// Id 1 occurs three times, id 0 once.
TEST(NumericBounds, AnEmbeddingGradientSumsAsManyTermsAsAnIdOccurs) {
  const Tensor ids = Tensor::Of<int32_t>({4}, {1, 0, 1, 1});
  const auto bounds = Bounds("EmbeddingGrad", {{"rows", int64_t{2}}},
                             {ids, Reals({4, 1}, {1, 5, -2, 3})}, {Reals({2, 1}, {5, 2})});
  EXPECT_EQ(bounds[0].epsilons, 12);
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

// rho 0.9, v' = 1, a' = 0.5: v' / (v' - a'^2) = 4 / 3 (epsilon aside).
TEST(NumericBounds, ACenteredRootIsAsBadAsItsDifference) {
  const Tensor one = Reals({1}, {1}), half = Reals({1}, {0.5});
  const auto plain = Bounds("RMSPropUpdate", {}, {one, one, Reals({}, {0.1}), one, one, half},
                            {one, one, one, half});
  const auto centered = Bounds("RMSPropUpdate", {{"centered", true}},
                               {one, one, Reals({}, {0.1}), one, one, half}, {one, one, one, half});
  EXPECT_NEAR(centered[0].epsilons / plain[0].epsilons, 4.0 / 3, 1e-6);
}

TEST(NumericBounds, EveryOpHasABoundThatIsFiniteAndTellsItsFormula) {
  for (const OpDef* op : AllOps().All()) {
    SCOPED_TRACE(op->name());
    const OpExample& example = op->examples()[0];
    std::vector<const Tensor*> in(op->inputs().size(), nullptr), out(op->outputs().size(), nullptr);
    for (size_t i = 0; i < example.inputs.size(); ++i) {
      if (example.inputs[i].has_value()) in[i] = &*example.inputs[i];
    }
    for (size_t o = 0; o < example.outputs.size(); ++o) {
      if (example.outputs[o].has_value()) out[o] = &*example.outputs[o];
    }
    SEQ_ASSERT_OK_AND_ASSIGN(
        const std::vector<ErrorBound> bounds,
        NodeErrorBounds(*op, *op->CompleteAttributes(example.attributes), in, out));
    for (size_t o = 0; o < bounds.size(); ++o) {
      if (out[o] == nullptr) continue;
      EXPECT_TRUE(std::isfinite(bounds[o].absolute()));
      EXPECT_LT(bounds[o].epsilons, 1000);
      EXPECT_FALSE(bounds[o].formula.empty());
    }
  }
}

}  // namespace
}  // namespace seqgraph
