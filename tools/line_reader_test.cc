#include "tools/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A pipe whose writing end the test feeds and closes.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(fds_), 0); }
  ~Pipe() {
    Close();
    ::close(fds_[0]);
  }
  void Send(const std::string& text) {
    ASSERT_EQ(::write(fds_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() {
    if (fds_[1] >= 0) ::close(fds_[1]);
    fds_[1] = -1;
  }
  int reading_end() const { return fds_[0]; }

 private:
  int fds_[2] = {-1, -1};
};

TEST(LineReader, GivesLinesWithoutTheirEnds) {
  Pipe pipe;
  pipe.Send("one\ntwo\r\n\nfour");
  pipe.Close();
  LineReader reader(pipe.reading_end(), "input");
  SEQ_ASSERT_OK_AND_ASSIGN(auto lines, reader.Next(10));
  EXPECT_THAT(lines, ElementsAre("one", "two", ""));
  EXPECT_EQ(reader.first_line(), 1);
  SEQ_ASSERT_OK_AND_ASSIGN(lines, reader.Next(10));
  EXPECT_THAT(lines, ElementsAre("four"));
  EXPECT_EQ(reader.first_line(), 4);
  SEQ_ASSERT_OK_AND_ASSIGN(lines, reader.Next(10));
  EXPECT_THAT(lines, IsEmpty());
}

TEST(LineReader, GivesAtMostAsManyAsAskedFor) {
  Pipe pipe;
  pipe.Send("a\nb\nc\n");
  pipe.Close();
  LineReader reader(pipe.reading_end(), "input");
  SEQ_ASSERT_OK_AND_ASSIGN(auto lines, reader.Next(2));
  EXPECT_THAT(lines, ElementsAre("a", "b"));
  SEQ_ASSERT_OK_AND_ASSIGN(lines, reader.Next(2));
  EXPECT_THAT(lines, ElementsAre("c"));
  EXPECT_EQ(reader.first_line(), 3);
}

TEST(LineReader, GivesALineBeforeTheNextHasCome) {
  Pipe pipe;
  LineReader reader(pipe.reading_end(), "input");
  pipe.Send("first\nsec");
  // The writing end is open: waiting for more than the first line would never end.
  SEQ_ASSERT_OK_AND_ASSIGN(auto lines, reader.Next(2));
  EXPECT_THAT(lines, ElementsAre("first"));
  pipe.Send("ond\n");
  SEQ_ASSERT_OK_AND_ASSIGN(lines, reader.Next(2));
  EXPECT_THAT(lines, ElementsAre("second"));
}

TEST(LineReader, KeepsNulAndAnyOtherByte) {
  Pipe pipe;
  const std::string bytes("a\0\xff\x1b", 4);
  pipe.Send(bytes + "\n");
  pipe.Close();
  LineReader reader(pipe.reading_end(), "input");
  SEQ_ASSERT_OK_AND_ASSIGN(const auto lines, reader.Next(1));
  EXPECT_THAT(lines, ElementsAre(bytes));
}

TEST(LineReader, TakesLinesLongerThanABlock) {
  const std::string path = MakeTempDir() + "/lines";
  const std::string longer(200'000, 'x');
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fputs((longer + "\nshort\n" + longer).c_str(), file);
  std::fclose(file);
  const int fd = ::open(path.c_str(), O_RDONLY);
  LineReader reader(fd, path);
  std::vector<std::string> all;
  while (true) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto lines, reader.Next(2));
    if (lines.empty()) break;
    all.insert(all.end(), lines.begin(), lines.end());
  }
  ::close(fd);
  EXPECT_THAT(all, ElementsAre(longer, "short", longer));
}

TEST(LineReader, RefusesALineBeyondTheLimitAndNamesIt) {
  Pipe pipe;
  pipe.Send("12345678\n123456789");
  LineReader reader(pipe.reading_end(), "the input", /*max_line_bytes=*/8);
  const auto result = reader.Next(5);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kResourceExhausted, "the input: line 2"));
}

TEST(LineReader, ReportsWhatTheSystemSays) {
  LineReader reader(-1, "nothing");
  EXPECT_THAT(reader.Next(1), StatusIs(absl::StatusCode::kFailedPrecondition, "nothing"));
}

}  // namespace
}  // namespace seqgraph::tools
