#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "ops/all_ops.h"
#include "tools/docs/op_docs.h"

namespace seqgraph {
namespace {

TEST(OpDocs, ThePageIsWhatTheDefinitionsSay) {
  std::ifstream file("docs/ops.md", std::ios::binary);
  ASSERT_TRUE(file) << "no docs/ops.md";
  std::ostringstream page;
  page << file.rdbuf();
  // Not EXPECT_EQ: a difference would print both pages.
  EXPECT_TRUE(page.str() == OpDocs(AllOps()))
      << "docs/ops.md is out of date; run: bazel run //tools/docs:gen_docs";
}

}  // namespace
}  // namespace seqgraph
