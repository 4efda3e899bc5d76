#include "tools/report/terminal_plot.h"

#include <cmath>

#include "absl/strings/str_split.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Characters, each one column wide here.
size_t Columns(absl::string_view line) {
  size_t columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return columns;
}

TEST(TerminalPlotTest, ADiagonalIsADiagonal) {
  Chart chart;
  chart.title = "loss";
  chart.x_label = "epoch";
  chart.lines = {{"training", {1, 2}, {1, 0}, 0}};
  // 30 columns: "1 ┤" and 27 cells of 2 dots. In 2 rows, 8 dots, a line falls by 7 over 53 dots.
  const std::string plot = TerminalPlot(chart, {.columns = 30, .rows = 2});
  const std::vector<std::string> lines = absl::StrSplit(plot, '\n');
  ASSERT_EQ(lines.size(), 5u) << plot;
  EXPECT_EQ(lines[0], "loss  ⠤⠤ training");
  EXPECT_THAT(lines[1], StartsWith("1 ┤⠉⠉"));
  EXPECT_THAT(lines[2], StartsWith("0 ┤  "));
  EXPECT_THAT(lines[2], ::testing::EndsWith("⣀⣀"));
  EXPECT_EQ(Columns(lines[1]), 30u);
  EXPECT_THAT(lines[3], StartsWith("   1 "));
  EXPECT_THAT(lines[3], ::testing::EndsWith("2 epoch"));
  EXPECT_THAT(plot, Not(HasSubstr("\x1b")));
  EXPECT_THAT(TerminalPlot(chart, {.colors = true}), HasSubstr("\x1b[34m"));
}

TEST(TerminalPlotTest, DrawsWhatIsHardToDraw) {
  Chart chart;
  chart.title = "a\x1b[31mb";
  EXPECT_EQ(TerminalPlot(chart), "a [31mb: nothing to draw\n");
  chart.lines = {{"one", {1}, {3}, 0}, {"none", {1, 2}, {NAN, INFINITY}, 1}};
  EXPECT_THAT(TerminalPlot(chart, {.columns = 1}), HasSubstr("3 ┤"));
  chart.lines = {{"far", {0, 1}, {-1e308, 1e308}, 0}};
  EXPECT_THAT(TerminalPlot(chart), HasSubstr("1e+308"));
}

}  // namespace
}  // namespace seqgraph::tools
