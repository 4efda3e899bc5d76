// A terminal that becomes narrower while a run goes on: its line of progress stays one line.

#include <signal.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/end_to_end/screen.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(Screen, WrapsAndObeysAsTerminalsDo) {
  Screen screen(10);
  screen.Write("one\r\nabcdefghijklmno");
  screen.Write("\033[1A\r\033[32mABC\033[0m\033[J\r\nnext");
  EXPECT_EQ(screen.Lines(), (std::vector<std::string>{"one", "ABC", "next"}));
  screen.Resize(2);
  screen.Write("\033[2A\r..\033[K");  // "ne|xt", below "AB|C"
  EXPECT_EQ(screen.Lines(), (std::vector<std::string>{"one", "AB..", "next"}));
}

// How progress is shown, what stands in each of its lines, and how many of them are left when the
// run is interrupted.
struct Shown {
  const char* form;
  const char* each;
  const char* line;
  int left;
};

class Resize : public ::testing::TestWithParam<Shown> {};

TEST_P(Resize, ProgressLeavesNothingBehindWhereItNoLongerFits) {
  if (!TerminalsExist()) GTEST_SKIP() << "no pseudo-terminals here: is /dev/pts mounted?";
  const Shown& shown = GetParam();
  const std::string folder = FolderWithTinyArchive();
  // One epoch of synthetic reviews, one a batch, takes seconds.
  Process train({"train", "--backend=reference", "--batch=1", "--output=m.pb",
                 absl::StrCat("--progress=", shown.form)},
                {.folder = folder, .environment = {"TERM=xterm"}, .terminal = true});
  ASSERT_TRUE(train.WaitForOutput(shown.each)) << train.out();
  Screen screen(100);
  size_t seen = 0;
  for (const int columns : {60, 33, 20, 90, 41}) {
    ASSERT_TRUE(train.WaitForOutput(shown.each, train.out().size())) << train.out();
    train.Signal(SIGSTOP);  // What it wrote before was written for the old width.
    train.TakeOutput();
    screen.Write(train.out().substr(seen));
    seen = train.out().size();
    train.Resize(columns);
    screen.Resize(static_cast<size_t>(columns));
    train.Signal(SIGCONT);
  }
  ASSERT_TRUE(train.WaitForOutput(shown.each, train.out().size())) << train.out();
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait(), 130);
  screen.Write(train.out().substr(seen));
  const std::vector<std::string> lines = screen.Lines();
  const std::string text = absl::StrJoin(lines, "\n");
  // What a line begins with is what is left of it where it was not drawn over.
  const std::regex line(shown.line);
  EXPECT_EQ(std::distance(std::sregex_iterator(text.begin(), text.end(), line), {}), shown.left)
      << text;
  // What stood above is still there.
  const auto backend = [](const std::string& each) { return absl::StartsWith(each, "Backend "); };
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(), backend), 1) << text;
}

INSTANTIATE_TEST_SUITE_P(Forms, Resize,
                         ::testing::Values(
                             // "417/6400 "
                             Shown{"bar", "/step", "[0-9]+/[0-9]{4,} ", 1},
                             Shown{"live", "Epoch 1/100", "Epoch 1/100|loss [0-9]", 0}),
                         [](const auto& info) { return std::string(info.param.form); });

}  // namespace
}  // namespace seqgraph
