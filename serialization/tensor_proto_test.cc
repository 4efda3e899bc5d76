#include "serialization/tensor_proto.h"

#include <cstdint>
#include <set>
#include <string>

#include "serialization/proto_guard.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

proto::Tensor FromText(const std::string& text) {
  proto::Tensor tensor;
  SEQ_EXPECT_OK(ParseTextProto(text, &tensor));
  return tensor;
}

TEST(TypeProtoTest, TheBatchIsMinusOne) {
  const TensorType type{DType::kInt32, {Dim::Batch(), 100, 0}};
  const proto::TensorType saved = TypeToProto(type);
  EXPECT_EQ(PrintTextProto(saved), "dtype: INT32\ndims: [-1, 100, 0]\n");
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorType read, TypeFromProto(saved));
  EXPECT_EQ(read, type);
}

// The numbers are those of older files, and of backend plugins (SG_FLOAT32, ...).
TEST(TypeProtoTest, EveryElementTypeGoesThereAndBack) {
  EXPECT_EQ(DTypeToProto(DType::kFloat32), 1);
  EXPECT_EQ(DTypeToProto(DType::kFloat64), 2);
  EXPECT_EQ(DTypeToProto(DType::kInt32), 3);
  EXPECT_EQ(DTypeToProto(DType::kInt64), 4);
  std::set<DType> known;
  for (int number = -1; number < 20; ++number) {
    const absl::StatusOr<DType> read = DTypeFromProto(static_cast<proto::DType>(number));
    ASSERT_EQ(read.ok(), number != 0 && proto::DType_IsValid(number)) << number;
    if (!read.ok()) continue;
    EXPECT_EQ(DTypeToProto(*read), number);
    EXPECT_TRUE(known.insert(*read).second) << number;
  }
}

TEST(TypeProtoTest, RefusesWhatIsNoType) {
  const auto parse = [](const std::string& text) {
    proto::TensorType type;
    SEQ_EXPECT_OK(ParseTextProto(text, &type));
    return TypeFromProto(type).status();
  };
  EXPECT_THAT(parse("dims: [2]"), StatusIs(kInvalid, "element type 0"));
  proto::TensorType unknown;
  unknown.set_dtype(static_cast<proto::DType>(9));
  EXPECT_THAT(TypeFromProto(unknown), StatusIs(kInvalid, "element type 9"));
  EXPECT_THAT(parse("dtype: INT32 dims: [2, -2]"), StatusIs(kInvalid, "extent -2"));
  EXPECT_THAT(parse("dtype: INT32 dims: [1,1,1,1,1,1,1,1,1]"), StatusIs(kInvalid, "rank 9"));
  EXPECT_THAT(parse("dtype: INT32 dims: [4294967296, 4294967296]"), StatusIs(kInvalid, "elements"));
  EXPECT_THAT(parse("dtype: INT32 dims: [0, 9223372036854775807]"), StatusIs(kInvalid, "elements"));
}

TEST(TensorProtoTest, BothEncodingsKeepEveryBitOfEveryFloat) {
  const Tensor all = Tensor::Of<float>({16}, AwkwardFloats());
  const Tensor numbers = Tensor::Of<float>({13}, AwkwardFloats().subspan(0, 13));
  for (const Tensor& tensor : {all, numbers}) {
    for (const TensorEncoding encoding : {TensorEncoding::kRaw, TensorEncoding::kValues}) {
      const proto::Tensor saved = TensorToProto(tensor, encoding);
      proto::Tensor reread;
      SEQ_ASSERT_OK(ParseTextProto(PrintTextProto(saved), &reread));
      SEQ_ASSERT_OK_AND_ASSIGN(const Tensor read, TensorFromProto(reread));
      EXPECT_TRUE(read.BitwiseEquals(tensor));
    }
  }
  // Values where they are exact; bytes where some element is NaN.
  EXPECT_EQ(TensorToProto(numbers, TensorEncoding::kValues).float32_values_size(), 13);
  EXPECT_EQ(TensorToProto(all, TensorEncoding::kValues).raw().size(), 64u);
}

TEST(TensorProtoTest, RawBytesAreLittleEndian) {
  const Tensor tensor = Tensor::Of<int32_t>({2}, {1, -2});
  EXPECT_EQ(TensorToProto(tensor, TensorEncoding::kRaw).raw(),
            std::string("\x01\0\0\0\xFE\xFF\xFF\xFF", 8));
}

TEST(TensorProtoTest, ElementsAreCountedBeforeAnythingIsAllocated) {
  EXPECT_THAT(TensorFromProto(FromText("type { dtype: FLOAT32 dims: [1099511627776] }")),
              StatusIs(kInvalid, "needs 4398046511104 bytes, found 0"));
  EXPECT_THAT(TensorFromProto(FromText("type { dtype: FLOAT64 dims: [2] } raw: 'abcdefgh'")),
              StatusIs(kInvalid, "needs 16 bytes, found 8"));
  EXPECT_THAT(
      TensorFromProto(FromText("type { dtype: FLOAT32 dims: [2] } float32_values: [1, 2, 3]")),
      StatusIs(kInvalid, "needs 2 values, found 3"));
}

TEST(TensorProtoTest, RefusesAMixOfElements) {
  EXPECT_THAT(TensorFromProto(
                  FromText("type { dtype: FLOAT32 dims: [1] } raw: 'abcd' float32_values: [1]")),
              StatusIs(kInvalid, "twice"));
  EXPECT_THAT(TensorFromProto(FromText(
                  "type { dtype: FLOAT32 dims: [1] } float32_values: [1] int32_values: [1]")),
              StatusIs(kInvalid, "another element type"));
  EXPECT_THAT(TensorFromProto(FromText("type { dtype: FLOAT32 dims: [1] } int32_values: [1]")),
              StatusIs(kInvalid, "needs 1 values, found 0"));
  EXPECT_THAT(TensorFromProto(FromText("type { dtype: FLOAT32 dims: [-1] } float32_values: [1]")),
              StatusIs(kInvalid, "symbolic batch"));
}

TEST(TensorProtoTest, AnEmptyTensorNeedsNoElements) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Tensor tensor,
                           TensorFromProto(FromText("type { dtype: INT64 dims: [3, 0] }")));
  EXPECT_EQ(tensor.type(), (TensorType{DType::kInt64, {3, 0}}));
}

}  // namespace
}  // namespace seqgraph
