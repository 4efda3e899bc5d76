#pragma once

// Lines over two axes: as SVG that needs nothing else, and as data for the script of a page that
// draws the same again, to be zoomed and read off.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace seqgraph::tools {

struct ChartLine {
  enum class Style { kSolid, kDashed, kDots };

  std::string name;
  std::vector<double> x, y;  ///< of one length; NaN breaks the line
  int color = 0;             ///< of kChartColors, by turns
  Style style = Style::kSolid;
};

/// What lies between two lines.
struct ChartBand {
  std::string name;
  std::vector<double> x, low, high;
  int color = 0;
};

struct Chart {
  std::string title, x_label, y_label;
  std::vector<ChartLine> lines;
  std::vector<ChartBand> bands;
  /// Ends of the axes; absent: those of the data.
  std::optional<std::pair<double, double>> x_range, y_range;
  bool log_y = false;       ///< numbers of 0 and below are left out
  bool diagonal = false;    ///< a line y = x to compare with
  bool whole_x = false;     ///< x are whole numbers, such as epochs
  bool can_smooth = false;  ///< the page offers smoothing and a logarithmic axis
};

/// Colors of lines: each has 3 : 1 or more to its ground.
struct ChartColor {
  const char* light;
  const char* dark;
};
absl::Span<const ChartColor> ChartColors();

/// Ends of steps of 1, 2 or 5 times a power of 10, about so many, from `low` to `high`.
std::vector<double> Ticks(double low, double high, int about);
/// Powers of 10 from `low` to `high`, both above 0; of less than two powers also 2 and 5 times.
std::vector<double> LogTicks(double low, double high);
/// "0.001", "2e-05", "12k": as short as it can be told apart.
std::string TickText(double number);

/// At most about `most` points that still have each bucket's least and largest, so that no spike is
/// lost; first and last stay.
void Thin(std::vector<double>& x, std::vector<double>& y, size_t most);

struct ChartSize {
  int width = 640, height = 300;
};
/// An <svg> element. Its colors are classes c0, c1, ... of the page; `standalone`: a whole file
/// with its own styles, light or dark as the viewer wants.
std::string ChartSvg(const Chart& chart, ChartSize size = {}, bool standalone = false);
/// Charts one below the other, as a whole file.
std::string ChartsSvg(absl::Span<const Chart> charts, ChartSize size_of_each = {});

/// As JSON for a <script> of a page: no "<" in it.
std::string ChartsJson(absl::Span<const Chart> charts);

}  // namespace seqgraph::tools
