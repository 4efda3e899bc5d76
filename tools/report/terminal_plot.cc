#include "tools/report/terminal_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace seqgraph::tools {
namespace {

// ANSI's blue, yellow, cyan, magenta, red, green.
constexpr int kAnsi[] = {34, 33, 36, 35, 31, 32};

// Cells of 2 x 4 dots; the last line that is in a cell gives it its color.
class Canvas {
 public:
  Canvas(int columns, int rows)
      : columns_(columns), rows_(rows), dots_(columns * rows), colors_(columns * rows, -1) {}

  void Dot(int x, int y, int color) {
    if (x < 0 || y < 0 || x >= 2 * columns_ || y >= 4 * rows_) return;
    // Unicode's numbers of the dots: 1, 2, 3, 7 on the left, 4, 5, 6, 8 on the right.
    static constexpr uint8_t kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const int cell = y / 4 * columns_ + x / 2;
    dots_[cell] |= kBits[y % 4][x % 2];
    colors_[cell] = color;
  }

  // From one dot to another; `apart`: only each dot whose number of columns it divides.
  void Line(double x0, double y0, double x1, double y1, int color, int apart) {
    const int steps = 1 + static_cast<int>(std::max(std::abs(x1 - x0), std::abs(y1 - y0)));
    for (int i = 0; i <= steps; ++i) {
      const double at = static_cast<double>(i) / steps;
      const int x = static_cast<int>(std::lround(x0 + at * (x1 - x0)));
      if (x % apart == 0) Dot(x, static_cast<int>(std::lround(y0 + at * (y1 - y0))), color);
    }
  }

  std::string Row(int row, bool colors) const {
    std::string text;
    for (int column = 0; column < columns_; ++column) {
      const int cell = row * columns_ + column;
      const uint8_t dots = dots_[cell];
      if (dots == 0) {
        text += ' ';
        continue;
      }
      // U+2800 + dots in UTF-8.
      const std::string character = {static_cast<char>(0xE2), static_cast<char>(0xA0 | dots >> 6),
                                     static_cast<char>(0x80 | (dots & 0x3F))};
      const int ansi = kAnsi[colors_[cell] % static_cast<int>(std::size(kAnsi))];
      absl::StrAppend(&text,
                      colors ? absl::StrFormat("\x1b[%dm%s\x1b[0m", ansi, character) : character);
    }
    return text;
  }

 private:
  int columns_, rows_;
  std::vector<uint8_t> dots_;
  std::vector<int> colors_;
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Add(const std::vector<double>& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  // In [0, 1]; in the middle where there is one value only.
  double At(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

}  // namespace

std::string TerminalPlot(const Chart& chart, const TerminalPlotOptions& options) {
  Range x, y;
  for (const ChartLine& line : chart.lines) {
    x.Add(line.x);
    y.Add(line.y);
  }
  if (!(y.low <= y.high)) return absl::StrCat(Printable(chart.title), ": nothing to draw\n");
  const std::string high = TickText(y.high), low = TickText(y.low);
  const int margin = static_cast<int>(std::max(high.size(), low.size()));
  const int columns = std::max(options.columns, 30) - margin - 2;
  Canvas canvas(columns, options.rows);
  std::string legend;
  for (size_t l = 0; l < chart.lines.size(); ++l) {
    const ChartLine& line = chart.lines[l];
    // Dashed behind solid ones of their color get the next one, as they would look alike.
    const int color = static_cast<int>(l);
    const int apart = options.colors || l == 0 ? 1 : static_cast<int>(l) + 1;
    double last_x = NAN, last_y = NAN;
    for (size_t i = 0; i < line.x.size(); ++i) {
      const double at_x = x.At(line.x[i]) * (2 * columns - 1);
      const double at_y = (1 - y.At(line.y[i])) * (4 * options.rows - 1);
      const bool there = std::isfinite(at_x) && std::isfinite(at_y);
      if (there && std::isfinite(last_x)) {
        canvas.Line(last_x, last_y, at_x, at_y, color, apart);
      } else if (there) {
        canvas.Dot(static_cast<int>(std::lround(at_x)), static_cast<int>(std::lround(at_y)), color);
      }
      last_x = there ? at_x : NAN;
      last_y = there ? at_y : NAN;
    }
    const std::string mark = apart == 1 ? "⠤⠤" : "⠄⠄";
    absl::StrAppend(&legend, "  ",
                    options.colors
                        ? absl::StrFormat("\x1b[%dm⠤⠤\x1b[0m",
                                          kAnsi[color % static_cast<int>(std::size(kAnsi))])
                        : mark,
                    " ", Printable(line.name));
  }
  std::string text = absl::StrCat(Printable(chart.title), legend, "\n");
  for (int row = 0; row < options.rows; ++row) {
    const std::string& label = row == 0 ? high : row + 1 == options.rows ? low : "";
    absl::StrAppend(&text, std::string(margin - label.size(), ' '), label, " ",
                    row == 0 || row + 1 == options.rows ? "┤" : "│",
                    canvas.Row(row, options.colors), "\n");
  }
  const std::string left = TickText(x.low);
  const std::string right = absl::StrCat(TickText(x.high), " ", Printable(chart.x_label));
  const int gap = columns - static_cast<int>(left.size() + right.size());
  absl::StrAppend(&text, std::string(margin + 2, ' '), left, std::string(std::max(gap, 1), ' '),
                  right, "\n");
  return text;
}

}  // namespace seqgraph::tools
