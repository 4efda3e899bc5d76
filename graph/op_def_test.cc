#include "graph/op_def.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using Inputs = std::vector<std::optional<TensorType>>;

OpDef AttributedOp() {
  return CopyOp("Attributed")
      .Attribute({.name = "size", .kind = AttributeKind::kInt})
      .Attribute({.name = "rate", .kind = AttributeKind::kFloat, .default_value = 0.9})
      .Attribute({.name = "mode",
                  .kind = AttributeKind::kString,
                  .default_value = "soft",
                  .one_of = {"soft", "hard"}});
}

TEST(CompleteAttributes, FillsInDefaultsAndKeepsWhatIsGiven) {
  const OpDef def = AttributedOp();
  SEQ_ASSERT_OK_AND_ASSIGN(const Attributes defaults, def.CompleteAttributes({{"size", 3}}));
  EXPECT_EQ(defaults, (Attributes{{"size", 3}, {"rate", 0.9}, {"mode", "soft"}}));
  const Attributes all{{"size", 3}, {"rate", 0.5}, {"mode", "hard"}};
  SEQ_ASSERT_OK_AND_ASSIGN(const Attributes given, def.CompleteAttributes(all));
  EXPECT_EQ(given, all);
}

TEST(CompleteAttributes, AnAttributeWithoutDefaultMustBeGiven) {
  EXPECT_THAT(AttributedOp().CompleteAttributes({}),
              StatusIs(absl::StatusCode::kInvalidArgument, "attribute size must be given"));
}

TEST(CompleteAttributes, AnUnknownNameIsAnErrorThatListsTheKnown) {
  EXPECT_THAT(AttributedOp().CompleteAttributes({{"size", 3}, {"sise", 3}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "unknown attribute sise; Attributed has size, rate, mode"));
  EXPECT_THAT(CopyOp("Plain").CompleteAttributes({{"size", 3}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "Plain has none"));
}

TEST(CompleteAttributes, AnotherKindIsAnError) {
  EXPECT_THAT(AttributedOp().CompleteAttributes({{"size", 3.0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "size must be of kind int, got 3"));
  EXPECT_THAT(AttributedOp().CompleteAttributes({{"size", 3}, {"mode", 1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "mode must be of kind string, got 1"));
}

TEST(CompleteAttributes, ATextMustBeOneOfThoseAllowed) {
  EXPECT_THAT(
      AttributedOp().CompleteAttributes({{"size", 3}, {"mode", "Hard"}}),
      StatusIs(absl::StatusCode::kInvalidArgument, "mode must be one of soft, hard; got \"Hard\""));
}

TEST(CompleteAttributes, NanIsRefusedAndInfinityAllowed) {
  EXPECT_THAT(AttributedOp().CompleteAttributes({{"size", 3}, {"rate", NAN}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "rate must not be NaN"));
  SEQ_EXPECT_OK(AttributedOp().CompleteAttributes({{"size", 3}, {"rate", INFINITY}}));
}

OpDef TypedOp() {
  return CopyOp("Typed")
      .Input({.name = "ids", .type = TypeRule::kIndex})
      .Input({.name = "t", .type = TypeRule::kCounter})
      .Input({.name = "w", .optional = true});
}

const TensorType kFloat{DType::kFloat32, {2}};
const TensorType kDouble{DType::kFloat64, {2}};
const TensorType kInt{DType::kInt32, {2}};
const TensorType kLong{DType::kInt64, {2}};

TEST(InferTypes, TakesEachRuleItsType) {
  const OpDef def = TypedOp();
  SEQ_ASSERT_OK_AND_ASSIGN(auto floats,
                           def.InferTypes(Inputs{kFloat, kInt, kLong, kFloat}, Attributes()));
  EXPECT_THAT(floats, ElementsAre(kFloat));
  SEQ_ASSERT_OK_AND_ASSIGN(auto doubles,
                           def.InferTypes(Inputs{kDouble, kInt, kLong, std::nullopt}, {}));
  EXPECT_THAT(doubles, ElementsAre(kDouble));
}

TEST(InferTypes, AWrongTypeIsAnErrorThatNamesTheInput) {
  const OpDef def = TypedOp();
  EXPECT_THAT(
      def.InferTypes(Inputs{kInt, kInt, kLong, std::nullopt}, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, "input x must be float32, got int32[2]"));
  EXPECT_THAT(
      def.InferTypes(Inputs{kFloat, kFloat, kLong, std::nullopt}, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, "input ids must be int32, got float32[2]"));
  EXPECT_THAT(def.InferTypes(Inputs{kFloat, kInt, kInt, std::nullopt}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "input t must be int64, got int32[2]"));
}

TEST(InferTypes, RealInputsOfOneNodeHaveOneType) {
  EXPECT_THAT(
      TypedOp().InferTypes(Inputs{kFloat, kInt, kLong, kDouble}, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, "input w must be float32, got float64[2]"));
}

TEST(InferTypes, OnlyAnOptionalInputMayBeMissing) {
  EXPECT_THAT(TypedOp().InferTypes(Inputs{kFloat, std::nullopt, kLong, kFloat}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "input ids is missing"));
  EXPECT_THAT(TypedOp().InferTypes(Inputs{kFloat}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "takes 4 inputs, got 1"));
}

OpDef OpGiving(const TensorType& type) {
  return CopyOp("Giving").Shapes(
      [type](const ShapeContext&) -> absl::StatusOr<std::vector<TensorType>> {
        return std::vector<TensorType>{type};
      });
}

TEST(InferTypes, ChecksTheShapesThatTheRuleGives) {
  EXPECT_THAT(OpGiving({DType::kFloat32, {-1}}).InferTypes(Inputs{kFloat}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "output y: shape [-1]"));
}

TEST(InferTypes, ChecksTheElementTypesThatTheRuleGives) {
  EXPECT_THAT(OpGiving(kDouble).InferTypes(Inputs{kFloat}, {}),
              StatusIs(absl::StatusCode::kInternal, "float64[2] for output y"));
  EXPECT_THAT(OpGiving(kInt).InferTypes(Inputs{kFloat}, {}), StatusIs(absl::StatusCode::kInternal));
}

TEST(InferTypes, WithoutRealInputTheOutputMayBeOfEitherFloatType) {
  const OpDef& ramp = *TestOps().Find("Ramp");
  for (DType real : {DType::kFloat32, DType::kFloat64}) {
    SEQ_ASSERT_OK_AND_ASSIGN(auto types, ramp.InferTypes(Inputs{kInt}, {{"dtype", real}}));
    EXPECT_THAT(types, ElementsAre(TensorType{real, {2}}));
  }
  EXPECT_THAT(ramp.InferTypes(Inputs{kInt}, {{"dtype", DType::kInt64}}),
              StatusIs(absl::StatusCode::kInternal));
}

TEST(OpDef, FindsInputsAndOutputsByName) {
  const OpDef def = TypedOp();
  EXPECT_EQ(def.FindInput("t"), 2);
  EXPECT_EQ(def.FindInput("y"), -1);
  EXPECT_EQ(def.FindOutput("y"), 0);
  EXPECT_EQ(def.FindOutput("x"), -1);
}

TEST(ReferenceContext, AnotherElementTypeIsOurOwnBug) {
  float x = 1;
  const TensorType type{DType::kFloat32, {}};
  const ReferenceContext::Operand operand{&x, &type};
  const Attributes attributes;
  const ReferenceContext context({&operand, 1}, {}, attributes);
  EXPECT_EQ(context.input<float>(0)[0], 1);
  EXPECT_DEATH(context.input<double>(0), "internal error");
}

TEST(SampleSource, StaysInItsRangesAndRepeatsForASeed) {
  SampleSource source(7), again(7), other(8);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const int64_t x = source.Int(-3, 4);
    EXPECT_GE(x, -3);
    EXPECT_LE(x, 4);
    EXPECT_EQ(again.Int(-3, 4), x);
    differs |= other.Int(-3, 4) != x;
  }
  EXPECT_TRUE(differs);
  const Tensor reals = source.RealsAwayFromZero({1000}, 0.25);
  for (double x : reals.Elements<double>()) {
    EXPECT_GE(std::abs(x), 0.25);
    EXPECT_LE(std::abs(x), 1);
  }
  const Tensor indices = source.Indices({1000}, 3);
  for (int32_t id : indices.Elements<int32_t>()) {
    EXPECT_GE(id, 0);
    EXPECT_LT(id, 3);
  }
}

TEST(SampleSource, TakesTheWidestRanges) {
  using Limits = std::numeric_limits<int64_t>;
  SampleSource source(1);
  EXPECT_EQ(source.Int(Limits::max(), Limits::max()), Limits::max());
  bool negative = false, positive = false;
  for (int i = 0; i < 100; ++i) {
    const int64_t x = source.Int(Limits::min(), Limits::max());
    negative |= x < 0;
    positive |= x > 0;
    EXPECT_GE(source.Int(-2, Limits::max()), -2);
  }
  EXPECT_TRUE(negative && positive);
}

}  // namespace
}  // namespace seqgraph
