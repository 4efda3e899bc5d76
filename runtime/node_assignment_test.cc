#include "runtime/node_assignment.h"

#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

// Nodes: 0 round (Round), 1 scale (Scale), 2 add (Add), 3 both (SumDiff).
Function FourNodes() {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  const Value a = g.AddNode("Round", {x})[0];
  const Value b = g.AddNode("Scale", {a})[0];
  const Value c = g.AddNode("Add", {a, b})[0];
  const std::vector<Value> both = g.AddNode("SumDiff", {c, b}, {}, "both");
  g.Result("sum", both[0]);
  return std::move(g).Build().value();
}

Claim NoOp() { return Claim::No(ClaimReason::kUnknownOp, "not written yet"); }
Claim NoShape() { return Claim::No(ClaimReason::kUnsupportedShape, "2 is too small"); }

TEST(AssignNodes, TheFirstThatClaimsANodeGetsIt) {
  const FakeBackend picky({.name = "picky", .refusals = {{"Scale", NoOp()}, {"Add", NoOp()}}});
  const FakeBackend all({.name = "all"});
  SEQ_ASSERT_OK_AND_ASSIGN(const Assignment first,
                           AssignNodes(FourNodes(), std::vector<const Backend*>{&picky, &all}));
  EXPECT_THAT(first.backend_of, ElementsAre(0, 1, 1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(const Assignment second,
                           AssignNodes(FourNodes(), std::vector<const Backend*>{&all, &picky}));
  EXPECT_THAT(second.backend_of, ElementsAre(0, 0, 0, 0));
}

// A claim on an op that holds only together with the other nodes.
Claim With(std::vector<int> others) {
  Claim claim = Claim::Yes();
  claim.together = std::move(others);
  return claim;
}

TEST(AssignNodes, AGroupIsAssignedWhole) {
  const FakeBackend fused(
      {.name = "fused",
       .refusals = {
           {"Scale", With({2})}, {"Add", With({1})}, {"Round", NoOp()}, {"SumDiff", NoOp()}}});
  const FakeBackend all({.name = "all"});
  SEQ_ASSERT_OK_AND_ASSIGN(const Assignment assignment,
                           AssignNodes(FourNodes(), std::vector<const Backend*>{&fused, &all}));
  EXPECT_THAT(assignment.backend_of, ElementsAre(1, 0, 0, 1));
}

TEST(AssignNodes, AGroupThatCannotBeWholeGoesElsewhereWhole) {
  // Round needs Scale, Scale needs Add, and Add is taken by a backend named before.
  const FakeBackend adds(
      {.name = "adds", .refusals = {{"Round", NoOp()}, {"Scale", NoOp()}, {"SumDiff", NoOp()}}});
  const FakeBackend fused(
      {.name = "fused", .refusals = {{"Round", With({1})}, {"Scale", With({2})}}});
  const FakeBackend all({.name = "all"});
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Assignment assignment,
      AssignNodes(FourNodes(), std::vector<const Backend*>{&adds, &fused, &all}));
  EXPECT_THAT(assignment.backend_of, ElementsAre(2, 2, 0, 1));
  EXPECT_THAT(AssignNodes(FourNodes(), std::vector<const Backend*>{&adds, &fused}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "fused: needs another node: runs only together with add (Add), which it "
                       "does not get: it goes to a backend that was named before"));
}

TEST(AssignNodes, APreferredBackendIsAskedBeforeTheOrder) {
  const FakeBackend first({.name = "first"});
  const FakeBackend second({.name = "second", .refusals = {{"Add", NoOp()}}});
  // `add` is refused there and follows the order; names of nobody change nothing.
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Assignment assignment,
      AssignNodes(FourNodes(), std::vector<const Backend*>{&first, &second},
                  {{"scale", "second"}, {"add", "second"}, {"both", "third"}, {"z", "second"}}));
  EXPECT_THAT(assignment.backend_of, ElementsAre(0, 1, 0, 0));
}

TEST(RankAssignment, PutsWhatIsNotWhereItShouldBeLast) {
  const FakeBackend first({.name = "first"});
  const FakeBackend second({.name = "second", .refusals = {{"Add", NoOp()}}});
  SEQ_ASSERT_OK_AND_ASSIGN(
      const std::vector<int> ranks,
      RankAssignment(FourNodes(), std::vector<const Backend*>{&first, &second},
                     {{"scale", "second"}, {"add", "second"}, {"both", "first"}}));
  EXPECT_THAT(ranks, ElementsAre(0, 0, 2, 0));
}

TEST(AssignNodes, APreferredGroupIsAssignedWholeOrNotAtAll) {
  const FakeBackend first({.name = "first"});
  const FakeBackend fused(
      {.name = "fused", .refusals = {{"Scale", With({2})}, {"Add", With({1})}}});
  const std::vector<const Backend*> backends = {&first, &fused};
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Assignment whole,
      AssignNodes(FourNodes(), backends, {{"scale", "fused"}, {"add", "fused"}}));
  EXPECT_THAT(whole.backend_of, ElementsAre(0, 1, 1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(const Assignment half,
                           AssignNodes(FourNodes(), backends, {{"scale", "fused"}}));
  EXPECT_THAT(half.backend_of, ElementsAre(0, 0, 0, 0));
}

TEST(AssignNodes, ATieToANodeThatThePreferencesBroughtHolds) {
  const FakeBackend adds({.name = "adds", .refusals = {{"Scale", With({2})}, {"Round", NoOp()}}});
  const FakeBackend all({.name = "all"});
  SEQ_ASSERT_OK_AND_ASSIGN(const Assignment assignment,
                           AssignNodes(FourNodes(), std::vector<const Backend*>{&adds, &all},
                                       {{"add", "adds"}, {"both", "all"}}));
  EXPECT_THAT(assignment.backend_of, ElementsAre(1, 0, 0, 1));
}

TEST(AssignNodes, AClaimThatNeedsANodeThatIsNotThereIsVoid) {
  const FakeBackend odd({.name = "odd", .refusals = {{"Add", With({99})}}});
  EXPECT_THAT(AssignNodes(FourNodes(), std::vector<const Backend*>{&odd}),
              StatusIs(absl::StatusCode::kInvalidArgument, "node 99, which is not there"));
}

TEST(AssignNodes, NothingFallsBackUnlessListed) {
  const FakeBackend picky({.name = "picky", .refusals = {{"Scale", NoOp()}}});
  EXPECT_THAT(AssignNodes(FourNodes(), std::vector<const Backend*>{&picky}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AssignNodes, TheErrorListsEveryRefusedNodeWithEachReason) {
  const FakeBackend picky({.name = "picky", .refusals = {{"Scale", NoOp()}, {"Add", NoOp()}}});
  const FakeBackend other({.name = "other", .refusals = {{"Scale", NoShape()}, {"Add", NoOp()}}});
  EXPECT_EQ(
      AssignNodes(FourNodes(), std::vector<const Backend*>{&picky, &other}).status().message(),
      "function f: no chosen backend runs these nodes; name another one to run them as well:"
      "\n  scale (Scale)"
      "\n    picky: unknown op: not written yet"
      "\n    other: unsupported shape: 2 is too small"
      "\n  add (Add)"
      "\n    picky: unknown op: not written yet"
      "\n    other: unknown op: not written yet");
}

TEST(AssignNodes, NeedsABackend) {
  EXPECT_THAT(AssignNodes(FourNodes(), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no backend is given"));
}

TEST(ClaimReasonName, NamesEachReason) {
  EXPECT_EQ(ClaimReasonName(ClaimReason::kClaimed), "claimed");
  EXPECT_EQ(ClaimReasonName(ClaimReason::kUnsupportedType), "unsupported type");
  EXPECT_EQ(ClaimReasonName(ClaimReason::kUnsupportedAttribute), "unsupported attribute");
  EXPECT_EQ(ClaimReasonName(ClaimReason::kNeedsOtherNode), "needs another node");
}

// Values: 0 x, 1 round, 2 scale, 3 add, 4 both.sum (the result), 5 both.diff (unused).
TEST(OpaqueValues, AreComputedAndReadByOneBackendOnlyAndNeverLeaveTheCall) {
  EXPECT_THAT(OpaqueValues(FourNodes(), std::vector<int>{0, 0, 0, 0}, 0),
              ElementsAre(false, true, true, true, false, true));
  EXPECT_THAT(OpaqueValues(FourNodes(), std::vector<int>{0, 0, 0, 0}, 1),
              ElementsAre(false, false, false, false, false, false));
  // `scale` on another: `round` is read by it, and `scale` itself is read by the others.
  const std::vector<int> mixed = {0, 1, 0, 0};
  EXPECT_THAT(OpaqueValues(FourNodes(), mixed, 0),
              ElementsAre(false, false, false, true, false, true));
  EXPECT_THAT(OpaqueValues(FourNodes(), mixed, 1),
              ElementsAre(false, false, false, false, false, false));
}

TEST(OpaqueValues, AnUpdateIsNotPrivate) {
  FunctionBuilder g("f", TestOps());
  const Value v = g.Variable("v", {2}, {});
  g.Update("v", g.AddNode("Scale", {v})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_THAT(OpaqueValues(f, std::vector<int>{0}, 0), ElementsAre(false, false));
}

}  // namespace
}  // namespace seqgraph
