#include "tools/drawing/function_drawing.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// tanh(x w) y, with such names.
Function Example(const std::string& input, const std::string& node, const std::string& variable) {
  FunctionBuilder g("example", AllOps());
  const Value x = g.Input(input, {DType::kFloat32, {Dim::Batch(), 3}});
  const Value w = g.Variable(variable, {3, 4}, {});
  const Value z = g.AddNode("Dense", {x, w, Value()}, {}, node)[0];
  g.Result("answer", g.AddNode("Tanh", {z}, {}, "squash")[0]);
  absl::StatusOr<Function> function = std::move(g).Build();
  EXPECT_THAT(function, IsOk());
  return *std::move(function);
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(FunctionDrawingTest, HasNodesEdgesInputsAndResults) {
  const std::string svg = DrawFunction(Example("x", "project", "kernel"));
  EXPECT_THAT(svg, StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_EQ(Count(svg, "<g class=\"node\""), 2u);
  EXPECT_THAT(svg, HasSubstr("data-node=\"project\" data-op=\"Dense\""));
  EXPECT_EQ(Count(svg, "<g class=\"input\""), 1u);
  EXPECT_EQ(Count(svg, "<g class=\"result\""), 1u);
  EXPECT_THAT(svg, HasSubstr(">result answer</text>"));
  EXPECT_THAT(svg, HasSubstr(">reads kernel</text>"));
  EXPECT_THAT(svg, HasSubstr(">float32[batch, 4]</text>"));
  EXPECT_EQ(Count(svg, "fill=\"none\""), 3u);  // edges: x to project, to squash, to the answer
  EXPECT_EQ(Count(svg, "<g"), Count(svg, "</g>"));
}

TEST(FunctionDrawingTest, TakesNothingFromOutsideAndNoIdentifiers) {
  const std::string svg = DrawFunction(Example("x", "project", "kernel"));
  for (const char* part : {"href", "url(", "<script", "<style", " id=", "@import", "src="}) {
    EXPECT_THAT(svg, Not(HasSubstr(part)));
  }
  EXPECT_EQ(Count(svg, "http"), 1u);  // the namespace
}

TEST(FunctionDrawingTest, HostileNamesAreText) {
  const std::string hostile = "\"><script>alert('1')</script>\x01\xFF\xE2\x80\xAE";
  const std::string svg = DrawFunction(Example(hostile, hostile + "n", hostile + "v"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("\x01")));
  EXPECT_THAT(svg, Not(HasSubstr("\xFF")));
  EXPECT_THAT(svg, Not(HasSubstr("\xE2\x80\xAE")));
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;"));
}

TEST(FunctionDrawingTest, LongNamesAreCutWhereACharacterEnds) {
  std::string longest;
  for (int i = 0; i < 20'000; ++i) longest += "\xED\x95\x9C";  // a Korean syllable
  const std::string svg = DrawFunction(Example(longest, longest + "n", longest + "v"));
  EXPECT_LT(svg.size(), 60'000u);
  EXPECT_THAT(svg, Not(HasSubstr("\xEF\xBF\xBD")));  // nothing was cut in two
}

TEST(FunctionDrawingTest, NotesStandInTheirNodes) {
  const std::string svg =
      DrawFunction(Example("x", "project", "kernel"), {.notes = {{"squash", "by <simd>"}}});
  EXPECT_THAT(svg, HasSubstr(">by &lt;simd&gt;</text>"));
}

TEST(FunctionDrawingTest, TooManyNodesAreNotDrawn) {
  const std::string svg = DrawFunction(Example("x", "project", "kernel"), {.max_nodes = 1});
  EXPECT_THAT(svg, HasSubstr("example has 2 nodes, and at most 1 are drawn"));
  EXPECT_THAT(svg, Not(HasSubstr("class=\"node\"")));
}

TEST(FunctionDrawingTest, EdgesThatAreTooLongAreTold) {
  FunctionBuilder g("deep", AllOps());
  const Value first = g.Input("x", {DType::kFloat32, {3}});
  Value value = first;
  std::vector<Value> all;
  for (int i = 0; i < 200; ++i) {
    value = g.AddNode("Tanh", {value}, {}, absl::StrCat("down_", i))[0];
    all.push_back(value);
  }
  for (int i = 0; i < 200; ++i) {
    value = g.AddNode("Add", {value, all[199 - i]}, {}, absl::StrCat("up_", i))[0];
  }
  g.Result("y", value);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  const std::string svg = DrawFunction(function);
  EXPECT_THAT(svg, HasSubstr(">from down_0</text>"));
  EXPECT_LT(svg.size(), 2'000'000u);
}

TEST(FunctionDrawingTest, RowsOfPicturesAreOneElement) {
  const Function before = Example("x", "project", "kernel"), after = Example("a", "b", "c");
  const std::string svg = DrawFunctions({{{"before <1>", &before}, {"after", &after}}});
  EXPECT_EQ(Count(svg, "<svg"), 3u);
  EXPECT_EQ(Count(svg, "</svg>"), 3u);
  EXPECT_THAT(svg, HasSubstr(">before &lt;1&gt;</text>"));
  EXPECT_EQ(Count(svg, "<g class=\"node\""), 4u);
}

}  // namespace
}  // namespace seqgraph::tools
