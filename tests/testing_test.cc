#include "tests/testing.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest-spi.h"

namespace seqgraph {
namespace {

using ::testing::Not;

TEST(StatusIsTest, ComparesCodeAndPartOfTheMessage) {
  const absl::Status status = absl::InvalidArgumentError("node 'h': expected 2 axes, found 3");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "expected 2 axes"));
  EXPECT_THAT(status, Not(StatusIs(absl::StatusCode::kInvalidArgument, "expected 3 axes")));
  EXPECT_THAT(status, Not(StatusIs(absl::StatusCode::kInternal, "expected 2 axes")));
  EXPECT_THAT(absl::StatusOr<int>(status), StatusIs(absl::StatusCode::kInvalidArgument, "'h'"));
  EXPECT_THAT(absl::StatusOr<int>(3), StatusIs(absl::StatusCode::kOk));
}

TEST(ExpectOkTest, FailsWithTheStatusInTheMessage) {
  SEQ_EXPECT_OK(absl::OkStatus());
  SEQ_EXPECT_OK(absl::StatusOr<int>(3));
  EXPECT_NONFATAL_FAILURE(SEQ_EXPECT_OK(absl::NotFoundError("no such op")), "no such op");
}

TEST(AssertOkAndAssignTest, MovesTheValueOut) {
  absl::StatusOr<std::unique_ptr<int>> result = std::make_unique<int>(7);
  SEQ_ASSERT_OK_AND_ASSIGN(std::unique_ptr<int> value, std::move(result));
  EXPECT_EQ(*value, 7);
}

TEST(AssertOkAndAssignTest, StopsAtAnError) {
  EXPECT_FATAL_FAILURE(
      {
        SEQ_ASSERT_OK_AND_ASSIGN(int value, absl::StatusOr<int>(absl::DataLossError("cut short")));
        ADD_FAILURE() << "went on with " << value;
      },
      "cut short");
}

TEST(SharedPathTest, IsEmptyForWhatIsNotThere) {
  const std::string folder = MakeTempDir();
  std::ofstream(folder + "/file").put('x');
  ASSERT_EQ(setenv("SEQGRAPH_SHARED", folder.c_str(), 1), 0);
  EXPECT_EQ(SharedPath("file"), folder + "/file");
  EXPECT_EQ(SharedPath("other"), "");
  ASSERT_EQ(unsetenv("SEQGRAPH_SHARED"), 0);
  EXPECT_EQ(SharedPath("file"), "");
}

TEST(MakeTempDirTest, GivesANewEmptyFolderEachTime) {
  const std::string a = MakeTempDir();
  const std::string b = MakeTempDir();
  EXPECT_NE(a, b);
  EXPECT_TRUE(std::filesystem::is_empty(a));
  EXPECT_TRUE(std::filesystem::is_empty(b));
}

}  // namespace
}  // namespace seqgraph
