#include "tools/output_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/temporary_file.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(OutputLock, IsOneProcesssAndGoesWithIt) {
  const std::string folder = MakeTempDir(), path = folder + "/m.pb";
  SEQ_ASSERT_OK(AtomicWriteFile(path, "a model"));
  fs::create_symlink("m.pb", folder + "/link.pb");
  {
    SEQ_ASSERT_OK_AND_ASSIGN(const OutputLock lock, OutputLock::Take("--output", path));
    const std::string refusal = absl::StrCat(": another process, number ", ::getpid(), ",");
    EXPECT_THAT(OutputLock::Take("--output", path).status().message(),
                HasSubstr("--output=" + path + refusal));
    // By whatever name.
    EXPECT_THAT(OutputLock::Take("--output", folder + "/link.pb").status().message(),
                HasSubstr(refusal));
    SEQ_EXPECT_OK(OutputLock::Take("--output", folder + "/other.pb"));
    // It is not swept away.
    SEQ_EXPECT_OK(TemporaryFile::Create(folder));
    EXPECT_FALSE(OutputLock::Take("--output", path).ok());
  }
  SEQ_EXPECT_OK(OutputLock::Take("--output", path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2);
}

TEST(OutputLock, WhatAKilledProcessLeavesIsHeldByNobody) {
  const std::string folder = MakeTempDir(), path = folder + "/m.pb";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = OutputLock::Take("--output", path);
    ::kill(::getpid(), lock.ok() ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WTERMSIG(status), SIGKILL);
  ASSERT_FALSE(fs::is_empty(folder));
  SEQ_EXPECT_OK(OutputLock::Take("--output", path));
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(OutputLock, WhereNoneCanBeMadeNothingIsHeld) {
  SEQ_EXPECT_OK(OutputLock::Take("--output", "/nonexistent/m.pb"));
}

}  // namespace
}  // namespace seqgraph::tools
