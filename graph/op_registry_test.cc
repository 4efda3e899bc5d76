#include "graph/op_registry.h"

#include <string>

#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(OpRegistry, FindsWhatWasRegisteredByItsExactName) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(CopyOp("Copy")));
  ASSERT_NE(registry.Find("Copy"), nullptr);
  EXPECT_EQ(registry.Find("Copy")->name(), "Copy");
  EXPECT_EQ(registry.Find("copy"), nullptr);
  SEQ_ASSERT_OK_AND_ASSIGN(const OpDef* def, registry.Get("Copy"));
  EXPECT_EQ(def, registry.Find("Copy"));
}

TEST(OpRegistry, ADefinitionStaysWhereItIsWhenTheRegistryMoves) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(CopyOp("Copy")));
  const OpDef* def = registry.Find("Copy");
  OpRegistry moved = std::move(registry);
  SEQ_ASSERT_OK(moved.Register(CopyOp("Another")));
  EXPECT_EQ(moved.Find("Copy"), def);
}

TEST(OpRegistry, ListsAllByName) {
  OpRegistry registry;
  for (const char* name : {"B", "C", "A"}) SEQ_ASSERT_OK(registry.Register(CopyOp(name)));
  std::string names;
  for (const OpDef* def : registry.All()) names += def->name();
  EXPECT_EQ(names, "ABC");
}

TEST(OpRegistry, RefusesASecondOpOfOneNameAndKeepsTheFirst) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(CopyOp("Copy")));
  EXPECT_THAT(registry.Register(CopyOp("Copy").Doc("another")),
              StatusIs(absl::StatusCode::kAlreadyExists, "op Copy is registered twice"));
  EXPECT_EQ(registry.Find("Copy")->doc(), "y = x");
}

TEST(OpRegistry, RefusesADefinitionWithAPartMissing) {
  OpRegistry registry;
  EXPECT_THAT(registry.Register(CopyOp("")), StatusIs(kInvalid, "no name"));
  EXPECT_THAT(registry.Register(CopyOp("X").Doc("")), StatusIs(kInvalid, "X has no doc"));
  EXPECT_THAT(registry.Register(OpDef("X", 1).Doc("y = x")), StatusIs(kInvalid, "no output"));
  EXPECT_THAT(registry.Register(CopyOp("X").Shapes(nullptr)), StatusIs(kInvalid, "no shape rule"));
  const auto compute = [](const ReferenceContext&) { return absl::OkStatus(); };
  EXPECT_THAT(registry.Register(CopyOp("X").Reference(compute, nullptr)),
              StatusIs(kInvalid, "no reference"));
  EXPECT_THAT(registry.Register(CopyOp("X").Reference(nullptr, compute)),
              StatusIs(kInvalid, "no reference"));
  EXPECT_THAT(registry.Register(OpDef("X", 1)
                                    .Doc("y = x")
                                    .Output({.name = "y"})
                                    .Shapes(CopyOp("").shape_rule())
                                    .Reference(compute, compute)
                                    .Bound(ExactBound())),
              StatusIs(kInvalid, "no example"));
  EXPECT_THAT(registry.Register(CopyOp("X").Bound(nullptr)), StatusIs(kInvalid, "no error bound"));
  EXPECT_TRUE(registry.All().empty());
}

TEST(OpRegistry, RefusesIndicesOfWhatIsNotThere) {
  OpRegistry registry;
  EXPECT_THAT(registry.Register(
                  CopyOp("X").Input({.name = "ids", .type = TypeRule::kIndex, .below = "table"})),
              StatusIs(kInvalid, "input ids is below table, which is no input"));
}

TEST(OpRegistry, RefusesOneNameTwiceInADefinition) {
  OpRegistry registry;
  EXPECT_THAT(registry.Register(CopyOp("X").Input({.name = "x"})),
              StatusIs(kInvalid, "op X uses the name x twice"));
  EXPECT_THAT(registry.Register(CopyOp("X").Output({.name = "y"})),
              StatusIs(kInvalid, "the name y twice"));
  EXPECT_THAT(registry.Register(CopyOp("X").Attribute({.name = "x"})),
              StatusIs(kInvalid, "the name x twice"));
  // An output may be called like an input.
  SEQ_EXPECT_OK(registry.Register(CopyOp("X").Output({.name = "x"})));
}

TEST(OpRegistry, WhatALaterVersionBroughtCanBeLeftOut) {
  const auto op = [] { return OpDef(CopyOp("X")).CompatibleFrom(1); };
  OpRegistry registry;
  EXPECT_THAT(registry.Register(op().Input({.name = "m", .since = 2})),
              StatusIs(kInvalid, "input m was added and must be optional"));
  EXPECT_THAT(registry.Register(op().Input({.name = "m", .optional = true, .since = 2})
                                    .Input({.name = "b", .optional = true, .since = 1})),
              StatusIs(kInvalid, "input b stands behind added ones"));
  EXPECT_THAT(registry.Register(op().Attribute({.name = "a", .since = 2})),
              StatusIs(kInvalid, "attribute a was added and must have a default"));
}

TEST(OpRegistry, RefusesADefaultThatTheAttributeDoesNotAllow) {
  OpRegistry registry;
  EXPECT_THAT(registry.Register(CopyOp("X").Attribute(
                  {.name = "n", .kind = AttributeKind::kInt, .default_value = 1.0})),
              StatusIs(kInvalid, "n must be of kind int"));
  EXPECT_THAT(registry.Register(CopyOp("X").Attribute({.name = "mode",
                                                       .kind = AttributeKind::kString,
                                                       .default_value = "c",
                                                       .one_of = {"a", "b"}})),
              StatusIs(kInvalid, "one of a, b"));
  EXPECT_THAT(registry.Register(CopyOp("X").Attribute(
                  {.name = "n", .kind = AttributeKind::kInt, .one_of = {"1"}})),
              StatusIs(kInvalid, "lists texts for attribute n"));
}

TEST(OpRegistry, RefusesAnInPlacePairThatIsNotThere) {
  OpRegistry registry;
  for (InPlacePair pair : {InPlacePair{1, 0}, InPlacePair{0, 1}, InPlacePair{0, -1}}) {
    EXPECT_THAT(registry.Register(CopyOp("X").InPlace(pair)), StatusIs(kInvalid, "in-place"));
  }
  SEQ_EXPECT_OK(registry.Register(CopyOp("X").InPlace({0, 0})));
}

TEST(OpRegistry, AnUnknownOpSuggestsTheNearestNames) {
  OpRegistry registry;
  for (const char* name : {"Sigmoid", "SigmoidGrad", "Tanh", "Embedding", "Relu"}) {
    SEQ_ASSERT_OK(registry.Register(CopyOp(name)));
  }
  EXPECT_THAT(registry.Get("sigmoid"), StatusIs(absl::StatusCode::kNotFound,
                                                "unknown op \"sigmoid\"; the nearest are Sigmoid"));
  EXPECT_THAT(registry.Get("Embeding"),
              StatusIs(absl::StatusCode::kNotFound, "the nearest are Embedding"));
  // A long text cannot be a slip of the pen; it is cut.
  const absl::Status status = registry.Get(std::string(1000, 'x')).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_LT(status.message().size(), 100u);
  EXPECT_THAT(OpRegistry().Get("Tanh"), StatusIs(absl::StatusCode::kNotFound, "\"Tanh\""));
}

}  // namespace
}  // namespace seqgraph
