#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "layers/all_layers.h"
#include "tools/docs/layer_docs.h"

namespace seqgraph {
namespace {

TEST(LayerDocs, ThePageIsWhatTheDefinitionsSay) {
  std::ifstream file("docs/layers.md", std::ios::binary);
  ASSERT_TRUE(file) << "no docs/layers.md";
  std::ostringstream page;
  page << file.rdbuf();
  // Not EXPECT_EQ: a difference would print both pages.
  EXPECT_TRUE(page.str() == LayerDocs(AllLayers()))
      << "docs/layers.md is out of date; run: bazel run //tools/docs:gen_docs";
}

}  // namespace
}  // namespace seqgraph
