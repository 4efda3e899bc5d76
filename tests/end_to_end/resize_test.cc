// A terminal that becomes narrower while a run goes on: its line of progress stays one line.

#include <signal.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

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

TEST(Resize, AProgressLineLeavesNothingBehindWhereItNoLongerFits) {
  if (!TerminalsExist()) GTEST_SKIP() << "no pseudo-terminals here: is /dev/pts mounted?";
  const std::string folder = FolderWithTinyArchive();
  // One epoch of synthetic reviews, one a batch, takes seconds.
  Process train({"train", "--backend=reference", "--batch=1", "--output=m.pb"},
                {.folder = folder, .environment = {"TERM=xterm"}, .terminal = true});
  ASSERT_TRUE(train.WaitForOutput("/step")) << train.out();
  Screen screen(100);
  size_t seen = 0;
  for (const int columns : {60, 33, 20, 90, 41}) {
    ASSERT_TRUE(train.WaitForOutput("/step", train.out().size())) << train.out();
    train.Signal(SIGSTOP);  // What it wrote before was written for the old width.
    train.TakeOutput();
    screen.Write(train.out().substr(seen));
    seen = train.out().size();
    train.Resize(columns);
    screen.Resize(static_cast<size_t>(columns));
    train.Signal(SIGCONT);
  }
  ASSERT_TRUE(train.WaitForOutput("/step", train.out().size())) << train.out();
  train.Signal(SIGINT);
  EXPECT_EQ(train.Wait(), 130);
  screen.Write(train.out().substr(seen));
  const std::vector<std::string> lines = screen.Lines();
  const std::string text = absl::StrJoin(lines, "\n");
  // "417/6400 ": what a line begins with is what is left of it where it was not drawn over.
  const std::regex count("[0-9]+/[0-9]{4,} ");
  EXPECT_EQ(std::distance(std::sregex_iterator(text.begin(), text.end(), count), {}), 1) << text;
  // What stood above is still there.
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "Epoch 1/100"), 1) << text;
}

}  // namespace
}  // namespace seqgraph
