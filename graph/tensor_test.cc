#include "graph/tensor.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

bool Aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % 64 == 0; }

TEST(Tensor, ZerosIsZeroAlignedAndTyped) {
  for (int64_t size : {0, 1, 15, 16, 17, 1000}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Tensor t, Tensor::Zeros({DType::kFloat64, {size}}));
    EXPECT_NE(t.data(), nullptr) << size;
    EXPECT_TRUE(Aligned(t.data())) << size;
    EXPECT_EQ(t.num_bytes(), 8 * size);
    for (double x : t.Elements<double>()) EXPECT_EQ(x, 0);
  }
}

TEST(Tensor, ZerosRefusesShapesThatAreNotStaticOrTooLarge) {
  EXPECT_THAT(Tensor::Zeros({DType::kFloat32, {Dim::Batch(), 2}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "[batch, 2]"));
  EXPECT_THAT(Tensor::Zeros({DType::kFloat32, {Shape::kMaxElements, 2}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Tensor::Zeros({DType::kFloat32, {-1}}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Tensor, OfKeepsElementsInRowMajorOrder) {
  const Tensor t = Tensor::Of<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(t.type(), (TensorType{DType::kInt32, {2, 3}}));
  EXPECT_THAT(t.Elements<int32_t>(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(Aligned(t.data()));
  EXPECT_EQ(Tensor::Scalar(2.5).type(), (TensorType{DType::kFloat64, {}}));
}

TEST(Tensor, ADefaultOneIsAnEmptyVector) {
  EXPECT_EQ(Tensor().type(), (TensorType{DType::kFloat32, {0}}));
}

TEST(Tensor, ACopyHasElementsOfItsOwn) {
  Tensor a = Tensor::Of<float>({2}, {1, 2});
  Tensor b = a;
  b.Elements<float>()[0] = 9;
  EXPECT_THAT(a.Elements<float>(), ElementsAre(1, 2));
  a = b;
  b.Elements<float>()[1] = 7;
  EXPECT_THAT(a.Elements<float>(), ElementsAre(9, 2));
  const Tensor& alias = a;
  a = alias;
  EXPECT_THAT(a.Elements<float>(), ElementsAre(9, 2));
}

TEST(Tensor, CopyOfTakesTheElementsThatLieThere) {
  const float elements[] = {1, 2, 3, 4};
  const Tensor t = Tensor::CopyOf({DType::kFloat32, {3, 1}}, elements);
  EXPECT_TRUE(t.BitwiseEquals(Tensor::Of<float>({3, 1}, {1, 2, 3})));
  EXPECT_EQ(Tensor::CopyOf({DType::kFloat32, {0}}, nullptr).num_elements(), 0);
}

TEST(Tensor, AMoveKeepsTheMemory) {
  Tensor a = Tensor::Of<float>({2}, {1, 2});
  const void* memory = a.data();
  const Tensor b = std::move(a);
  EXPECT_EQ(b.data(), memory);
}

TEST(TensorDeathTest, AnotherElementTypeOrCountIsOurOwnBug) {
  const Tensor t = Tensor::Of<float>({2}, {1, 2});
  EXPECT_DEATH(t.Elements<double>(), "internal error");
  EXPECT_DEATH(Tensor::Of<float>({3}, {1, 2}), "internal error");
}

TEST(TensorCast, ToFloatRoundsToNearestTiesToEven) {
  // Floats near 1 are 2^-23 apart: 1 + 2^-24 is a tie and goes to even (1), 1 + 3*2^-24 to
  // 1 + 2^-22; a hair above the first tie goes up.
  const Tensor t =
      Tensor::Of<double>({4}, {1 + 0x1p-24, 1 + 3 * 0x1p-24, 1 + 0x1p-24 + 0x1p-40, 0.1});
  EXPECT_THAT(t.Cast(DType::kFloat32).Elements<float>(),
              ElementsAre(1.0f, 1 + 0x1p-22f, 1 + 0x1p-23f, 0.1f));
  // 2^24 + 1 is no float: a tie between 2^24 and 2^24 + 2.
  const Tensor i = Tensor::Of<int32_t>({2}, {16777217, 16777219});
  EXPECT_THAT(i.Cast(DType::kFloat32).Elements<float>(), ElementsAre(16777216.0f, 16777220.0f));
  EXPECT_THAT(i.Cast(DType::kFloat64).Elements<double>(), ElementsAre(16777217.0, 16777219.0));
}

TEST(TensorCast, ToIntegersTruncatesTowardsZero) {
  const Tensor t = Tensor::Of<double>({4}, {2.9, -2.9, 0.5, -0.5});
  EXPECT_THAT(t.Cast(DType::kInt32).Elements<int32_t>(), ElementsAre(2, -2, 0, 0));
  EXPECT_THAT(t.Cast(DType::kInt64).Elements<int64_t>(), ElementsAre(2, -2, 0, 0));
}

TEST(TensorCast, WhatAnIntegerCannotHoldBecomesItsLimit) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  using Limits32 = std::numeric_limits<int32_t>;
  using Limits64 = std::numeric_limits<int64_t>;
  const Tensor t = Tensor::Of<double>({5}, {NAN, kInf, -kInf, 2147483648.0, -2147483648.0});
  EXPECT_THAT(t.Cast(DType::kInt32).Elements<int32_t>(),
              ElementsAre(0, Limits32::max(), Limits32::min(), Limits32::max(), Limits32::min()));
  const Tensor f = Tensor::Of<float>({4}, {NAN, 1e30f, -1e30f, 2147483520.0f});
  EXPECT_THAT(f.Cast(DType::kInt64).Elements<int64_t>(),
              ElementsAre(0, Limits64::max(), Limits64::min(), 2147483520));
}

TEST(TensorCast, KeepsTheShape) {
  const Tensor t = Tensor::Of<float>({2, 0, 3}, {});
  EXPECT_EQ(t.Cast(DType::kInt64).type(), (TensorType{DType::kInt64, {2, 0, 3}}));
}

TEST(TensorBitwiseEquals, NanEqualsItselfAndZerosDifferBySign) {
  EXPECT_TRUE(Tensor::Scalar(NAN).BitwiseEquals(Tensor::Scalar(NAN)));
  EXPECT_FALSE(Tensor::Scalar(0.0f).BitwiseEquals(Tensor::Scalar(-0.0f)));
  EXPECT_FALSE(Tensor::Scalar(1.0f).BitwiseEquals(Tensor::Scalar(1.0)));
  EXPECT_FALSE(Tensor::Of<float>({2}, {1, 2}).BitwiseEquals(Tensor::Of<float>({1, 2}, {1, 2})));
  EXPECT_FALSE(Tensor::Of<float>({2}, {1, 2}).BitwiseEquals(Tensor::Of<float>({2}, {1, 3})));
}

TEST(TensorView, AnAbsentOneIsFalse) {
  float x[2] = {1, 2};
  EXPECT_FALSE(TensorView<float>());
  const TensorView<float> view{x, {2}};
  EXPECT_TRUE(view);
  EXPECT_EQ(view.size(), 2);
  EXPECT_EQ(view.dim(0), 2);
  EXPECT_EQ(view[1], 2);
}

}  // namespace
}  // namespace seqgraph
