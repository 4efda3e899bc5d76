#include <string>
#include <vector>

#include "base/status_macros.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/report/run_folders.h"
#include "tools/report/write_report.h"

namespace seqgraph::tools {
namespace {

class ReportCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFiles("RUN", &runs_, "Folders of runs (train --run), or of many", IsFileOfRun)
        .Required();
    flags.OutputFile("--output", &output_, "The page");
    flags.Choice("--judge", &judge_, {"on", "off"},
                 "Read the data of each run again and let its best model tell them: confusion,\n"
                 "calibration, what is surely wrong, forecasts, and times of some steps");
    flags.Int("--examples", &examples_, 0, 50, "Rows that are surely wrong to show of each run");
    flags.Footer(
        "Writes one page that opens offline: curves of all runs over each other, what differs\n"
        "between them, what their best models make of the data, layers, graph, times, memory, and\n"
        "the command that makes each run again.\n"
        "\n"
        "Examples:\n"
        "  seqgraph report runs/first\n"
        "  seqgraph report runs/lstm runs/gru --output=compare.html --judge=off");
    files_ = &flags.files();
  }

  absl::StatusOr<int> Run(Output& out) override {
    const InterruptHandler interrupt;
    const absl::StatusOr<std::string> lines =
        WriteReport(runs_, output_, *files_,
                    {.judge = judge_ == "on",
                     .judgement = {.wrong_examples = static_cast<int>(examples_),
                                   .interrupt = interrupt.flag()}});
    if (absl::IsCancelled(lines.status())) return interrupt.exit_status();
    SEQ_RETURN_IF_ERROR(lines.status());
    out.Write(*lines);
    return 0;
  }

 private:
  std::vector<std::string> runs_;
  std::string output_ = "report.html", judge_ = "on";
  int64_t examples_ = 8;
  const CommandFiles* files_ = nullptr;
};

}  // namespace

CommandDef DefineReport() {
  return DefineCommand<ReportCommand>(
      "report", "One page of training runs: curves, errors, calibration, layers, times, memory");
}

}  // namespace seqgraph::tools
