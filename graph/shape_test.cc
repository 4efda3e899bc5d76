#include "graph/shape.h"

#include <cstdint>
#include <limits>

#include "graph/dtype.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(DType, NamesAndSizesAreThoseOfTheElements) {
  EXPECT_EQ(DTypeName(DType::kFloat32), "float32");
  EXPECT_EQ(DTypeName(DType::kFloat64), "float64");
  EXPECT_EQ(DTypeName(DType::kInt32), "int32");
  EXPECT_EQ(DTypeName(DType::kInt64), "int64");
  EXPECT_EQ(SizeOf(DType::kFloat32), 4);
  EXPECT_EQ(SizeOf(DType::kFloat64), 8);
  EXPECT_EQ(SizeOf(DType::kInt32), 4);
  EXPECT_EQ(SizeOf(DType::kInt64), 8);
}

TEST(DType, ParseReadsExactlyTheNames) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kInt64}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const DType parsed, ParseDType(DTypeName(dtype)));
    EXPECT_EQ(parsed, dtype);
  }
  for (const char* wrong : {"", "float", "Float32", "float32 ", "int8"}) {
    EXPECT_THAT(ParseDType(wrong), StatusIs(absl::StatusCode::kInvalidArgument, "float32"))
        << wrong;
  }
}

TEST(DType, OnlyFloatsAreReal) {
  EXPECT_TRUE(IsReal(DType::kFloat32));
  EXPECT_TRUE(IsReal(DType::kFloat64));
  EXPECT_FALSE(IsReal(DType::kInt32));
  EXPECT_FALSE(IsReal(DType::kInt64));
}

TEST(Shape, PrintsTheBatchByName) {
  EXPECT_EQ((Shape{Dim::Batch(), 100, 16}).ToString(), "[batch, 100, 16]");
  EXPECT_EQ(Shape{}.ToString(), "[]");
  EXPECT_EQ((TensorType{DType::kInt32, {Dim::Batch(), 100}}).ToString(), "int32[batch, 100]");
}

TEST(Shape, BindSetsEveryBatchExtentAndNothingElse) {
  const Shape shape{Dim::Batch(), 3, Dim::Batch()};
  EXPECT_FALSE(shape.is_static());
  const Shape bound = shape.Bind(7);
  EXPECT_TRUE(bound.is_static());
  EXPECT_EQ(bound, (Shape{7, 3, 7}));
  EXPECT_EQ((Shape{2, 3}).Bind(7), (Shape{2, 3}));
}

TEST(Shape, AScalarHasOneElementAndAZeroExtentNone) {
  EXPECT_EQ(Shape{}.num_elements(), 1);
  EXPECT_EQ((Shape{4, 0, 5}).num_elements(), 0);
  EXPECT_EQ((Shape{2, 3, 4}).num_elements(), 24);
  EXPECT_EQ((TensorType{DType::kInt64, {2, 3}}).num_bytes(), 48);
}

TEST(Shape, EqualityComparesRankAndExtents) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2}), (Shape{2, 1}));
  EXPECT_NE((Shape{Dim::Batch()}), (Shape{1}));
  EXPECT_NE((TensorType{DType::kFloat32, {2}}), (TensorType{DType::kFloat64, {2}}));
}

TEST(ShapeValidate, TakesRanksUpToTheLimit) {
  Shape shape;
  for (int i = 0; i < Shape::kMaxRank; ++i) shape.Append(1);
  SEQ_EXPECT_OK(shape.Validate());
  shape.Append(1);
  EXPECT_THAT(shape.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, "rank 9; at most 8"));
}

TEST(ShapeValidate, TakesElementsUpToTheLimit) {
  const int64_t limit = Shape::kMaxElements;
  SEQ_EXPECT_OK(Shape{limit}.Validate());
  SEQ_EXPECT_OK((Shape{int64_t{1} << 20, int64_t{1} << 20}).Validate());
  EXPECT_THAT(Shape{limit + 1}.Validate(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT((Shape{limit, 2}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, "more than 1099511627776 elements"));
}

TEST(ShapeValidate, DoesNotOverflowOnHugeProducts) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_THAT((Shape{huge, huge}).Validate(), StatusIs(absl::StatusCode::kInvalidArgument));
  // 2^32 * 2^32 is 0 in 64 bits.
  EXPECT_THAT((Shape{int64_t{1} << 32, int64_t{1} << 32}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ShapeValidate, AZeroExtentDoesNotHideHugeOthers) {
  SEQ_EXPECT_OK((Shape{0, 5}).Validate());
  EXPECT_THAT((Shape{Shape::kMaxElements, 0, Shape::kMaxElements}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ShapeValidate, RefusesNegativeExtents) {
  for (int64_t extent : {int64_t{-1}, int64_t{-2}, std::numeric_limits<int64_t>::min() + 1}) {
    EXPECT_THAT((Shape{2, extent}).Validate(),
                StatusIs(absl::StatusCode::kInvalidArgument, "negative extent"))
        << extent;
  }
}

TEST(ShapeValidate, MinusOneIsNotTheBatch) {
  EXPECT_FALSE(Dim(-1).is_batch());
  EXPECT_NE(Dim(-1), Dim::Batch());
}

TEST(ShapeValidate, TheBatchCountsAsOne) {
  SEQ_EXPECT_OK((Shape{Dim::Batch(), Shape::kMaxElements}).Validate());
  EXPECT_THAT((Shape{Dim::Batch(), Shape::kMaxElements}).Bind(2).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace seqgraph
