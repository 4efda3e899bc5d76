#include "serialization/function_proto.h"

#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "graph/printer.h"
#include "graph/verifier.h"
#include "serialization/proto_guard.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// x -> Copy -> Mix(x, none, w) -> result y; w is updated.
constexpr char kFunction[] = R"(
    name: "f"
    inputs { name: "x" type { dtype: FLOAT32 dims: [-1, 4] } }
    variables { name: "w" type { dtype: FLOAT32 dims: [3] } }
    nodes { name: "copy" op: "Copy" op_version: 1 inputs: "x" outputs: "copied" }
    nodes {
      name: "mix" op: "Mix" op_version: 1
      attributes { name: "mode" string_value: "hard" }
      inputs: ["copied", "", "w"]
      outputs: ["", "mixed"]
    }
    results { name: "y" value: "mixed" }
    updates { variable: "w" value: "w" })";

absl::StatusOr<Function> Import(const std::string& text, const OpRegistry& registry) {
  proto::Function function;
  SEQ_EXPECT_OK(ParseTextProto(text, &function));
  return FunctionFromProto(function, registry);
}

TEST(FunctionProtoTest, BuildsWhatTheTextSays) {
  const OpRegistry registry = FileTestOps();
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, Import(kFunction, registry));
  SEQ_EXPECT_OK(VerifyFunction(f));
  EXPECT_EQ(f.name(), "f");
  ASSERT_EQ(f.nodes().size(), 2u);
  const Node& mix = f.nodes()[1];
  EXPECT_EQ(mix.name, "mix");
  EXPECT_EQ(mix.op, registry.Find("Mix"));
  EXPECT_EQ(mix.inputs[0], f.nodes()[0].outputs[0]);
  EXPECT_FALSE(mix.inputs[1].present());
  EXPECT_EQ(mix.inputs[2], f.variables()[0].value);
  EXPECT_EQ(mix.attributes.GetString("mode"), "hard");
  EXPECT_EQ(mix.attributes.GetFloat("rate"), 0.1);  // the default
  EXPECT_EQ(f.FindResult("y"), mix.outputs[1]);
  EXPECT_EQ(f.type(mix.outputs[1]), (TensorType{DType::kFloat32, {Dim::Batch(), 4}}));
  EXPECT_EQ(f.updates()[0].value, f.variables()[0].value);
}

TEST(FunctionProtoTest, EveryPartOfAFunctionSurvives) {
  const OpRegistry registry = FileTestOps();
  for (const Function& function : FileTestModel(registry).functions) {
    const proto::Function saved = FunctionToProto(function);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function read, FunctionFromProto(saved, registry));
    SEQ_EXPECT_OK(VerifyFunction(read));
    EXPECT_EQ(PrintTextProto(FunctionToProto(read)), PrintTextProto(saved));
    EXPECT_EQ(FunctionToText(read), FunctionToText(function));
    ASSERT_EQ(read.nodes().size(), function.nodes().size());
    for (size_t i = 0; i < read.nodes().size(); ++i) {
      EXPECT_TRUE(read.nodes()[i].attributes == function.nodes()[i].attributes);
    }
    ASSERT_EQ(read.variables().size(), function.variables().size());
    for (size_t i = 0; i < read.variables().size(); ++i) {
      const VariableDef& a = read.variables()[i].def;
      const VariableDef& b = function.variables()[i].def;
      EXPECT_EQ(a.initializer.kind, b.initializer.kind);
      EXPECT_EQ(a.initializer.value, b.initializer.value);
      EXPECT_EQ(a.role, b.role);
      EXPECT_EQ(a.trainable, b.trainable);
    }
  }
}

// Names that the builder made unique in the order of building come back the same, though the file
// has inputs and variables before the nodes.
TEST(FunctionProtoTest, NamesThatWereMadeUniqueStayAsTheyAre) {
  const OpRegistry registry = FileTestOps();
  FunctionBuilder g("f", registry);
  const Value x = g.Input("copy", {DType::kFloat32, {2}});
  const Value a = g.AddNode("Copy", {x})[0];  // node copy, value copy_1
  const Value b = g.AddNode("Copy", {a})[0];  // node copy_1, value copy_1_1
  const Value w = g.Variable("copy_2", {2}, Initializer::Zeros());
  const Value c = g.AddNode("Copy", {w})[0];
  g.Result("b", b);
  g.Result("c", c);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  const proto::Function saved = FunctionToProto(function);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function read, FunctionFromProto(saved, registry));
  EXPECT_EQ(read.nodes()[1].inputs[0], read.nodes()[0].outputs[0]);
  EXPECT_EQ(read.nodes()[2].inputs[0], read.variables()[0].value);
  const proto::Function again = FunctionToProto(read);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function twice, FunctionFromProto(again, registry));
  EXPECT_EQ(PrintTextProto(FunctionToProto(twice)), PrintTextProto(again));
}

struct BadFunction {
  const char* name;
  const char* from;  // this text of kFunction ...
  const char* to;    // ... is replaced by this
  absl::StatusCode code;
  const char* message;
};

class BadFunctionTest : public ::testing::TestWithParam<BadFunction> {};

TEST_P(BadFunctionTest, IsRefusedWithTheReason) {
  const BadFunction& bad = GetParam();
  ASSERT_NE(std::string(kFunction).find(bad.from), std::string::npos);
  const OpRegistry registry = FileTestOps();
  const auto status = Import(absl::StrReplaceAll(kFunction, {{bad.from, bad.to}}), registry);
  EXPECT_THAT(status, StatusIs(bad.code, bad.message));
}

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr auto kNotFound = absl::StatusCode::kNotFound;

INSTANTIATE_TEST_SUITE_P(
    All, BadFunctionTest,
    ::testing::ValuesIn(std::vector<BadFunction>{
        {"NoName", "name: \"f\"", "", kInvalid, "the name of a function has 0 bytes"},
        {"ZeroByte", "\"copied\"", "\"cop\\000ied\"", kInvalid,
         "the name of an output holds a zero byte"},
        {"UnknownOp", "\"Copy\"", "\"Cpy\"", kNotFound, "function f: node copy: "},
        {"NewerOp", "\"Copy\" op_version: 1", "\"Copy\" op_version: 2", kPrecondition,
         "function f: node copy: needs version 2 of op Copy; this program has version 1: use a "
         "newer program"},
        {"OlderOp", "\"Copy\" op_version: 1", "\"Copy\" op_version: -1", kPrecondition,
         "cannot read older ones"},
        {"UnknownAttribute", "\"mode\"", "\"moody\"", kInvalid, "moody"},
        {"KindOfAttribute", "string_value: \"hard\"", "int_value: 3", kInvalid, "mode"},
        {"TextOfAttribute", "\"hard\"", "\"loud\"", kInvalid, "loud"},
        {"AttributeWithoutValue", "string_value: \"hard\"", "", kInvalid,
         "attribute mode has no value"},
        {"AttributeNaN", "\"mode\" string_value: \"hard\"", "\"rate\" float_value: nan", kInvalid,
         "attribute rate has no value, NaN"},
        {"AttributeTwice", "inputs: [\"copied\"",
         "attributes { name: \"mode\" string_value: \"soft\" } inputs: [\"copied\"", kInvalid,
         "attribute mode is given twice"},
        {"UnknownValue", "[\"copied\"", "[\"later\"", kInvalid,
         "function f: node mix: input 0 reads value \"later\""},
        {"ValueOfItself", "[\"copied\"", "[\"mixed\"", kInvalid, "reads value \"mixed\""},
        {"NeededInputAbsent", "[\"copied\"", "[\"\"", kInvalid, "mix"},
        {"TooManyInputs", "\"copied\", \"\"", "\"copied\", \"\", \"\"", kInvalid, "at most 3"},
        {"TooManyOutputs", "\"\", \"mixed\"", "\"\", \"mixed\", \"\"", kInvalid,
         "names 3 outputs; op Mix has 2"},
        {"TwoValuesOfOneName", "\"\", \"mixed\"", "\"mixed\", \"mixed\"", kInvalid,
         "two values named mixed"},
        {"OutputNamedAsInput", "\"\", \"mixed\"", "\"x\", \"mixed\"", kInvalid, "named x"},
        {"TwoNodesOfOneName", "name: \"mix\"", "name: \"copy\"", kInvalid, "two nodes"},
        {"ShapeRule", "dims: [-1, 4]", "dims: []", kInvalid, "C1: x must have an axis"},
        {"InputType", "dtype: FLOAT32 dims: [-1, 4]", "dims: [-1, 4]", kInvalid,
         "input x: element"},
        {"VariableWithBatch", "dims: [3]", "dims: [-1]", kInvalid, "variable"},
        {"VariableNamedAsInput", "name: \"w\"", "name: \"x\"", kInvalid, "x"},
        {"UnknownResult", "value: \"mixed\"", "value: \"z\"", kInvalid, "result y reads value"},
        {"ResultTwice", "updates {", "results { name: \"y\" value: \"x\" } updates {", kInvalid,
         "y"},
        {"UpdateOfNothing", "variable: \"w\"", "variable: \"v\"", kInvalid, "update of v"},
        {"UpdateOfOtherType", "value: \"w\"", "value: \"x\"", kInvalid, "update of w"},
        {"NoResults",
         "results { name: \"y\" value: \"mixed\" }\n    updates { variable: \"w\" value: \"w\" }",
         "", kInvalid, "at least one result"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(FunctionProtoTest, AnOlderReaderNamesTheVersionThatItLacks) {
  const OpRegistry newer = FileTestOps(/*mix_version=*/3);
  const OpRegistry older = FileTestOps(/*mix_version=*/2);
  const proto::Function saved = FunctionToProto(FileTestModel(newer).functions[0]);
  EXPECT_THAT(FunctionFromProto(saved, older),
              StatusIs(kPrecondition, "needs version 3 of op Mix; this program has version 2"));
}

// Version 2 of the op brought input `mask` and attribute `reverse`.
OpDef Grown() {
  return OpDef("Grown", 2)
      .CompatibleFrom(1)
      .Doc("y = x; for tests of versions.")
      .Input({.name = "x"})
      .Input({.name = "b", .optional = true})
      .Input({.name = "mask", .optional = true, .since = 2})
      .Output({.name = "y"})
      .Attribute({.name = "act", .kind = AttributeKind::kString, .default_value = "tanh"})
      .Attribute(
          {.name = "reverse", .kind = AttributeKind::kBool, .default_value = false, .since = 2})
      .Shapes([](const ShapeContext& c) -> absl::StatusOr<std::vector<TensorType>> {
        return std::vector<TensorType>{c.type(0)};
      })
      .Reference([](const ReferenceContext&) { return absl::OkStatus(); },
                 [](const ReferenceContext&) { return absl::OkStatus(); })
      .Bound(ExactBound())
      .Example({"x", {}, {Tensor::Scalar(1.0)}, {Tensor::Scalar(1.0)}});
}

// The node of a function that applies Grown, as it is saved.
proto::Node SavedGrown(const OpRegistry& registry, bool mask, bool reverse) {
  FunctionBuilder g("f", registry);
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  g.Result("y", g.AddNode("Grown", {x, {}, mask ? x : Value{}}, {{"reverse", reverse}})[0]);
  const Function function = *std::move(g).Build();
  const proto::Function saved = FunctionToProto(function);
  const absl::StatusOr<Function> read = FunctionFromProto(saved, registry);
  EXPECT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(FunctionToText(*read), FunctionToText(function));
  EXPECT_TRUE(read->nodes()[0].attributes == function.nodes()[0].attributes);
  return saved.nodes(0);
}

TEST(FunctionProtoTest, ANodeIsSavedAsTheOldestVersionThatHasWhatItUses) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(Grown()));
  const proto::Node plain = SavedGrown(registry, /*mask=*/false, /*reverse=*/false);
  EXPECT_EQ(plain.op_version(), 1);
  EXPECT_EQ(plain.inputs_size(), 2);
  ASSERT_EQ(plain.attributes_size(), 1);
  EXPECT_EQ(plain.attributes(0).name(), "act");
  for (const bool mask : {false, true}) {
    const proto::Node node = SavedGrown(registry, mask, /*reverse=*/!mask);
    EXPECT_EQ(node.op_version(), 2);
    EXPECT_EQ(node.inputs_size(), 3);
    EXPECT_EQ(node.attributes_size(), 2);
  }
}

TEST(FunctionProtoTest, ANodeUsesNothingThatCameAfterTheVersionThatItSays) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(Grown()));
  FunctionBuilder g("f", registry);
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  g.Result("y", g.AddNode("Grown", {x, {}, x}, {{"reverse", true}})[0]);
  proto::Function saved = FunctionToProto(*std::move(g).Build());
  saved.mutable_nodes(0)->set_op_version(1);
  EXPECT_THAT(FunctionFromProto(saved, registry),
              StatusIs(kInvalid, "attribute reverse came with version 2 of op Grown"));
  saved.mutable_nodes(0)->clear_attributes();
  EXPECT_THAT(FunctionFromProto(saved, registry),
              StatusIs(kInvalid, "input mask came with version 2 of op Grown"));
  saved.mutable_nodes(0)->set_op_version(3);
  EXPECT_THAT(FunctionFromProto(saved, registry), StatusIs(kPrecondition, "use a newer program"));
}

// y = table. Version 1 had a number in place of the table.
OpDef Held() {
  return OpDef("Held", 2)
      .Upgrades(1,
                [](Attributes& attributes) -> absl::Status {
                  const AttributeValue* number = attributes.Find("number");
                  if (number == nullptr) return absl::OkStatus();
                  if (!std::holds_alternative<double>(*number)) {
                    return absl::InvalidArgumentError("number must be a float");
                  }
                  attributes.Set("table",
                                 Tensor::Scalar(static_cast<float>(std::get<double>(*number))));
                  attributes.Remove("number");
                  return absl::OkStatus();
                })
      .Doc("y = table; for tests of files.")
      .Output({.name = "y", .type = TypeRule::kNumber})
      .Attribute({.name = "table", .kind = AttributeKind::kTensor, .since = 2})
      .Shapes([](const ShapeContext& c) -> absl::StatusOr<std::vector<TensorType>> {
        return std::vector<TensorType>{c.attributes().GetTensor("table").type()};
      })
      .Reference([](const ReferenceContext&) { return absl::OkStatus(); })
      .Bound(ExactBound())
      .Example({"scalar", {{"table", Tensor::Scalar<float>(1)}}, {}, {std::nullopt}});
}

proto::Function SavedHeld(const OpRegistry& registry, const Tensor& table,
                          TensorEncoding encoding = TensorEncoding::kRaw) {
  FunctionBuilder g("f", registry);
  g.Result("y", g.AddNode("Held", {}, {{"table", table}})[0]);
  return FunctionToProto(std::move(g).Build().value(), encoding);
}

TEST(FunctionProtoTest, TensorsOfAttributesSurviveBitForBit) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(Held()));
  const std::vector<float> many(1000, 0.1f);
  for (const Tensor& table :
       {Tensor::Of<float>({2, 8}, AwkwardFloats()),
        Tensor::Of<float>({1000}, absl::MakeConstSpan(many)),
        Tensor::Of<int64_t>({2}, {std::numeric_limits<int64_t>::min(), (int64_t{1} << 53) + 1}),
        Tensor::Scalar<int32_t>(-7), Tensor::Of<double>({0}, {})}) {
    for (const TensorEncoding encoding : {TensorEncoding::kRaw, TensorEncoding::kValues}) {
      const proto::Function saved = SavedHeld(registry, table, encoding);
      EXPECT_EQ(saved.nodes(0).op_version(), 2);
      proto::Function parsed;  // through text, as a .textproto goes
      SEQ_ASSERT_OK(ParseTextProto(PrintTextProto(saved), &parsed));
      SEQ_ASSERT_OK_AND_ASSIGN(const Function read, FunctionFromProto(parsed, registry));
      EXPECT_TRUE(read.nodes()[0].attributes.GetTensor("table").BitwiseEquals(table));
    }
  }
  EXPECT_THAT(PrintTextProto(
                  SavedHeld(registry, Tensor::Of<float>({2}, {0.5f, 1}), TensorEncoding::kValues)),
              testing::HasSubstr("float32_values: [0.5, 1]"));
}

// What a file says of a tensor is believed only as far as its bytes go.
TEST(FunctionProtoTest, TensorsOfAttributesAreCountedBeforeMemoryIsTaken) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(Held()));
  const proto::Function good = SavedHeld(registry, Tensor::Of<float>({2}, {1, 2}));
  const auto with = [&good](auto change) {
    proto::Function bad = good;
    change(*bad.mutable_nodes(0)->mutable_attributes(0)->mutable_tensor_value());
    return bad;
  };
  for (const auto& [bad, text] : std::vector<std::pair<proto::Function, const char*>>{
           {with([](proto::Tensor& t) { t.mutable_raw()->pop_back(); }), "needs 8 bytes, found 7"},
           {with([](proto::Tensor& t) { t.mutable_type()->set_dims(0, 1 << 30); }), "found 8"},
           {with([](proto::Tensor& t) { t.mutable_type()->set_dims(0, -1); }), "symbolic batch"},
           {with([](proto::Tensor& t) { t.mutable_type()->set_dims(0, -5); }), "negative"},
           {with([](proto::Tensor& t) { t.mutable_type()->clear_dtype(); }), "element type 0"},
           {with([](proto::Tensor& t) { t.add_float32_values(1); }), "twice"}}) {
    EXPECT_THAT(FunctionFromProto(bad, registry), StatusIs(kInvalid, text));
    EXPECT_THAT(FunctionFromProto(bad, registry), StatusIs(kInvalid, "attribute table"));
  }
}

TEST(FunctionProtoTest, NodesOfAnOlderVersionAreRewritten) {
  OpRegistry registry;
  SEQ_ASSERT_OK(registry.Register(Held()));
  proto::Function old = SavedHeld(registry, Tensor::Scalar<float>(1));
  proto::Node& node = *old.mutable_nodes(0);
  node.clear_attributes();
  node.add_attributes()->set_name("number");
  node.mutable_attributes(0)->set_float_value(0.75);
  for (const int version : {0, 1}) {  // not said: a file that somebody wrote by hand
    node.set_op_version(version);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function read, FunctionFromProto(old, registry));
    EXPECT_TRUE(read.nodes()[0].attributes.GetTensor("table").BitwiseEquals(Tensor::Scalar(0.75f)));
    EXPECT_EQ(FunctionToProto(read).nodes(0).op_version(), 2);
  }
  node.set_op_version(2);
  EXPECT_THAT(FunctionFromProto(old, registry), StatusIs(kInvalid, "unknown attribute number"));
  node.set_op_version(1);
  node.mutable_attributes(0)->set_string_value("0.75");
  EXPECT_THAT(FunctionFromProto(old, registry), StatusIs(kInvalid, "number must be a float"));
  node.set_op_version(3);
  EXPECT_THAT(FunctionFromProto(old, registry), StatusIs(kPrecondition, "use a newer program"));
  proto::Function mixed = SavedHeld(registry, Tensor::Scalar<float>(1));
  mixed.mutable_nodes(0)->set_op_version(1);
  EXPECT_THAT(FunctionFromProto(mixed, registry),
              StatusIs(kInvalid, "attribute table came with version 2 of op Held"));
}

TEST(FunctionProtoTest, NamesAndListsHaveLimits) {
  const OpRegistry registry = FileTestOps();
  const std::string longest(kMaxNameBytes, 'n');
  SEQ_EXPECT_OK(Import(absl::StrReplaceAll(kFunction, {{"copied", longest}}), registry));
  EXPECT_THAT(Import(absl::StrReplaceAll(kFunction, {{"copied", longest + "n"}}), registry),
              StatusIs(kInvalid, "the name of an output has 1001 bytes"));
  proto::Function many;
  SEQ_ASSERT_OK(ParseTextProto(kFunction, &many));
  for (int i = 0; i < kMaxFunctionVariables; ++i) many.add_results()->set_name(absl::StrCat(i));
  EXPECT_THAT(FunctionFromProto(many, registry), StatusIs(kInvalid, "10001 results"));
  proto::Function longer;
  SEQ_ASSERT_OK(ParseTextProto(kFunction, &longer));
  const proto::Node node = longer.nodes(0);
  while (longer.nodes_size() <= kMaxFunctionNodes) *longer.add_nodes() = node;
  EXPECT_THAT(FunctionFromProto(longer, registry),
              StatusIs(kInvalid, "100001 nodes; at most 100000"));
}

// By the numbers of the .proto, each known one to an enumerator of its own and back, and no other:
// an enumerator without a row, here or there, is told.
TEST(VariableDefProtoTest, EveryEnumeratorGoesThereAndBack) {
  const proto::VariableDef plain = VariableDefToProto({"w", {DType::kFloat32, {2}}, {}});
  std::set<VariableRole> roles;
  for (int number = -1; number < 20; ++number) {
    proto::VariableDef def = plain;
    def.set_role(static_cast<proto::VariableDef::Role>(number));
    const absl::StatusOr<VariableDef> read = VariableDefFromProto(def);
    ASSERT_EQ(read.ok(), proto::VariableDef::Role_IsValid(number)) << number;
    if (!read.ok()) continue;
    EXPECT_EQ(VariableDefToProto(*read).role(), number);
    EXPECT_TRUE(roles.insert(read->role).second) << number;
  }
  std::set<Initializer::Kind> kinds;
  for (int number = -1; number < 20; ++number) {
    proto::Initializer initializer;
    initializer.set_kind(static_cast<proto::Initializer::Kind>(number));
    const absl::StatusOr<Initializer> read = InitializerFromProto(initializer);
    ASSERT_EQ(read.ok(), proto::Initializer::Kind_IsValid(number)) << number;
    if (!read.ok()) continue;
    EXPECT_EQ(InitializerToProto(*read).kind(), number);
    EXPECT_TRUE(kinds.insert(read->kind).second) << number;
  }
}

// The numbers of older files.
TEST(VariableDefProtoTest, EnumsKeepTheirNumbers) {
  EXPECT_EQ(VariableDefToProto({"w", {}, {}, VariableRole::kWeight}).role(), 0);
  EXPECT_EQ(VariableDefToProto({"w", {}, {}, VariableRole::kOptimizer}).role(), 1);
  EXPECT_EQ(InitializerToProto(Initializer::Zeros()).kind(), 0);
  EXPECT_EQ(InitializerToProto(Initializer::Constant(1)).kind(), 1);
  EXPECT_EQ(InitializerToProto(Initializer::Uniform(1)).kind(), 2);
  EXPECT_EQ(InitializerToProto(Initializer::GlorotUniform()).kind(), 3);
  EXPECT_EQ(InitializerToProto(Initializer::Orthogonal()).kind(), 4);
}

TEST(VariableDefProtoTest, RefusesEnumsItDoesNotKnow) {
  proto::VariableDef def = VariableDefToProto({"w", {DType::kFloat32, {2}}, {}});
  def.set_role(static_cast<proto::VariableDef::Role>(7));
  EXPECT_THAT(VariableDefFromProto(def), StatusIs(kInvalid,
                                                  "variable w: this program does not "
                                                  "know role 7"));
  def.set_role(proto::VariableDef::WEIGHT);
  def.mutable_initializer()->set_kind(static_cast<proto::Initializer::Kind>(8));
  EXPECT_THAT(VariableDefFromProto(def), StatusIs(kInvalid, "kind 8"));
}

}  // namespace
}  // namespace seqgraph
