#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "tools/command.h"
#include "tools/report/chart_png.h"
#include "tools/report/curves.h"
#include "tools/report/run_folders.h"
#include "tools/report/terminal_plot.h"
#include "tools/terminal.h"

namespace seqgraph::tools {
namespace {

class PlotCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFiles("RUN", &runs_, "Folders of runs (train --run), or of many", IsFileOfRun)
        .Required();
    flags.OutputFile("--output", &output_, "A picture of the curves, .svg or .png");
    flags.Switch("--terminal", &terminal_, "Draw in the terminal; also without --output");
    flags.Switch("--log", &log_, "Logarithmic axis, but for the learning rate");
  }

  absl::StatusOr<int> Run(Output& out) override {
    const bool png = absl::EndsWith(output_, ".png");
    if (!output_.empty() && !png && !absl::EndsWith(output_, ".svg")) {
      return InvalidArgument("--output: expected a name that ends in .svg or .png, got '", output_,
                             "'");
    }
    SEQ_ASSIGN_OR_RETURN(const std::vector<RunRecord> runs, LoadRuns(runs_));
    std::vector<Chart> charts = CurveCharts(runs);
    if (charts.empty()) {
      return FailedPrecondition("nothing is measured yet: no epoch has ended in ", runs_[0],
                                "; try again when one has");
    }
    for (Chart& chart : charts) chart.log_y = log_ && chart.title != "learning rate";
    if (!output_.empty()) {
      std::string picture;
      if (png) {
        SEQ_ASSIGN_OR_RETURN(picture, ChartsPng(charts));
      } else {
        picture = ChartsSvg(charts);
      }
      SEQ_RETURN_IF_ERROR(AtomicWriteFile(output_, picture));
    }
    if (!output_.empty() && !terminal_) return 0;
    std::FILE* file = out.file();
    // Colors only where they are seen: https://no-color.org.
    const bool colors = ::isatty(::fileno(file)) != 0 && std::getenv("NO_COLOR") == nullptr;
    const TerminalPlotOptions options{.columns = std::min(TerminalColumns(file), 160),
                                      .colors = colors};
    for (const Chart& chart : charts) {
      const std::string drawn = TerminalPlot(chart, options);
      if (!colors) {
        out.Write(drawn + "\n");
      } else if (std::fputs((drawn + "\n").c_str(), file) < 0) {
        return absl::UnavailableError("the terminal cannot be written");
      }
    }
    return 0;
  }

 private:
  std::vector<std::string> runs_;
  std::string output_;
  bool terminal_ = false, log_ = false;
};

}  // namespace

CommandDef DefinePlot() {
  return DefineCommand<PlotCommand>("plot",
                                    "Curves of training runs, as SVG, as PNG or in the terminal");
}

}  // namespace seqgraph::tools
