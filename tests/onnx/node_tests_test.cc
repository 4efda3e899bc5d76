// ONNX's own tests of operators: how many pass, that none fails, and that what is refused is what
// refusals.txt says.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "tests/onnx/node_case.h"
#include "tests/testing.h"

namespace seqgraph::onnx {
namespace {

// The number reached with libonnx-testdata 1.12.
constexpr int kPassed = 802;

class NodeTests : public testing::TestWithParam<const char*> {};

TEST_P(NodeTests, PassOrAreRefusedForTheReasonsStated) {
  if (!std::filesystem::exists(kNodeTests)) {
    GTEST_SKIP() << "needs libonnx-testdata: no " << kNodeTests;
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList(GetParam()));
  std::set<std::string> stated, refused;
  std::ifstream file("tests/onnx/refusals.txt");
  ASSERT_TRUE(file);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') stated.insert(line);
  }
  int passed = 0;
  const std::vector<NodeResult> results = RunNodeTests(kNodeTests, backends);
  for (const NodeResult& result : results) {
    EXPECT_NE(result.outcome, Outcome::kFailed) << result.test << ": " << result.reason;
    passed += result.outcome == Outcome::kPassed;
    if (result.outcome == Outcome::kRefused) {
      refused.insert(absl::StrCat(result.test, ": ", result.reason));
    }
  }
  EXPECT_GE(passed, kPassed);
  EXPECT_EQ(refused, stated) << NodeTable(results);
}

INSTANTIATE_TEST_SUITE_P(Backends, NodeTests, testing::Values("reference", "onednn", "simd"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace seqgraph::onnx
