#include "graph/verifier.h"

#include <functional>
#include <utility>

#include "graph/function_builder.h"
#include "graph/testing/function_test_peer.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using Peer = FunctionTestPeer;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
const TensorType kVector{DType::kFloat32, {2}};

// Values: 0 x, 1 v, 2 scaled, 3 added; nodes: scaled = Scale(v), added = Add(x, scaled).
Function RightFunction(std::string name = "f") {
  FunctionBuilder g(std::move(name), TestOps());
  const Value x = g.Input("x", kVector);
  const Value v = g.Variable("v", {2}, Initializer::Zeros());
  const Value scaled = g.AddNode("Scale", {v}, {}, "scaled")[0];
  g.Result("y", g.AddNode("Add", {x, scaled}, {}, "added")[0]);
  g.Update("v", scaled);
  return std::move(g).Build().value();
}

absl::Status Broken(const std::function<void(Function&)>& breaking) {
  Function f = RightFunction();
  breaking(f);
  return VerifyFunction(f);
}

TEST(VerifyFunction, TakesWhatABuilderMakes) { SEQ_EXPECT_OK(VerifyFunction(RightFunction())); }

TEST(VerifyFunction, NamesFunctionAndNode) {
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[1].op = nullptr; }),
              StatusIs(kInvalid, "function f: node added: has no op"));
}

TEST(VerifyFunction, NeedsANameAndAResultOrUpdate) {
  EXPECT_THAT(Broken([](Function& f) { Peer::name(f).clear(); }), StatusIs(kInvalid, "no name"));
  EXPECT_THAT(Broken([](Function& f) {
                Peer::results(f).clear();
                Peer::updates(f).clear();
              }),
              StatusIs(kInvalid, "neither result nor update"));
}

TEST(VerifyFunction, IndicesOfDefinitionsAreInRange) {
  for (int index : {-1, 4, 1000}) {
    EXPECT_THAT(Broken([&](Function& f) { Peer::inputs(f)[0] = Value{index}; }),
                StatusIs(kInvalid, "index is out of range"));
    EXPECT_THAT(Broken([&](Function& f) { Peer::variables(f)[0].value = Value{index}; }),
                StatusIs(kInvalid, "index is out of range"));
    EXPECT_THAT(Broken([&](Function& f) { Peer::nodes(f)[0].outputs[0] = Value{index}; }),
                StatusIs(kInvalid, "index is out of range"));
  }
}

TEST(VerifyFunction, EveryValueIsDefinedOnce) {
  EXPECT_THAT(Broken([](Function& f) { Peer::inputs(f).push_back(Value{0}); }),
              StatusIs(kInvalid, "value x is defined twice"));
  EXPECT_THAT(Broken([](Function& f) {
                Peer::values(f).push_back({"stray", kVector, Origin::kInput, 1, 0});
              }),
              StatusIs(kInvalid, "a value is defined nowhere"));
}

TEST(VerifyFunction, ValuesNameWhereTheyComeFrom) {
  const auto wrong = StatusIs(kInvalid, "does not name where it comes from");
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[0].origin = Origin::kVariable; }), wrong);
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[3].source = 0; }), wrong);
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[2].output = 1; }), wrong);
}

TEST(VerifyFunction, NamesAreUniqueAndNotEmpty) {
  const auto value = StatusIs(kInvalid, "is empty or used twice");
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[3].name = "x"; }), value);
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[0].name = ""; }), value);
  const auto node = StatusIs(kInvalid, "the name is empty or used twice");
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[1].name = "scaled"; }), node);
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[1].name = ""; }), node);
  EXPECT_THAT(Broken([](Function& f) { Peer::results(f).push_back(Peer::results(f)[0]); }),
              StatusIs(kInvalid, "result \"y\" is empty or named twice"));
  EXPECT_THAT(Broken([](Function& f) { Peer::updates(f).push_back(Peer::updates(f)[0]); }),
              StatusIs(kInvalid, "update \"v\" is empty or named twice"));
}

TEST(VerifyFunction, NodesReadOnlyWhatIsComputedBefore) {
  const auto wrong = StatusIs(kInvalid, "node scaled: reads a value that is not computed before");
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[0].inputs[0] = Value{3}; }), wrong);
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[0].inputs[0] = Value{2}; }), wrong);
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[0].inputs[0] = Value{99}; }), wrong);
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[0].inputs[0] = Value{}; }),
              StatusIs(kInvalid, "node scaled: input x is missing"));
}

TEST(VerifyFunction, NodesHaveTheInputsAndOutputsOfTheirOp) {
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[1].inputs.pop_back(); }),
              StatusIs(kInvalid, "takes 2 inputs, got 1"));
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[1].outputs.clear(); }),
              StatusIs(kInvalid, "wrong number of outputs"));
}

TEST(VerifyFunction, AttributesAreComplete) {
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[0].attributes = {}; }),
              StatusIs(kInvalid, "node scaled: attributes are missing"));
  EXPECT_THAT(Broken([](Function& f) { Peer::nodes(f)[0].attributes.Set("size", 1); }),
              StatusIs(kInvalid, "unknown attribute size"));
}

TEST(VerifyFunction, TypesAreThoseOfTheShapeRules) {
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[3].type.shape = {3}; }),
              StatusIs(kInvalid, "node added: output 0 is float32[3], should be float32[2]"));
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[0].type.shape = {3}; }),
              StatusIs(kInvalid, "node added: C1"));
  EXPECT_THAT(Broken([](Function& f) { Peer::values(f)[0].type.shape = {-5}; }),
              StatusIs(kInvalid, "negative extent"));
}

TEST(VerifyFunction, AVariableAgreesWithItsValue) {
  const auto wrong = StatusIs(kInvalid, "differ in name or type, or depend on the batch");
  EXPECT_THAT(Broken([](Function& f) { Peer::variables(f)[0].def.name = "w"; }), wrong);
  EXPECT_THAT(Broken([](Function& f) { Peer::variables(f)[0].def.type.shape = {3}; }), wrong);
  EXPECT_THAT(Broken([](Function& f) {
                Peer::variables(f)[0].def.type.shape = {Dim::Batch()};
                Peer::values(f)[1].type.shape = {Dim::Batch()};
              }),
              wrong);
}

TEST(VerifyFunction, ResultsAndUpdatesHaveValues) {
  for (int index : {-1, 4}) {
    EXPECT_THAT(Broken([&](Function& f) { Peer::results(f)[0].value = Value{index}; }),
                StatusIs(kInvalid, "result y has no value"));
    EXPECT_THAT(Broken([&](Function& f) { Peer::updates(f)[0].value = Value{index}; }),
                StatusIs(kInvalid, "update v has no value"));
  }
}

TEST(VerifyFunction, UpdatesFitTheirVariables) {
  EXPECT_THAT(Broken([](Function& f) { Peer::updates(f)[0].name = "w"; }),
              StatusIs(kInvalid, "update of w: no such variable"));
  EXPECT_THAT(Broken([](Function& f) {
                Peer::inputs(f).push_back(Value{4});
                Peer::values(f).push_back({"z", {DType::kFloat64, {2}}, Origin::kInput, 1, 0});
                Peer::updates(f)[0].value = Value{4};
              }),
              StatusIs(kInvalid, "update of v: no such variable, or of another type"));
}

TEST(VerifyModel, FunctionsAreRightAndNamedOnce) {
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(RightFunction("f")));
  SEQ_ASSERT_OK(model.AddFunction(RightFunction("g")));
  SEQ_EXPECT_OK(VerifyModel(model));
  Peer::nodes(model.functions[1])[0].attributes = {};
  EXPECT_THAT(VerifyModel(model), StatusIs(kInvalid, "function g: node scaled"));
  model.functions[1] = RightFunction("f");
  EXPECT_THAT(VerifyModel(model), StatusIs(kInvalid, "two functions are named f"));
}

TEST(VerifyModel, VariablesExistWithTheTypeThatFunctionsRead) {
  Model model;
  model.functions.push_back(RightFunction());
  EXPECT_THAT(VerifyModel(model),
              StatusIs(kInvalid, "function f reads variable v, which the model does not have"));
  SEQ_ASSERT_OK(model.variables.Declare({"v", {DType::kFloat32, {3}}, {}}));
  EXPECT_THAT(VerifyModel(model),
              StatusIs(kInvalid, "reads variable v as float32[2], but the model has float32[3]"));
}

}  // namespace
}  // namespace seqgraph
