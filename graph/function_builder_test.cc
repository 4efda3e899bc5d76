#include "graph/function_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
const TensorType kRows{DType::kFloat32, {Dim::Batch(), 3}};

TEST(FunctionBuilder, BuildsWhatWasSaid) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const Value row = g.Variable("layer/row", {3}, Initializer::Constant(1));
  const Value y = g.AddNode("AddRow", {x, row})[0];
  g.Result("y", y);
  g.Update("layer/row", g.AddNode("Scale", {row}, {{"factor", 3.0}}, "tripled")[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());

  EXPECT_EQ(f.name(), "f");
  EXPECT_THAT(f.inputs(), ElementsAre(x));
  ASSERT_EQ(f.variables().size(), 1u);
  EXPECT_EQ(f.variables()[0].value, row);
  EXPECT_EQ(f.variables()[0].def.initializer, Initializer::Constant(1));
  ASSERT_EQ(f.nodes().size(), 2u);
  EXPECT_EQ(f.nodes()[0].name, "add_row");
  EXPECT_THAT(f.nodes()[0].inputs, ElementsAre(x, row));
  EXPECT_EQ(f.type(y), kRows);
  EXPECT_EQ(f.producer(y), &f.nodes()[0]);
  EXPECT_EQ(f.producer(x), nullptr);
  EXPECT_EQ(f.producer(Value()), nullptr);
  EXPECT_EQ(f.nodes()[1].name, "tripled");
  EXPECT_EQ(f.nodes()[1].attributes, (Attributes{{"factor", 3.0}}));
  EXPECT_EQ(f.FindResult("y"), y);
  EXPECT_FALSE(f.FindResult("z").present());
  EXPECT_EQ(f.FindValue("layer/row"), row);
  EXPECT_FALSE(f.FindValue("none").present());
  EXPECT_EQ(f.FindVariable("row"), nullptr);
  ASSERT_EQ(f.updates().size(), 1u);
  EXPECT_EQ(f.updates()[0].value, f.nodes()[1].outputs[0]);
  EXPECT_TRUE(f.has_symbolic_batch());
}

TEST(FunctionBuilder, DefaultsOfAttributesAreWrittenOut) {
  FunctionBuilder g("f", TestOps());
  g.AddNode("Scale", {g.Input("x", kRows)});
  EXPECT_EQ(g.function().nodes()[0].attributes, (Attributes{{"factor", 2.0}}));
}

TEST(FunctionBuilder, ConsumersAreAscendingAndListANodeOnce) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const Value square = g.AddNode("Multiply", {x, x})[0];
  g.AddNode("Round", {square});
  g.Result("y", g.AddNode("Add", {square, x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_THAT(f.Consumers(),
              ElementsAre(ElementsAre(0, 2), ElementsAre(1, 2), ElementsAre(), ElementsAre()));
  EXPECT_THAT(f.UsedValues(), ElementsAre(true, true, false, true));
}

TEST(FunctionBuilder, KeepsTheFirstErrorAndGoesOnWithAbsentValues) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const std::vector<Value> wrong = g.AddNode("Add", {x}, {}, "first");
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_FALSE(wrong[0].present());
  const absl::Status first = g.status();
  EXPECT_THAT(first, StatusIs(kInvalid, "function f: node first (Add): input b is missing"));
  // Whatever follows does nothing.
  EXPECT_EQ(g.AddNode("SumDiff", {wrong[0]}).size(), 2u);
  EXPECT_FALSE(g.Input("z", kRows).present());
  EXPECT_FALSE(g.Variable("v", {1}, Initializer::Zeros()).present());
  g.Result("", wrong[0]);
  g.Update("v", x);
  EXPECT_EQ(g.function().values().size(), 1u);
  EXPECT_EQ(g.status(), first);
  EXPECT_EQ(std::move(g).Build().status(), first);
}

TEST(FunctionBuilder, NodeNamesAreUnique) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  for (int i = 0; i < 3; ++i) g.AddNode("Round", {x});
  g.AddNode("Round", {x}, {}, "round_1");
  g.AddNode("Round", {x}, {}, "x");
  std::vector<std::string> nodes, values;
  for (const Node& node : g.function().nodes()) nodes.push_back(node.name);
  for (const ValueInfo& value : g.function().values()) values.push_back(value.name);
  EXPECT_THAT(nodes, ElementsAre("round", "round_1", "round_2", "round_1_1", "x"));
  EXPECT_THAT(values, ElementsAre("x", "round", "round_1", "round_2", "round_1_1", "x_1"));
}

// If all numbers were tried one after the other this would take hours.
TEST(FunctionBuilder, ManyNodesOfOneNameAreNumbered) {
  FunctionBuilder g("f", TestOps());
  Value x = g.AddNode("Round", {g.Input("x", kRows)}, {}, "many_3")[0];
  constexpr int kNodes = 100000;
  for (int i = 0; i < kNodes; ++i) x = g.AddNode("Round", {x}, {}, "many")[0];
  SEQ_ASSERT_OK(g.status());
  const std::vector<Node>& nodes = g.function().nodes();
  EXPECT_EQ(nodes[1].name, "many");
  EXPECT_EQ(nodes[2].name, "many_1");
  EXPECT_EQ(nodes[3].name, "many_2");
  EXPECT_EQ(nodes[4].name, "many_4");
  EXPECT_EQ(nodes[kNodes].name, absl::StrCat("many_", kNodes));
}

TEST(FunctionBuilder, ValuesOfANodeWithSeveralOutputsBearTheirNames) {
  FunctionBuilder g("f", TestOps());
  const std::vector<Value> out = g.AddNode("SumDiff", {g.Input("x", kRows)});
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(g.function().info(out[0]).name, "sum_diff.sum");
  EXPECT_EQ(g.function().info(out[1]).name, "sum_diff.diff");
  EXPECT_EQ(g.function().info(out[1]).output, 1);
}

TEST(FunctionBuilder, TheDefaultNameIsForNodesWithoutOne) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  g.set_default_name("layer");
  g.AddNode("Round", {x});
  g.AddNode("Round", {x}, {}, "own");
  g.set_default_name("");
  g.AddNode("Round", {x});
  EXPECT_EQ(g.function().nodes()[0].name, "layer");
  EXPECT_EQ(g.function().nodes()[1].name, "own");
  EXPECT_EQ(g.function().nodes()[2].name, "round");
}

TEST(FunctionBuilder, AScopedDefaultNameGivesBackTheOneBefore) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  g.set_default_name("outer");
  {
    const ScopedDefaultName scope(g, "inner");
    g.AddNode("Round", {x});
  }
  g.AddNode("Round", {x});
  EXPECT_EQ(g.function().nodes()[0].name, "inner");
  EXPECT_EQ(g.function().nodes()[1].name, "outer");
}

TEST(FunctionBuilder, RefusesHandlesThatAreNoValues) {
  FunctionBuilder g("f", TestOps());
  g.AddNode("Round", {Value{7}});
  EXPECT_THAT(g.status(), StatusIs(kInvalid, "input x is not a value of this function"));
  FunctionBuilder h("f", TestOps());
  h.Result("y", Value{0});
  EXPECT_THAT(h.status(), StatusIs(kInvalid, "result y has no value"));
  FunctionBuilder i("f", TestOps());
  i.AddNode("Round", {Value{}});
  EXPECT_THAT(i.status(), StatusIs(kInvalid, "input x is missing"));
}

TEST(FunctionBuilder, RefusesTooManyInputsUnknownOpsAndWrongShapes) {
  const auto error = [](auto add) {
    FunctionBuilder g("f", TestOps());
    const Value x = g.Input("x", kRows), row = g.Input("row", {DType::kFloat32, {3}});
    add(g, x, row);
    return g.status();
  };
  EXPECT_THAT(error([](auto& g, Value x, Value) {
                g.AddNode("Round", {x, x});
              }),
              StatusIs(kInvalid, "node round (Round): takes at most 1 inputs, got 2"));
  EXPECT_THAT(error([](auto& g, Value x, Value row) {
                g.AddNode("Add", {x, row});
              }),
              StatusIs(kInvalid, "node add (Add): C1: the shapes must be equal, got [batch, 3]"));
  EXPECT_THAT(error([](auto& g, Value x, Value) { g.AddNode("Rond", {x}); }),
              StatusIs(absl::StatusCode::kNotFound, "nearest are Round"));
  EXPECT_THAT(error([](auto& g, Value x, Value) {
                g.AddNode("Round", {x}, {{"size", 1}});
              }),
              StatusIs(kInvalid, "unknown attribute size"));
}

TEST(FunctionBuilder, AnUnknownOpStillGivesValuesToIndex) {
  FunctionBuilder g("f", TestOps());
  EXPECT_FALSE(g.AddNode("Unknown", {})[3].present());
}

TEST(FunctionBuilder, RefusesInputsWithoutNewNameOrWithWrongShape) {
  const auto error = [](std::string name, Shape shape) {
    FunctionBuilder g("f", TestOps());
    g.Input("x", kRows);
    g.Input(std::move(name), {DType::kFloat32, std::move(shape)});
    return g.status();
  };
  EXPECT_THAT(error("x", {1}), StatusIs(kInvalid, "input \"x\": the name must be new"));
  EXPECT_THAT(error("", {1}), StatusIs(kInvalid, "not empty"));
  EXPECT_THAT(error("z", {-1}), StatusIs(kInvalid, "input z: shape [-1]"));
  EXPECT_THAT(error("z", {Shape::kMaxElements, 2}), StatusIs(kInvalid, "input z"));
}

TEST(FunctionBuilder, AVariableDeclaredAgainIsTheSameValue) {
  FunctionBuilder g("f", TestOps());
  const Value v = g.Variable("v", {2}, Initializer::Uniform(0.05));
  EXPECT_EQ(g.Variable("v", {2}, Initializer::Uniform(0.05)), v);
  EXPECT_EQ(g.function().variables().size(), 1u);
  SEQ_EXPECT_OK(g.status());
}

TEST(FunctionBuilder, AVariableDeclaredDifferentlyIsAnError) {
  const VariableDef def{"v", {DType::kFloat32, {2}}, Initializer::Uniform(0.05)};
  const auto error = [&](auto change) {
    FunctionBuilder g("f", TestOps());
    g.Variable(def);
    VariableDef other = def;
    change(other);
    g.Variable(other);
    return g.status();
  };
  const auto refused = StatusIs(kInvalid, "variable v is declared as float32[2] and again");
  EXPECT_THAT(error([](VariableDef& d) { d.type.shape = {3}; }), refused);
  EXPECT_THAT(error([](VariableDef& d) { d.type.dtype = DType::kFloat64; }), refused);
  EXPECT_THAT(error([](VariableDef& d) { d.role = VariableRole::kOptimizer; }), refused);
  EXPECT_THAT(error([](VariableDef& d) { d.initializer = Initializer::Uniform(0.1); }), refused);
  EXPECT_THAT(error([](VariableDef& d) { d.initializer = Initializer::Zeros(); }), refused);
  EXPECT_THAT(error([](VariableDef& d) { d.trainable = false; }), refused);
}

TEST(FunctionBuilder, AVariableHasAStaticShapeAndANewName) {
  const auto error = [](std::string name, Shape shape) {
    FunctionBuilder g("f", TestOps());
    g.Input("x", kRows);
    g.Variable(std::move(name), std::move(shape), Initializer::Zeros());
    return g.status();
  };
  EXPECT_THAT(error("v", {Dim::Batch()}), StatusIs(kInvalid, "cannot depend on the batch"));
  EXPECT_THAT(error("x", {1}), StatusIs(kInvalid, "variable \"x\" float32[1]: the name"));
  EXPECT_THAT(error("", {1}), StatusIs(kInvalid, "not empty"));
}

TEST(FunctionBuilder, AnUpdateFitsItsVariable) {
  const auto error = [](auto update) {
    FunctionBuilder g("f", TestOps());
    const Value x = g.Input("x", kRows);
    const Value v = g.Variable("v", {2}, Initializer::Zeros());
    update(g, x, v);
    return std::move(g).Build().status();
  };
  SEQ_EXPECT_OK(error([](auto& g, Value, Value v) { g.Update("v", v); }));
  EXPECT_THAT(error([](auto& g, Value x, Value) { g.Update("v", x); }),
              StatusIs(kInvalid, "update of v must be float32[2], got float32[batch, 3]"));
  EXPECT_THAT(error([](auto& g, Value, Value) { g.Update("v", Value{}); }),
              StatusIs(kInvalid, "got no value"));
  EXPECT_THAT(error([](auto& g, Value, Value v) { g.Update("w", v); }),
              StatusIs(kInvalid, "update of w, which is no variable of this function"));
  EXPECT_THAT(error([](auto& g, Value, Value v) {
                g.Update("v", v);
                g.Update("v", v);
              }),
              StatusIs(kInvalid, "two updates of v"));
}

TEST(FunctionBuilder, ResultsHaveNewNames) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  g.Result("x", x);
  SEQ_EXPECT_OK(g.status());
  g.Result("x", x);
  EXPECT_THAT(g.status(), StatusIs(kInvalid, "result \"x\": the name must be new"));
}

TEST(FunctionBuilder, AFunctionNeedsANameAndAResultOrUpdate) {
  FunctionBuilder g("f", TestOps());
  g.Input("x", kRows);
  EXPECT_THAT(std::move(g).Build(), StatusIs(kInvalid, "at least one result or update"));
  EXPECT_THAT(FunctionBuilder("", TestOps()).status(), StatusIs(kInvalid, "needs a name"));
}

TEST(FunctionBuilder, ACopyKeepsAllIndicesAndNames) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const Value y = g.AddNode("Round", {x})[0];
  g.Result("y", y);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());

  FunctionBuilder h("h", TestOps(), f);
  h.Result("z", h.AddNode("Add", {x, y})[0]);
  h.AddNode("Round", {x});
  SEQ_ASSERT_OK_AND_ASSIGN(const Function copy, std::move(h).Build());
  EXPECT_EQ(copy.name(), "h");
  EXPECT_EQ(copy.info(y).name, "round");
  EXPECT_EQ(copy.FindResult("y"), y);
  EXPECT_EQ(copy.nodes()[2].name, "round_1");
  EXPECT_EQ(f.nodes().size(), 1u);
  EXPECT_THAT(FunctionBuilder("", TestOps(), f).status(), StatusIs(kInvalid, "needs a name"));
}

TEST(FunctionBuilder, FailKeepsWhatAnOpBuilderFound) {
  FunctionBuilder g("f", TestOps());
  g.Fail(absl::OkStatus());
  SEQ_EXPECT_OK(g.status());
  g.Fail(absl::OutOfRangeError("units must be positive"));
  g.Fail(absl::InternalError("later"));
  EXPECT_THAT(g.status(),
              StatusIs(absl::StatusCode::kOutOfRange, "function f: units must be positive"));
}

TEST(SnakeCase, WordsBeginAtCapitals) {
  EXPECT_EQ(SnakeCase("RNNCell"), "rnn_cell");
  EXPECT_EQ(SnakeCase("BCEWithLogits"), "bce_with_logits");
  EXPECT_EQ(SnakeCase("RMSPropUpdate"), "rms_prop_update");
  EXPECT_EQ(SnakeCase("OneHot"), "one_hot");
  EXPECT_EQ(SnakeCase("BCE"), "bce");
  EXPECT_EQ(SnakeCase("Dense"), "dense");
  EXPECT_EQ(SnakeCase("Conv2D"), "conv2d");
  EXPECT_EQ(SnakeCase("L2Loss"), "l2_loss");
  EXPECT_EQ(SnakeCase("already_snake"), "already_snake");
  EXPECT_EQ(SnakeCase("My_Op"), "my_op");
  EXPECT_EQ(SnakeCase(""), "");
}

}  // namespace
}  // namespace seqgraph
