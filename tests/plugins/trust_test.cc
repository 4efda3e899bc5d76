// Whose plugins are run: those that root or this user decides about, and none that the environment
// of a set-user-ID process names.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "backends/plugin/plugin_loader.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr uid_t kNobody = 65534;
constexpr gid_t kTheirs = 4242;
constexpr char kCannotGive[] = "only root can give files away, and not in a sandbox";

class Trust : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(std::filesystem::canonical("tests/plugins/libhostile_honest.so"), file_);
    ASSERT_EQ(::chmod(file_.c_str(), 0755), 0);
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  }
  ProcessResult Backends() const {
    return RunSeqgraph({"backends"}, {.environment = {"SEQGRAPH_BACKEND_PATH=" + folder_}});
  }

  const std::string folder_ = std::filesystem::canonical(MakeTempDir()).string();
  const std::string file_ = folder_ + "/libhonest.so";
};

TEST_F(Trust, OfOnesOwnFilesInOnesOwnFolder) {
  SEQ_EXPECT_OK(CheckTrusted(file_));
  SEQ_EXPECT_OK(CheckTrusted(folder_));
  SEQ_EXPECT_OK(LoadPlugin(file_));
  EXPECT_THAT(Backends().out, HasSubstr("plugin " + file_));
  EXPECT_THAT(CheckTrusted(folder_ + "/none.so"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(Trust, NotOfAFolderThatAnybodyMayWriteTo) {
  for (const mode_t mode : {0777, 01777, 0757}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    for (const std::string& path : {folder_, file_}) {
      EXPECT_THAT(CheckTrusted(path),
                  StatusIs(absl::StatusCode::kPermissionDenied,
                           absl::StrCat("folder ", folder_, " may be written by anybody")))
          << mode;
    }
    const PluginSearch search = FindPlugins(folder_);
    EXPECT_THAT(search.files, IsEmpty());
    EXPECT_THAT(search.refused, ElementsAre(HasSubstr("may be written by anybody")));
    EXPECT_THAT(Backends().out,
                AllOf(HasSubstr("may be written by anybody"), Not(HasSubstr("plugin " + file_))));
    const ProcessResult by_path = RunSeqgraph({"bench", "m.pb", "--backend=" + file_});
    EXPECT_EQ(by_path.status, 1);
  }
}

TEST_F(Trust, NotOfAFileThatOthersMayWriteTo) {
  ASSERT_EQ(::chmod(file_.c_str(), 0757), 0);
  EXPECT_THAT(LoadPlugin(file_), StatusIs(absl::StatusCode::kPermissionDenied,
                                          absl::StrCat("plugin ", file_, ": file ", file_)));
  const std::string link = MakeTempDir() + "/libhonest.so";
  std::filesystem::create_symlink(file_, link);
  EXPECT_THAT(LoadPlugin(link), StatusIs(absl::StatusCode::kPermissionDenied, file_));
  // Found, but not loaded: with the reason.
  EXPECT_THAT(FindPlugins(folder_).files, SizeIs(1));
  EXPECT_THAT(Backends().out, HasSubstr("honest refused: "));
}

TEST_F(Trust, NotOfWhatOthersOwn) {
  if (::chown(file_.c_str(), kNobody, 0) != 0) GTEST_SKIP() << kCannotGive;
  EXPECT_THAT(CheckTrusted(file_), StatusIs(absl::StatusCode::kPermissionDenied,
                                            "belongs to user 65534, neither root nor you"));
  ASSERT_EQ(::chown(file_.c_str(), 0, kTheirs), 0);
  SEQ_EXPECT_OK(CheckTrusted(file_));
  ASSERT_EQ(::chmod(file_.c_str(), 0775), 0);
  EXPECT_THAT(CheckTrusted(file_),
              StatusIs(absl::StatusCode::kPermissionDenied, "may be written by group 4242"));
  ASSERT_EQ(::chown(file_.c_str(), 0, ::getegid()), 0);
  SEQ_EXPECT_OK(CheckTrusted(file_));
  ASSERT_EQ(::chown(folder_.c_str(), kNobody, 0), 0);
  EXPECT_THAT(CheckTrusted(file_), StatusIs(absl::StatusCode::kPermissionDenied,
                                            absl::StrCat("folder ", folder_, " belongs to")));
}

TEST_F(Trust, NotOfWhatWhoeverStartsASetUserIdProcessNames) {
  const std::string program = MakeTempDir() + "/seqgraph";
  std::filesystem::copy(std::filesystem::canonical("tools/seqgraph_main"), program);
  ASSERT_EQ(::chmod(std::filesystem::path(program).parent_path().c_str(), 0755), 0);
  if (::chown(program.c_str(), kNobody, 0) != 0) GTEST_SKIP() << kCannotGive;
  for (const mode_t mode : {0755, 04755}) {
    ASSERT_EQ(::chmod(program.c_str(), mode), 0);
    const ProcessResult listed = RunSeqgraph(
        {"backends"},
        {.environment = {"SEQGRAPH_BACKEND_PATH=" + folder_, "XDG_CACHE_HOME=" + folder_},
         .program = program});
    ASSERT_EQ(listed.status, 0) << listed.err;
    EXPECT_THAT(listed.out, HasSubstr("reference"));
    const bool found = listed.out.find("libhonest.so") != std::string::npos;
    EXPECT_EQ(found, mode == 0755) << listed.out;
  }
}

}  // namespace
}  // namespace seqgraph
