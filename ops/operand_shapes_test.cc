#include "ops/operand_shapes.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ops/examples.h"
#include "tests/testing.h"

namespace seqgraph::ops {
namespace {

using testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// x, u, and what may be left out: w, b, mask, weights.
OpDef Toy() {
  return OpDef("Toy", 1)
      .Input({.name = "x", .doc = "[batch, time, features]"})
      .Input({.name = "u", .doc = "[units, 3 units]"})
      .Input({.name = "w", .doc = "[features, 3 units]; absent: none", .optional = true})
      .Input({.name = "b", .doc = "[2, units]; [units] with wide = false", .optional = true})
      .Input({.name = "like", .doc = "the shape of x: any numbers", .optional = true})
      .Input({.name = "rows", .doc = "the shape of x without its last axis", .optional = true})
      .Input({.name = "mask", .type = TypeRule::kIndex, .doc = "a scalar", .optional = true})
      .Attribute({.name = "wide", .kind = AttributeKind::kBool, .default_value = true})
      .Attribute({.name = "depth", .kind = AttributeKind::kInt, .default_value = int64_t{7}})
      .Output({.name = "y", .doc = "[..., units]"})
      .Output({.name = "z", .doc = "[shape of x..., depth]"})
      .Output({.name = "dw", .doc = "the shape of w; [0, 3 units] without w"})
      .Output({.name = "count", .type = TypeRule::kCounter, .doc = "[batch, 2 time]"})
      .Input({.name = "rest", .doc = "[..., time, units]", .optional = true})
      .With(ShapesByDoc({{"C1", {"x"}, "time"},
                         {"C2", {"u"}},
                         {"C3", {"w"}},
                         {"C4", {"b"}},
                         {"C5", {"like"}},
                         {"C6", {"rows"}},
                         {"C7", {"mask"}},
                         {"C8", {"rest"}}}));
}

using Inputs = std::vector<std::optional<TensorType>>;

// Valid, with all inputs.
Inputs Valid() {
  return {RealType({2, 4, 5}), RealType({3, 9}), RealType({5, 9}), RealType({2, 3}),
          RealType({2, 4, 5}), RealType({2, 4}), IndexType({}),    RealType({6, 8, 4, 3})};
}

absl::StatusOr<std::vector<TensorType>> TypesWith(int input, std::optional<TensorType> type,
                                                  const Attributes& attributes = {}) {
  const OpDef op = Toy();
  Inputs inputs = Valid();
  inputs[input] = std::move(type);
  return op.InferTypes(inputs, op.CompleteAttributes(attributes).value());
}

TEST(ShapesByDoc, GivesTheTypesOfTheOutputs) {
  const OpDef op = Toy();
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<TensorType> types,
                           op.InferTypes(Valid(), op.CompleteAttributes({}).value()));
  EXPECT_THAT(types, ElementsAre(RealType({6, 8, 3}), RealType({2, 4, 5, 7}), RealType({5, 9}),
                                 CounterType({2, 8})));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<TensorType> without, TypesWith(2, std::nullopt));
  EXPECT_EQ(without[2], RealType({0, 9}));
}

TEST(ShapesByDoc, SaysWhichShapeIsWrong) {
  const auto refused = [](const char* text) { return StatusIs(kInvalid, text); };
  EXPECT_THAT(TypesWith(0, RealType({2, 4})),
              refused("C1: x must be [batch, time, features] with time at least 1, got [2, 4]"));
  EXPECT_THAT(TypesWith(0, RealType({2, 0, 5})), refused("C1: x must be"));
  EXPECT_THAT(TypesWith(0, RealType({2, Dim::Batch(), 5})), refused("C1: x must be"));
  EXPECT_THAT(TypesWith(1, RealType({3, 8})),
              refused("C2: u must be [units, 3 units], got [3, 8]"));
  EXPECT_THAT(TypesWith(1, RealType({Dim::Batch(), Dim::Batch()})), refused("C2: u must be"));
  EXPECT_THAT(TypesWith(2, RealType({4, 9})),
              refused("C3: w must be [features, 3 units] with features 5, units 3, got [4, 9]"));
  EXPECT_THAT(TypesWith(3, RealType({3})),
              refused("C4: b must be [2, units] with units 3, got [3]"));
  EXPECT_THAT(TypesWith(3, RealType({2, 3}), {{"wide", false}}),
              refused("C4: b must be [units] with wide = false, units 3, got [2, 3]"));
  SEQ_EXPECT_OK(TypesWith(3, RealType({3}), {{"wide", false}}));
  EXPECT_THAT(TypesWith(4, RealType({2, 4})),
              refused("C5: like must have the shape of x, [2, 4, 5], got [2, 4]"));
  EXPECT_THAT(TypesWith(5, RealType({2, 4, 5})),
              refused("C6: rows must have the shape of x without its last axis, [2, 4], got"));
  EXPECT_THAT(TypesWith(6, IndexType({1})), refused("C7: mask must be a scalar, got [1]"));
  EXPECT_THAT(TypesWith(7, RealType({3})),
              refused("C8: rest must be [..., time, units] with time 4, units 3, got [3]"));
}

TEST(ShapesByDoc, StatesTheConstraints) {
  const OpDef op = Toy();
  std::vector<std::string> texts;
  for (const Constraint& constraint : op.constraints()) texts.push_back(constraint.text);
  EXPECT_THAT(
      texts,
      ElementsAre("x is [batch, time, features] with time at least 1", "u is [units, 3 units]",
                  "w is [features, 3 units]", "b is [2, units]; [units] with wide = false",
                  "like has the shape of x", "rows has the shape of x without its last axis",
                  "mask is a scalar", "rest is [..., time, units]"));
}

TEST(ShapesByDoc, RejectsSamplesThatEachConstraintForbids) {
  OpDef op = Toy();
  op.Samples([](SampleSource& source) {
    OpSample sample;
    for (const std::optional<TensorType>& type : Valid()) {
      sample.inputs.push_back(type->dtype == DType::kInt32 ? source.Indices(type->shape, 2)
                                                           : source.Reals(type->shape));
    }
    return sample;
  });
  std::set<std::string> labels;
  for (const OpRejection& rejection : op.rejections()) labels.insert(rejection.constraint);
  EXPECT_EQ(labels.size(), op.constraints().size());
}

}  // namespace
}  // namespace seqgraph::ops
