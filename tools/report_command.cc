#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/report/report_page.h"
#include "tools/report/run_folders.h"
#include "training/summary.h"

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
    SEQ_ASSIGN_OR_RETURN(std::vector<RunRecord> records, LoadRuns(runs_));
    const InterruptHandler interrupt;
    const ModelReportOptions options{.judge = judge_ == "on",
                                     .judgement = {.wrong_examples = static_cast<int>(examples_),
                                                   .interrupt = interrupt.flag()}};
    std::vector<ReportedRun> runs;
    for (RunRecord& record : records) {
      absl::StatusOr<ModelReport> model = MakeModelReport(record, *files_, options);
      if (absl::IsCancelled(model.status())) return interrupt.exit_status();
      SEQ_RETURN_IF_ERROR(model.status());
      runs.push_back({std::move(record), *std::move(model)});
    }
    const std::string page = ReportPage(runs);
    SEQ_RETURN_IF_ERROR(AtomicWriteFile(output_, page));
    for (const ReportedRun& run : runs) {
      for (const std::string& note : run.model->notes) {
        out.Print("%s: %s\n", run.record.folder, note);
      }
    }
    out.Print("Wrote %s (%s): %d %s\n", output_, ReadableBytes(static_cast<int64_t>(page.size())),
              runs.size(), runs.size() == 1 ? "run" : "runs");
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
