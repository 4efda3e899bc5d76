#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tools/docs/optimizer_docs.h"

namespace seqgraph {
namespace {

TEST(OptimizerDocs, ThePageIsWhatTheDefinitionsSay) {
  std::ifstream file("docs/optimizers.md", std::ios::binary);
  ASSERT_TRUE(file) << "no docs/optimizers.md";
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(page.str() == OptimizerDocs())
      << "docs/optimizers.md is out of date; run: bazel run //tools/docs:gen_docs";
}

}  // namespace
}  // namespace seqgraph
