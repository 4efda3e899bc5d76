// docs/commands is what the commands declare.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tools/docs/command_docs.h"

namespace seqgraph {
namespace {

constexpr char kAnew[] = "; run: bazel run //tools/docs:gen_docs";

TEST(CommandDocs, ThePagesAreWhatTheCommandsDeclare) {
  std::set<std::string> names;
  for (const auto& [name, text] : tools::CommandDocs()) {
    names.insert(name);
    std::ifstream file("docs/commands/" + name, std::ios::binary);
    std::ostringstream page;
    page << file.rdbuf();
    EXPECT_TRUE(page.str() == text) << "docs/commands/" << name << " is out of date" << kAnew;
  }
  EXPECT_GT(names.size(), 10u);
  for (const auto& entry : std::filesystem::directory_iterator("docs/commands")) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(names.count(name)) << "docs/commands/" << name << " is of no command" << kAnew;
  }
}

}  // namespace
}  // namespace seqgraph
