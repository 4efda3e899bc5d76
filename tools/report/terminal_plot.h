#pragma once

#include <string>

#include "tools/report/chart.h"

namespace seqgraph::tools {

struct TerminalPlotOptions {
  int columns = 80;  ///< of the terminal; 30 at least are taken
  int rows = 12;     ///< of the drawing
  bool colors = false;
};

/// The chart in Braille's characters, each 2 x 4 dots, with the ends of both axes and a line that
/// names what is drawn; whole lines. Without colors a second line is drawn as dots with gaps.
std::string TerminalPlot(const Chart& chart, const TerminalPlotOptions& options = {});

}  // namespace seqgraph::tools
