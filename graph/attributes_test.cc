#include "graph/attributes.h"

#include <cstdlib>
#include <limits>
#include <string>

#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(AttributeToString, PrintsEachKind) {
  EXPECT_EQ(AttributeToString(int64_t{-8}), "-8");
  EXPECT_EQ(AttributeToString(0.9), "0.9");
  EXPECT_EQ(AttributeToString(true), "true");
  EXPECT_EQ(AttributeToString(false), "false");
  EXPECT_EQ(AttributeToString(std::string("tanh")), "\"tanh\"");
  EXPECT_EQ(AttributeToString(std::vector<int64_t>{0, -1}), "[0, -1]");
  EXPECT_EQ(AttributeToString(std::vector<int64_t>{}), "[]");
  EXPECT_EQ(AttributeToString(DType::kFloat32), "float32");
}

TEST(AttributeToString, PrintsTensorsShortOfMoreThanEightElements) {
  EXPECT_EQ(AttributeToString(Tensor::Scalar<float>(0.1f)), "float32[]{0.1}");
  EXPECT_EQ(AttributeToString(Tensor::Of<double>({1, 2}, {0.1, -0.0})), "float64[1, 2]{0.1, -0}");
  EXPECT_EQ(AttributeToString(Tensor::Of<int64_t>({2}, {int64_t{1} << 62, -1})),
            "int64[2]{4611686018427387904, -1}");
  EXPECT_EQ(AttributeToString(Tensor::Of<int32_t>({0, 3}, {})), "int32[0, 3]{}");
  EXPECT_EQ(AttributeToString(Tensor::Of<int32_t>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})),
            "int32[2, 4]{1, 2, 3, 4, 5, 6, 7, 8}");
  EXPECT_EQ(AttributeToString(Tensor::Of<int32_t>({9}, {1, 2, 3, 4, 5, 6, 7, 8, 9})),
            "int32[9]{1, 2, 3, ..., 7, 8, 9}");
}

// Two that print alike, two that compare alike as numbers, and two that do not compare at all.
TEST(AttributeKey, TellsTensorsApartByTheirBits) {
  const Tensor a = Tensor::Of<int32_t>({9}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor b = Tensor::Of<int32_t>({9}, {1, 2, 3, 4, 0, 6, 7, 8, 9});
  EXPECT_EQ(AttributeToString(a), AttributeToString(b));
  EXPECT_NE(AttributeKey(a), AttributeKey(b));
  EXPECT_FALSE(AttributeValue(a) == AttributeValue(b));
  EXPECT_NE(AttributeKey(Tensor::Scalar<float>(0.0f)), AttributeKey(Tensor::Scalar<float>(-0.0f)));
  EXPECT_NE(AttributeKey(Tensor::Scalar<float>(0.0f)), AttributeKey(Tensor::Scalar<int32_t>(0)));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(AttributeKey(Tensor::Scalar(nan)), AttributeKey(Tensor::Scalar(nan)));
  EXPECT_TRUE(AttributeValue(Tensor::Scalar(nan)) == AttributeValue(Tensor::Scalar(nan)));
}

TEST(TensorAttribute, IsSharedByCopies) {
  const Attributes one = {{"value", Tensor::Of<float>({2}, {1, 2})}};
  const Attributes other = one;
  EXPECT_EQ(one.GetTensor("value").data(), other.GetTensor("value").data());
}

TEST(AttributeToString, EscapesTexts) {
  EXPECT_EQ(AttributeToString(std::string("a\"b\\c\n")), "\"a\\\"b\\\\c\\n\"");
}

TEST(AttributeToString, FloatsReadBackExactly) {
  using Limits = std::numeric_limits<double>;
  for (double x : {0.1, 1e-7, 1.0 / 3, -0.0, 1e300, Limits::denorm_min(), Limits::max()}) {
    EXPECT_EQ(std::strtod(AttributeToString(x).c_str(), nullptr), x);
  }
  EXPECT_EQ(AttributeToString(1e-7), "1e-07");
  EXPECT_EQ(AttributeToString(0.1), "0.1");
}

TEST(AttributeValue, LiteralsBecomeTheKindThatTheyLookLike) {
  const Attributes a{{"int", 8},
                     {"float", 0.5},
                     {"bool", true},
                     {"text", "tanh"},
                     {"ints", std::vector<int64_t>{1, 2}},
                     {"dtype", DType::kInt32}};
  EXPECT_EQ(KindOf(*a.Find("int")), AttributeKind::kInt);
  EXPECT_EQ(KindOf(*a.Find("float")), AttributeKind::kFloat);
  EXPECT_EQ(KindOf(*a.Find("bool")), AttributeKind::kBool);
  EXPECT_EQ(KindOf(*a.Find("text")), AttributeKind::kString);
  EXPECT_EQ(KindOf(*a.Find("ints")), AttributeKind::kInts);
  EXPECT_EQ(KindOf(*a.Find("dtype")), AttributeKind::kDType);
  EXPECT_EQ(a.GetInt("int"), 8);
  EXPECT_EQ(a.GetFloat("float"), 0.5);
  EXPECT_TRUE(a.GetBool("bool"));
  EXPECT_EQ(a.GetString("text"), "tanh");
  EXPECT_EQ(a.GetInts("ints"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(a.GetDType("dtype"), DType::kInt32);
}

TEST(AttributeKind, HasAName) {
  EXPECT_EQ(KindName(AttributeKind::kInt), "int");
  EXPECT_EQ(KindName(AttributeKind::kFloat), "float");
  EXPECT_EQ(KindName(AttributeKind::kBool), "bool");
  EXPECT_EQ(KindName(AttributeKind::kString), "string");
  EXPECT_EQ(KindName(AttributeKind::kInts), "ints");
  EXPECT_EQ(KindName(AttributeKind::kDType), "dtype");
}

TEST(Attributes, SetReplacesAndFindTellsWhatIsThere) {
  Attributes a{{"x", 1}};
  a.Set("x", 2);
  a.Set("y", 3);
  EXPECT_EQ(a.GetInt("x"), 2);
  EXPECT_EQ(a.entries().size(), 2u);
  EXPECT_EQ(a.Find("z"), nullptr);
}

TEST(Attributes, EqualityComparesNamesKindsAndValues) {
  EXPECT_EQ((Attributes{{"x", 1}, {"y", 2}}), (Attributes{{"y", 2}, {"x", 1}}));
  EXPECT_FALSE((Attributes{{"x", 1}}) == (Attributes{{"x", 1.0}}));
  EXPECT_FALSE((Attributes{{"x", 1}}) == (Attributes{{"y", 1}}));
}

TEST(AttributesDeathTest, AMissingOneOrAnotherKindIsOurOwnBug) {
  const Attributes a{{"x", 1}};
  EXPECT_DEATH(a.GetInt("y"), "internal error");
  EXPECT_DEATH(a.GetFloat("x"), "internal error");
}

}  // namespace
}  // namespace seqgraph
