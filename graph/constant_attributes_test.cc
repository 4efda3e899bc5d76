#include "graph/constant_attributes.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace seqgraph {
namespace {

TEST(ConstantAttributes, HoldWhatDiffersElementByElement) {
  const Tensor content = Tensor::Of<int64_t>({2, 2}, {1, -2, int64_t{1} << 62, 4});
  const Attributes attributes = ConstantAttributes(content);
  EXPECT_TRUE(attributes.GetTensor("value").BitwiseEquals(content));
  EXPECT_EQ(attributes.Find("shape"), nullptr);
}

TEST(ConstantAttributes, HoldEqualElementsOnce) {
  const Attributes attributes = ConstantAttributes(Tensor::Of<float>({3, 1}, {2, 2, 2}));
  EXPECT_TRUE(attributes.GetTensor("value").BitwiseEquals(Tensor::Scalar<float>(2)));
  EXPECT_EQ(attributes.GetInts("shape"), (std::vector<int64_t>{3, 1}));
}

TEST(ConstantAttributes, TellMinusZeroFromZeroAndKeepNaN) {
  const Tensor zeros = Tensor::Of<float>({2}, {0.0f, -0.0f});
  EXPECT_TRUE(ConstantAttributes(zeros).GetTensor("value").BitwiseEquals(zeros));
  const Tensor none = Tensor::Of<float>({2}, {std::nanf(""), std::nanf("")});
  EXPECT_TRUE(std::isnan(ConstantAttributes(none).GetTensor("value").Elements<float>()[0]));
  EXPECT_EQ(ConstantAttributes(none), ConstantAttributes(none));
}

TEST(ConstantAttributes, OfScalarsAndOfNothingAreTheContentItself) {
  for (const Tensor& content : {Tensor::Scalar<float>(0.5f), Tensor::Of<float>({0, 3}, {})}) {
    const Attributes attributes = ConstantAttributes(content);
    EXPECT_TRUE(attributes.GetTensor("value").BitwiseEquals(content));
    EXPECT_EQ(attributes.Find("shape"), nullptr);
  }
}

}  // namespace
}  // namespace seqgraph
