// Event files, byte for byte.

#include "training/tensorboard/event_file.h"

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string ContentOf(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class EventFileTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder()); }
  std::string folder() const {
    return testing::TempDir() + "/" +
           testing::UnitTest::GetInstance()->current_test_info()->name() + "/below";
  }
};

TEST_F(EventFileTest, RecordHasLengthAndMaskedSums) {
  // CRC-32C of "123456789" is 0xE3069283, its catalogue's check value: rotated by 15 bits
  // 0x2507C60D, plus 0xA282EAD8 that is 0xC78AB0E5. That of the length 9 in eight bytes and of
  // eight bytes of zeros (0x8C28B28A) came from the sum's definition, bit by bit.
  EXPECT_EQ(absl::BytesToHexString(EventRecord("123456789")),
            "0900000000000000"
            "37f97139"
            "313233343536373839"
            "e5b08ac7");
  EXPECT_EQ(absl::BytesToHexString(EventRecord("")),
            "0000000000000000"
            "29039807"
            "d8ea82a2");
}

TEST_F(EventFileTest, WritesWhatWaitsWhenItIsFlushed) {
  SEQ_ASSERT_OK_AND_ASSIGN(EventFile file, EventFile::Create(folder(), 1234567890.75));
  EXPECT_THAT(
      file.name(),
      MatchesRegex("events\\.out\\.tfevents\\.1234567890\\.[-_A-Za-z0-9]+\\.[0-9]+\\.0\\.v2"));
  file.Append("first");
  file.Append("second");
  EXPECT_EQ(file.size(), 0);
  SEQ_ASSERT_OK(file.Flush());
  EXPECT_EQ(ContentOf(folder() + "/" + file.name()), EventRecord("first") + EventRecord("second"));
  EXPECT_EQ(file.size(), 5 + 6 + 2 * 16);
  // Another of the same second has another name.
  SEQ_ASSERT_OK_AND_ASSIGN(const EventFile other, EventFile::Create(folder(), 1234567890.75));
  EXPECT_NE(other.name(), file.name());
  EXPECT_THAT(EventFilesIn(folder()), testing::ElementsAre(file.name(), other.name()));
  EXPECT_THAT(EventFilesIn(folder() + "/none"), testing::IsEmpty());
}

TEST_F(EventFileTest, GoesOnBehindWhatItHad) {
  SEQ_ASSERT_OK_AND_ASSIGN(EventFile file, EventFile::Create(folder(), 1));
  file.Append("kept");
  SEQ_ASSERT_OK(file.Flush());
  const int64_t size = file.size();
  file.Append("comes again");
  SEQ_ASSERT_OK(file.Flush());
  SEQ_ASSERT_OK_AND_ASSIGN(EventFile on,
                           EventFile::GoOn(folder(), file.name(), size, EventRecord("waited")));
  on.Append("new");
  SEQ_ASSERT_OK(on.Flush());
  EXPECT_EQ(ContentOf(folder() + "/" + file.name()),
            EventRecord("kept") + EventRecord("waited") + EventRecord("new"));
  EXPECT_THAT(EventFile::GoOn(folder(), file.name(), 1000, ""),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(EventFile::GoOn(folder(), "none", 0, "").ok());
  EXPECT_THAT(EventFile::GoOn(folder(), "../x", 0, "").status().message(),
              HasSubstr("no name of an event file"));
}

TEST_F(EventFileTest, AFullDiskLeavesNoPartOfARecord) {
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  SEQ_ASSERT_OK_AND_ASSIGN(EventFile file, EventFile::Create(folder(), 1));
  file.Append("fits");
  SEQ_ASSERT_OK(file.Flush());
  file.Append("does not");
  const struct rlimit limit = {30, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_FALSE(file.Flush().ok());
  EXPECT_EQ(ContentOf(folder() + "/" + file.name()), EventRecord("fits"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  SEQ_ASSERT_OK(file.Flush());
  EXPECT_EQ(ContentOf(folder() + "/" + file.name()), EventRecord("fits") + EventRecord("does not"));
}

TEST_F(EventFileTest, WhatWaitsIsBounded) {
  SEQ_ASSERT_OK_AND_ASSIGN(EventFile file, EventFile::Create(folder(), 1));
  const std::string large(EventFile::kMaxWaiting / 2, 'x');
  for (int i = 0; i < 4; ++i) file.Append(large);
  EXPECT_LE(file.waiting().size(), EventFile::kMaxWaiting + 16);
  EXPECT_EQ(file.lost(), 3);
}

TEST_F(EventFileTest, AFolderThatCannotBeIsAnError) {
  EXPECT_THAT(EventFile::Create("/proc/none/of/it", 1).status().message(),
              HasSubstr("/proc/none/of/it"));
}

}  // namespace
}  // namespace seqgraph
