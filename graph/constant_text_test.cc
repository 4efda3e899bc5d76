#include "graph/constant_text.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(ConstantText, HasOneNumberForEqualElementsAndAllOthersInOrder) {
  EXPECT_EQ(ConstantText(Tensor::Scalar<float>(0.5f)), "0.5");
  EXPECT_EQ(ConstantText(Tensor::Of<float>({3}, {2, 2, 2})), "2");
  EXPECT_EQ(ConstantText(Tensor::Of<int64_t>({2, 2}, {1, -2, 3, 4})), "1 -2 3 4");
  EXPECT_EQ(ConstantText(Tensor::Of<float>({0}, {})), "0");
}

TEST(ConstantText, TellsMinusZeroFromZero) {
  EXPECT_EQ(ConstantText(Tensor::Of<float>({2}, {0.0f, -0.0f})), "0 -0");
}

TEST(ConstantText, IsAbsentWhereTheOpWouldRefuse) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(ConstantText(Tensor::Scalar<double>(kInfinity)).has_value());
  EXPECT_FALSE(ConstantText(Tensor::Scalar<double>(std::nan(""))).has_value());
  EXPECT_FALSE(ConstantText(Tensor::Scalar<int64_t>(int64_t{1} << 53)).has_value());
  EXPECT_TRUE(ConstantText(Tensor::Scalar<int64_t>((int64_t{1} << 53) - 1)).has_value());
}

TEST(ConstantText, HoldsAsManyDifferentElementsAsTheOp) {
  std::vector<float> most(kMaxConstantElements, 1.0f);
  most[0] = 2.0f;
  EXPECT_TRUE(ConstantText(Tensor::Of<float>({kMaxConstantElements}, most)).has_value());
  std::vector<float> more(kMaxConstantElements + 1, 1.0f);
  EXPECT_EQ(ConstantText(Tensor::Of<float>({kMaxConstantElements + 1}, more)), "1");
  more[0] = 2.0f;
  EXPECT_FALSE(ConstantText(Tensor::Of<float>({kMaxConstantElements + 1}, more)).has_value());
}

}  // namespace
}  // namespace seqgraph
