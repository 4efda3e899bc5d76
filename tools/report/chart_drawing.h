#pragma once

// How a chart is drawn, whatever on.

#include <string>
#include <utility>
#include <vector>

#include "tools/report/chart.h"

namespace seqgraph::tools {

/// What a chart is drawn on: SVG (chart.cc) or pixels (chart_png.cc). Places are pixels from the
/// upper left corner, colors those of ChartColors().
class ChartCanvas {
 public:
  using Points = std::vector<std::pair<double, double>>;

  enum class PathKind { kGrid, kAxis, kDashedAxis, kLine, kDashedLine, kWideLine, kBand };
  enum class TextKind { kTick, kLabel, kName, kTitle };
  enum class Anchor { kStart, kMiddle, kEnd };  ///< what of the text lies at its x

  virtual ~ChartCanvas() = default;
  /// Lines, each through its points; of a band what is within.
  virtual void Path(PathKind kind, int color, const std::vector<Points>& lines) = 0;
  virtual void Dots(int color, const Points& points) = 0;
  /// `y` is that of the line that letters stand on; of ticks beside an axis (kTick at its end) the
  /// middle of the letters.
  virtual void Text(TextKind kind, Anchor anchor, double x, double y, const std::string& text) = 0;
};

/// All but the title.
void DrawChart(const Chart& chart, ChartSize size, ChartCanvas& canvas);
void DrawTitle(const Chart& chart, ChartSize size, ChartCanvas& canvas);

/// What of a name fits beside a line.
std::string ShortName(const std::string& name);

}  // namespace seqgraph::tools
