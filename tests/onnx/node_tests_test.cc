// ONNX's own tests of operators: how many pass, that none fails, and that what is refused is what
// refusals.txt says.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/all_backends.h"
#include "tests/onnx/node_case.h"
#include "tests/testing.h"

namespace seqgraph::onnx {
namespace {

// What is reached with a release of libonnx-testdata, told by a test that the next one brings.
struct Release {
  const char* test;  ///< that it has first
  const char* refusals;
  int passed;
  std::set<std::string> differ;  ///< tests that give something else, as said below
};

// ONNX Runtime 1.32 and these backends saturate, where 1.17's tests of QLinearMatMul expect int8 to
// go round; in the pool neither counts what a window has behind the padding. An extremum of nothing
// is an error here. Numbers drawn by lot are others.
const Release& InstalledRelease() {
  static const auto& releases = *new std::vector<Release>{
      {"test_qlinearmatmul_2D_int8_float32",
       "tests/onnx/refusals_1.17.txt",
       970,
       {"test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
        "test_bernoulli_double_expanded", "test_bernoulli_seed_expanded",
        "test_qlinearmatmul_2D_int8_float16", "test_qlinearmatmul_2D_int8_float32",
        "test_qlinearmatmul_3D_int8_float16", "test_qlinearmatmul_3D_int8_float32",
        "test_reduce_log_sum_exp_empty_set", "test_reduce_max_empty_set",
        "test_reduce_min_empty_set"}},
      {"",
       "tests/onnx/refusals.txt",
       802,
       {"test_bernoulli_double_expanded", "test_bernoulli_seed_expanded"}}};
  size_t i = 0;
  while (!std::filesystem::exists(absl::StrCat(kNodeTests, "/", releases[i].test))) ++i;
  return releases[i];
}

std::set<std::string> Without(const std::set<std::string>& all, const std::set<std::string>& some) {
  std::set<std::string> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(),
                      std::inserter(rest, rest.end()));
  return rest;
}

class NodeTests : public testing::TestWithParam<const char*> {};

TEST_P(NodeTests, PassOrAreRefusedForTheReasonsStated) {
  if (!std::filesystem::exists(kNodeTests)) {
    GTEST_SKIP() << "needs libonnx-testdata: no " << kNodeTests;
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList(GetParam()));
  const Release& release = InstalledRelease();
  std::set<std::string> stated, refused, differ;
  std::ifstream file(release.refusals);
  ASSERT_TRUE(file);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') stated.insert(line);
  }
  int passed = 0;
  const std::vector<NodeResult> results = RunNodeTests(kNodeTests, backends);
  for (const NodeResult& result : results) {
    if (result.outcome == Outcome::kFailed) {
      differ.insert(result.test);
      EXPECT_TRUE(release.differ.count(result.test)) << result.test << ": " << result.reason;
    }
    passed += result.outcome == Outcome::kPassed;
    if (result.outcome == Outcome::kRefused) {
      refused.insert(absl::StrCat(result.test, ": ", result.reason));
    }
  }
  EXPECT_GE(passed, release.passed);
  EXPECT_EQ(differ, release.differ);
  EXPECT_EQ(refused, stated) << NodeTable(results) << "refused, and not in " << release.refusals
                             << ":\n"
                             << absl::StrJoin(Without(refused, stated), "\n")
                             << "\nin it, and not refused:\n"
                             << absl::StrJoin(Without(stated, refused), "\n");
}

INSTANTIATE_TEST_SUITE_P(Backends, NodeTests, testing::Values("reference", "onednn", "simd"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace seqgraph::onnx
