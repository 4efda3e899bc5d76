#include "tools/drawing/explain_page.h"

#include <string>

#include "backends/all_backends.h"
#include "graph/function_builder.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ExplainPageTest, ShowsMemoryNodesAndFunctionAndNothingFromOutside) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("<script>x", {DType::kFloat32, {Dim::Batch(), 3}});
  const Value w = g.Variable("w", {3, 4}, {});
  const Value z = g.AddNode("Dense", {x, w, Value()}, {}, "project")[0];
  g.Result("y", g.AddNode("Tanh", {z}, {}, "squash")[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  VariableStore store;
  for (const VariableRead& read : f.variables()) SEQ_ASSERT_OK(store.Declare(read.def));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList("reference"));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto compiled,
      CompiledFunction::Compile(f, AllOps(), &store,
                                {.backends = backends, .batch = 2, .plan_only = true}));
  const std::string page = ExplainPage(*compiled, "a <title>", "1 < 2");
  EXPECT_THAT(page, StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("<h1>a &lt;title&gt;</h1>"));
  EXPECT_THAT(page, HasSubstr("<pre>1 &lt; 2</pre>"));
  EXPECT_THAT(page, HasSubstr("<td>project</td><td>Dense</td><td>reference</td>"
                              "<td class=\"number\">32</td>"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;x: 24 bytes, nodes 0 to 1"));
  EXPECT_THAT(page, HasSubstr("data-node=\"squash\""));
  EXPECT_THAT(page, HasSubstr(">reference: "));
  for (const char* part : {"<script", "href", "src=", "url(", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(part)));
  }
}

}  // namespace
}  // namespace seqgraph::tools
