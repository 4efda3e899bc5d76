#include "serialization/graph_test_case.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "serialization/model_io.h"
#include "serialization/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

constexpr char kCase[] = R"(
cases {
  name: "a"
  source: "by hand"
  function {
    name: "f"
    inputs { name: "x" type { dtype: FLOAT32 dims: [-1, 2] } }
    variables { name: "w" type { dtype: FLOAT32 dims: [1] } }
    nodes { name: "copy" op: "Copy" inputs: "x" outputs: "copied" }
    results { name: "y" value: "copied" }
    updates { variable: "w" value: "w" }
  }
  batch: 2
  inputs { name: "x" tensor { type { dtype: FLOAT32 dims: [2, 2] } float32_values: [1, 2, 3, 4] } }
  variables { name: "w" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [7] } }
  results {
    name: "y" tensor { type { dtype: FLOAT64 dims: [2, 2] } float64_values: [1, 2, 3, 4] }
  }
  updates { name: "w" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [7] } }
  gradient {
    weights { name: "y" tensor { type { dtype: FLOAT32 dims: [2, 2] } float32_values: [5, 6, 7, 8] } }
    expected { name: "x" tensor { type { dtype: FLOAT32 dims: [2, 2] } float32_values: [5, 6, 7, 8] } }
  }
  tolerances { name: "results/y" absolute: 0.5 relative: 0.25 }
}
)";

absl::StatusOr<std::vector<GraphTestCase>> Parse(const std::string& text,
                                                 const std::string& folder = ".") {
  static const OpRegistry* const registry = new OpRegistry(FileTestOps());
  return ParseGraphTests(text, folder, *registry);
}

TEST(ParseGraphTestsTest, ReadsEveryPart) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<GraphTestCase> cases, Parse(kCase));
  ASSERT_EQ(cases.size(), 1u);
  const GraphTestCase& test = cases[0];
  EXPECT_EQ(test.name, "a");
  EXPECT_EQ(test.source, "by hand");
  EXPECT_EQ(test.batch, 2);
  EXPECT_FALSE(test.function.has_symbolic_batch());
  EXPECT_EQ(test.inputs.at("x").Elements<float>()[3], 4);
  EXPECT_EQ(test.variables.Find("w")->value.Elements<float>()[0], 7);
  EXPECT_EQ(test.results.at("y").Elements<double>()[2], 3);
  EXPECT_EQ(test.updates.at("w").Elements<float>()[0], 7);
  EXPECT_EQ(test.gradient_weights.at("y").Elements<float>()[0], 5);
  EXPECT_EQ(test.gradients.at("x").Elements<float>()[1], 6);
  EXPECT_EQ(test.tolerances.at("results/y").absolute, 0.5);
  EXPECT_EQ(test.tolerances.at("results/y").relative, 0.25);
}

constexpr char kEarlier[] = R"(
  earlier {
    inputs { name: "x" tensor { type { dtype: FLOAT32 dims: [2, 2] } float32_values: [9, 9, 9, 9] } }
    variables { name: "w" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [6] } }
  }
  earlier { }
  guard_bytes: 128
}
)";

std::string WithEarlier() {
  std::string text = kCase;
  return text.replace(text.rfind('}'), 1, kEarlier);
}

TEST(ParseGraphTestsTest, EarlierCallsSayWhatDiffers) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<GraphTestCase> cases, Parse(WithEarlier()));
  ASSERT_EQ(cases[0].earlier.size(), 2u);
  EXPECT_EQ(cases[0].earlier[0].inputs.at("x").Elements<float>()[0], 9);
  EXPECT_EQ(cases[0].earlier[0].variables.at("w").Elements<float>()[0], 6);
  EXPECT_TRUE(cases[0].earlier[1].inputs.empty());
  EXPECT_THAT(Parse(absl::StrReplaceAll(WithEarlier(), {{"[9, 9, 9, 9]", "[9, 9, 9]"}})),
              StatusIs(kInvalid, "input of an earlier call x"));
  std::string text = WithEarlier();
  text.replace(text.rfind("name: \"w\""), 9, "name: \"v\"");
  EXPECT_THAT(Parse(text),
              StatusIs(kInvalid, "an earlier call gives v as float32[1], but the case"));
  text = WithEarlier();
  const std::string type = "dims: [1] } float32_values: [6]";
  text.replace(text.rfind(type), type.size(), "dims: [2] } float32_values: [6, 6]");
  EXPECT_THAT(Parse(text), StatusIs(kInvalid, "gives w as float32[2], the case float32[1]"));
}

TEST(GraphTestToTextTest, IsReadBackAsItWas) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<GraphTestCase> cases, Parse(WithEarlier()));
  const std::string text = GraphTestToText(cases[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<GraphTestCase> again, Parse(text));
  EXPECT_EQ(GraphTestToText(again[0]), text);
  EXPECT_EQ(again[0].source, "by hand");
  EXPECT_TRUE(again[0].inputs.at("x").BitwiseEquals(cases[0].inputs.at("x")));
  EXPECT_TRUE(again[0].results.at("y").BitwiseEquals(cases[0].results.at("y")));
  EXPECT_TRUE(again[0].gradients.at("x").BitwiseEquals(cases[0].gradients.at("x")));
  EXPECT_EQ(again[0].variables.Find("w")->value.Elements<float>()[0], 7);
  EXPECT_EQ(again[0].updates.at("w").Elements<float>()[0], 7);
  EXPECT_EQ(again[0].tolerances.at("results/y").relative, 0.25);
  EXPECT_EQ(again[0].earlier[0].variables.at("w").Elements<float>()[0], 6);
  EXPECT_EQ(again[0].guard_bytes, 128);
}

TEST(ParseGraphTestsTest, GuardBytesAreAReasonableNumber) {
  for (const char* bytes : {"-1", "1048577", "9223372036854775807"}) {
    EXPECT_THAT(Parse(absl::StrReplaceAll(
                    WithEarlier(), {{"guard_bytes: 128", absl::StrCat("guard_bytes: ", bytes)}})),
                StatusIs(kInvalid, "must be in [0, 1048576]"));
  }
}

TEST(ParseGraphTestsTest, ASingleNodeIsAGraphOfItsInputsAndOfTheOutputsNamed) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto cases, Parse(R"(
    cases {
      name: "a"
      node { op: "Mix" attributes { name: "size" int_value: 5 } inputs: ["p", "", "q"] }
      inputs { name: "p" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [2] } }
      inputs { name: "q" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [3] } }
      results { name: "z" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [2] } }
    })"));
  const Function& f = cases[0].function;
  ASSERT_EQ(f.nodes().size(), 1u);
  EXPECT_EQ(f.nodes()[0].attributes.GetInt("size"), 5);
  EXPECT_EQ(f.info(f.nodes()[0].inputs[2]).name, "q");
  ASSERT_EQ(f.results().size(), 1u);
  EXPECT_EQ(f.FindResult("z"), f.nodes()[0].outputs[1]);
}

TEST(ParseGraphTestsTest, AModelsFunctionKeepsTheModelsVariables) {
  const OpRegistry registry = FileTestOps();
  const std::string folder = MakeTempDir();
  SEQ_ASSERT_OK(SaveModel(FileTestModel(registry), folder + "/m.pb"));
  const std::string text = R"(
    cases {
      name: "a" model { path: "m.pb" function: "train_step" }
      updates {
        name: "optimizer/layer/kernel/velocity"
        tensor { type { dtype: FLOAT32 dims: [2, 8] } float32_values:
          [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
      }
    })";
  SEQ_ASSERT_OK_AND_ASSIGN(const auto cases, Parse(text, folder));
  EXPECT_EQ(cases[0].function.name(), "train_step");
  EXPECT_EQ(cases[0].variables.Find("layer/kernel")->value.Elements<float>()[10], 0.1f);
  for (const char* path : {"../m.pb", "/m.pb", "a/../m.pb", "", "a//m.pb"}) {
    EXPECT_THAT(Parse(absl::StrReplaceAll(text, {{"m.pb", path}}), folder),
                StatusIs(kInvalid, "must stay inside"))
        << path;
  }
  EXPECT_THAT(Parse(absl::StrReplaceAll(text, {{"m.pb", "n.pb"}}), folder),
              StatusIs(absl::StatusCode::kNotFound, "case a: cannot open"));
  EXPECT_THAT(Parse(absl::StrReplaceAll(text, {{"\"train_step\"", "\"other\""}}), folder),
              StatusIs(absl::StatusCode::kNotFound, "predict, train_step"));
}

struct BadCase {
  const char* name;
  const char* from;
  const char* to;
  const char* message;
};

class BadCaseTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadCaseTest, IsRefusedWithTheReason) {
  const BadCase& bad = GetParam();
  const std::string text = kCase;
  const size_t at = text.find(bad.from);
  ASSERT_NE(at, std::string::npos);
  std::string changed = text;
  changed.replace(at, std::string(bad.from).size(), bad.to);
  EXPECT_THAT(Parse(changed), StatusIs(kInvalid, bad.message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadCaseTest,
    ::testing::ValuesIn(std::vector<BadCase>{
        {"UnknownField", "source", "origin", "line 4, column 9"},
        {"NoName", "name: \"a\"", "", "case : the name"},
        {"NoBatch", "batch: 2", "", "needs a positive one"},
        {"NegativeBatch", "batch: 2", "batch: -2", "batch is -2"},
        {"OtherBatch", "batch: 2", "batch: 3", "input x is float32[3, 2], the case has"},
        {"BatchWithoutUse", "dims: [-1, 2]", "dims: [2, 2]", "has no symbolic batch"},
        {"InputMissing", "inputs { name: \"x\" tensor", "inputs { name: \"z\" tensor",
         "input x is not given"},
        {"InputTwice", "batch: 2",
         "batch: 2 inputs { name: 'x' tensor { type { dtype: FLOAT32 dims: [0] } } }",
         "input x is given twice"},
        {"InputTooMany", "batch: 2",
         "batch: 2 inputs { name: 'z' tensor { type { dtype: FLOAT32 dims: [0] } } }",
         "gives 2 inputs, the function has 1"},
        {"VariableUnknown", "variables { name: \"w\" tensor", "variables { name: \"v\" tensor",
         "reads no variable v"},
        {"VariableType", "dims: [1] } float32_values: [7] } }\n  results",
         "dims: [2] } float32_values: [7, 7] } }\n  results", "variable w is float32[1]"},
        {"VariableMissing",
         "variables { name: \"w\" tensor { type { dtype: FLOAT32 dims: [1] } float32_values: [7] } "
         "}",
         "", "variable w has no content"},
        {"ResultUnknown", "name: \"y\" tensor { type { dtype: FLOAT64",
         "name: \"z\" tensor { type { dtype: FLOAT64", "no result z"},
        {"ResultShape", "FLOAT64 dims: [2, 2]", "FLOAT64 dims: [4]", "the case has float64[4]"},
        {"UpdateUnknown", "updates { name: \"w\"", "updates { name: \"v\"", "no variable v"},
        {"WeightShape", "weights { name: \"y\" tensor { type { dtype: FLOAT32 dims: [2, 2]",
         "weights { name: \"y\" tensor { type { dtype: FLOAT32 dims: [4]", "gradient weight y"},
        {"GradientOfNode", "expected { name: \"x\"", "expected { name: \"copy\"",
         "gradient copy is of no input"},
        {"ToleranceUnknown", "results/y", "results/z", "tolerance results/z"},
        {"ToleranceNegative", "absolute: 0.5", "absolute: -0.5", "not negative"},
        {"ToleranceNaN", "absolute: 0.5", "absolute: nan", "not negative"},
        {"ToleranceInfinite", "relative: 0.25", "relative: inf", "finite"},
        {"ErrorAndResults", "source", "error: 'x' source", "nothing to compare"},
        {"TensorCount", "[1, 2, 3, 4] }", "[1, 2, 3] }", "input x: float32[2, 2] needs 4 values"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseGraphTestsTest, ACaseMustCompareSomething) {
  EXPECT_THAT(Parse(R"(cases { name: "a" node { op: "Copy" inputs: "x" }
                inputs { name: "x" tensor { type { dtype: FLOAT32 } float32_values: [1] } } })"),
              StatusIs(kInvalid, "case a: it compares nothing"));
  EXPECT_THAT(Parse("cases { name: 'a' }"), StatusIs(kInvalid, "names no graph"));
  EXPECT_THAT(Parse("# nothing\n"), StatusIs(kInvalid, "no cases"));
  EXPECT_THAT(Parse(absl::StrCat(kCase, kCase)),
              StatusIs(kInvalid, "case a: the name must be new"));
}

TEST(LoadGraphTestsTest, ErrorsNameThePath) {
  const OpRegistry registry = FileTestOps();
  EXPECT_THAT(LoadGraphTests("none.textproto", registry),
              StatusIs(absl::StatusCode::kNotFound, "none.textproto"));
  EXPECT_THAT(LoadGraphTests("a.pb", registry), StatusIs(kInvalid, "must end in .textproto"));
}

}  // namespace
}  // namespace seqgraph
