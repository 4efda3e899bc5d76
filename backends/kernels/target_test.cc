#include "backends/kernels/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/testing.h"

namespace seqgraph::kernels {
namespace {

using ::testing::Contains;
using ::testing::IsSubsetOf;
using ::testing::Not;

TEST(Target, TheBestOneIsInUseUnlessOneIsForced) {
  const std::vector<std::string> targets = SupportedTargets();
  ASSERT_FALSE(targets.empty());
  EXPECT_THAT(targets, IsSubsetOf({"AVX3", "AVX2", "SSE4"}));
  EXPECT_EQ(targets.back(), "SSE4");  // which every better one has too
  for (const std::string& target : targets) {
    SEQ_ASSERT_OK(ForceTarget(target));
    EXPECT_EQ(TargetName(), target);
    EXPECT_EQ(SupportedTargets(), targets);
  }
  SEQ_ASSERT_OK(ForceTarget("sse4"));
  EXPECT_EQ(TargetName(), "SSE4");
  SEQ_ASSERT_OK(ForceTarget(""));
  EXPECT_EQ(TargetName(), targets.front());
}

TEST(Target, TheScalarOneIsNeverInUse) {
  EXPECT_THAT(SupportedTargets(), Not(Contains("SCALAR")));
  EXPECT_THAT(ForceTarget("SCALAR"), StatusIs(absl::StatusCode::kInvalidArgument, "SSE4"));
}

TEST(Target, AnUnknownOneIsRefusedAndChangesNothing) {
  SEQ_ASSERT_OK(ForceTarget("SSE4"));
  EXPECT_THAT(ForceTarget("AVX9"),
              StatusIs(absl::StatusCode::kInvalidArgument, "'AVX9': this CPU has"));
  EXPECT_EQ(TargetName(), "SSE4");
  SEQ_ASSERT_OK(ForceTarget(""));
}

TEST(TargetDeathTest, TheEnvironmentForcesOneOrIsRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        setenv(kTargetVariable, "sse4", 1);
        std::exit(TargetStatus().ok() && TargetName() == "SSE4" ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        setenv(kTargetVariable, "mmx", 1);
        std::fputs(TargetStatus().ToString().c_str(), stderr);
        std::exit(TargetStatus().ok() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "SEQGRAPH_SIMD_TARGET.*'mmx': this CPU has .*SSE4");
}

}  // namespace
}  // namespace seqgraph::kernels
