#include "runtime/storage_plan.h"

#include <string>
#include <utility>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using Place = Storage::Place;

// 16 floats: one line of 64 bytes, so that offsets are easy to read.
const TensorType kLine{DType::kFloat32, {16}};

class StoragePlanTest : public ::testing::Test {
 protected:
  Value Input(std::string name) { return g_.Input(std::move(name), kLine); }
  Value Variable(std::string name) { return g_.Variable(std::move(name), {16}, {}); }
  Value Add(Value a, Value b) { return g_.AddNode("Add", {a, b})[0]; }
  Value Scale(Value x) { return g_.AddNode("Scale", {x})[0]; }
  Value Round(Value x) { return g_.AddNode("Round", {x})[0]; }  // never in place

  void Plan(std::vector<OpaqueLayout> opaque_layouts = {}) {
    absl::StatusOr<Function> function = std::move(g_).Build();
    SEQ_ASSERT_OK(function);
    plan_ = PlanStorage(*function, opaque_layouts);
  }
  const Storage& At(Value value) const { return plan_.values[value.index]; }
  bool SameMemory(Value a, Value b) const {
    const Storage &x = At(a), &y = At(b);
    return x.place == y.place && x.place != Place::kNone && x.offset == y.offset &&
           x.variable == y.variable;
  }

  FunctionBuilder g_{"f", TestOps()};
  StoragePlan plan_;
};

TEST_F(StoragePlanTest, ADeadInputIsTakenOver) {
  const Value x = Input("x");
  const Value a = Round(x), b = Scale(a), c = Scale(b);
  g_.Result("c", c);
  Plan();
  EXPECT_TRUE(SameMemory(a, b));
  EXPECT_TRUE(SameMemory(b, c));
  EXPECT_EQ(plan_.arena_bytes, 128);  // x, and one for a, b and c
  EXPECT_EQ(plan_.live_bound, 128);
}

TEST_F(StoragePlanTest, AValueThatIsReadLaterIsNot) {
  const Value a = Round(Input("x"));
  const Value b = Scale(a);
  g_.Result("c", Add(b, a));
  Plan();
  EXPECT_FALSE(SameMemory(a, b));
}

TEST_F(StoragePlanTest, AValueThatTheNodeReadsTwiceIsNot) {
  const Value a = Round(Input("x"));
  const Value b = Add(a, a);
  g_.Result("b", b);
  Plan();
  EXPECT_FALSE(SameMemory(a, b));
}

TEST_F(StoragePlanTest, TheSecondInputIsTakenOverWhereTheFirstIsStillNeeded) {
  const Value a = Round(Input("x"));
  const Value b = Round(a);
  const Value c = Add(a, b);
  g_.Result("d", Add(a, c));
  Plan();
  EXPECT_FALSE(SameMemory(a, c));
  EXPECT_TRUE(SameMemory(b, c));
}

TEST_F(StoragePlanTest, AnInputOfTheFunctionIsNotTakenOver) {
  const Value x = Input("x");
  const Value y = Scale(x);
  g_.Result("y", y);
  Plan();
  EXPECT_FALSE(SameMemory(x, y));
}

TEST_F(StoragePlanTest, AResultIsNotTakenOver) {
  const Value a = Round(Input("x"));
  const Value b = Scale(a);
  g_.Result("a", a);
  g_.Result("b", b);
  Plan();
  EXPECT_FALSE(SameMemory(a, b));
  EXPECT_NE(plan_.results[0].offset, plan_.results[1].offset);
}

TEST_F(StoragePlanTest, AnOpThatDoesNotSaySoIsNotInPlace) {
  const Value a = Round(Input("x"));
  const Value b = Round(a);
  g_.Result("b", b);
  Plan();
  EXPECT_FALSE(SameMemory(a, b));
}

TEST_F(StoragePlanTest, AnInputOfAnotherShapeIsNotTakenOver) {
  // AddRow declares both pairs; its row is smaller than its output.
  const Value x = g_.Input("x", {DType::kFloat32, {4, 16}});
  const Value row = Round(Input("row"));
  const Value rows = g_.AddNode("AddRow", {x, row})[0];
  g_.Result("rows", rows);
  Plan();
  EXPECT_FALSE(SameMemory(row, rows));
}

TEST_F(StoragePlanTest, AnUpdateHappensInItsVariable) {
  const Value v = Variable("v");
  const Value w = Scale(v);
  g_.Update("v", w);
  Plan();
  EXPECT_EQ(At(v).place, Place::kVariable);
  EXPECT_TRUE(SameMemory(v, w));
  EXPECT_TRUE(plan_.copies.empty());
  EXPECT_TRUE(plan_.snapshots.empty());
  EXPECT_EQ(plan_.arena_bytes, 0);
}

TEST_F(StoragePlanTest, AVariableThatALaterNodeReadsIsUpdatedByACopy) {
  const Value v = Variable("v");
  const Value w = Scale(v);
  g_.Update("v", w);
  g_.Result("old", Round(v));
  Plan();
  EXPECT_EQ(At(w).place, Place::kArena);
  ASSERT_EQ(plan_.copies.size(), 1u);
  EXPECT_EQ(plan_.copies[0].variable, 0);
  EXPECT_EQ(plan_.copies[0].source.offset, At(w).offset);
}

TEST_F(StoragePlanTest, AVariableThatIsNotUpdatedKeepsItsContent) {
  const Value v = Variable("v"), u = Variable("u");
  const Value w = Scale(v);
  g_.Update("u", w);
  (void)u;
  Plan();
  EXPECT_EQ(At(w).place, Place::kArena);
  ASSERT_EQ(plan_.copies.size(), 1u);
  EXPECT_EQ(plan_.copies[0].variable, 1);
}

TEST_F(StoragePlanTest, AnUpdateThatIsAlsoAResultIsCopied) {
  const Value w = Scale(Variable("v"));
  g_.Update("v", w);
  g_.Result("new", w);
  Plan();
  EXPECT_EQ(At(w).place, Place::kArena);
  EXPECT_EQ(plan_.results[0].offset, At(w).offset);
  EXPECT_EQ(plan_.copies.size(), 1u);
}

TEST_F(StoragePlanTest, AnUpdateOfTwoVariablesIsCopiedToBoth) {
  const Value w = Scale(Variable("v"));
  Variable("u");
  g_.Update("v", w);
  g_.Update("u", w);
  Plan();
  EXPECT_EQ(At(w).place, Place::kArena);
  EXPECT_EQ(plan_.copies.size(), 2u);
}

TEST_F(StoragePlanTest, ASwapTakesSnapshotsOfBothBeforeAnyCopy) {
  const Value a = Variable("a"), b = Variable("b");
  g_.Update("a", b);
  g_.Update("b", a);
  Plan();
  ASSERT_EQ(plan_.snapshots.size(), 2u);
  EXPECT_EQ(plan_.snapshots[0].variable, 1);
  EXPECT_EQ(plan_.snapshots[1].variable, 0);
  EXPECT_NE(plan_.snapshots[0].offset, plan_.snapshots[1].offset);
  ASSERT_EQ(plan_.copies.size(), 2u);
  EXPECT_EQ(plan_.copies[0].variable, 0);
  EXPECT_EQ(plan_.copies[0].source.place, Place::kArena);
  EXPECT_EQ(plan_.copies[0].source.offset, plan_.snapshots[0].offset);
  EXPECT_EQ(plan_.copies[1].source.offset, plan_.snapshots[1].offset);
}

TEST_F(StoragePlanTest, AResultThatIsAVariableIsASnapshot) {
  const Value v = Variable("v");
  const Value w = Scale(v);
  g_.Result("old", v);
  g_.Result("again", v);
  g_.Update("v", w);
  Plan();
  ASSERT_EQ(plan_.snapshots.size(), 1u);
  EXPECT_EQ(plan_.results[0].place, Place::kArena);
  EXPECT_EQ(plan_.results[0].offset, plan_.snapshots[0].offset);
  EXPECT_EQ(plan_.results[1].offset, plan_.snapshots[0].offset);
  EXPECT_EQ(At(w).place, Place::kArena);
  EXPECT_NE(At(w).offset, plan_.snapshots[0].offset);
}

TEST_F(StoragePlanTest, InputsKeepTheirMemoryDuringTheWholeCall) {
  const Value x = Input("x"), unused = Input("unused");
  const Value a = Round(x), b = Round(a), c = Round(b);
  g_.Result("c", c);
  Plan();
  for (Value value : {a, b, c, unused}) EXPECT_FALSE(SameMemory(x, value)) << value.index;
  for (Value value : {a, b, c}) EXPECT_FALSE(SameMemory(unused, value)) << value.index;
  EXPECT_TRUE(SameMemory(a, c));  // a is dead when c is computed
}

TEST_F(StoragePlanTest, AnUnusedOutputHasNoMemory) {
  const std::vector<Value> both = g_.AddNode("SumDiff", {Input("x")});
  g_.Result("diff", both[1]);
  Plan();
  EXPECT_EQ(At(both[0]).place, Place::kNone);
  EXPECT_EQ(At(both[1]).place, Place::kArena);
}

TEST_F(StoragePlanTest, PrivateValuesHaveTheSizeThatTheBackendSaysAndAreNeverShared) {
  const Value x = Input("x");
  const Value a = Round(x), b = Scale(a), c = Round(b);
  g_.Result("c", c);
  Plan({{a, 1000}});
  EXPECT_FALSE(SameMemory(a, b));
  // x 64, a 1000 rounded to 1024, b 64; c takes the place of a.
  EXPECT_EQ(plan_.live_bound, 64 + 1000 + 64);
  EXPECT_EQ(plan_.arena_bytes, 64 + 1024 + 64);
}

}  // namespace
}  // namespace seqgraph
