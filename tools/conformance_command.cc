#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backends/plugin/select_backends.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "tools/backend_choice.h"
#include "tools/command.h"
#include "tools/conformance/case.h"
#include "tools/conformance/file_cases.h"
#include "tools/conformance/report.h"
#include "tools/conformance/supervisor.h"
#include "tools/conformance/worker.h"

namespace seqgraph::tools {
namespace {

class ConformanceCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags
        .Backends("--backend", &backend_, "NAME", "Backend to prove right, or the path of a plugin")
        .Required();
    DeclareBackendSettings(flags);
    flags.Text("--mode", &modes_, "MODE,...",
               absl::StrCat("Modes to run, of ", absl::StrJoin(conformance::kModes, ", "),
                            "; without it all"));
    flags.Text("--case", &case_, "NAME",
               "This case alone, or those that begin so where it ends in *");
    flags.InputFile("--graph_test", &graph_test_,
                    "Run the cases of this graph test file (`seqgraph diff` writes them) instead");
    flags.Int("--seed", &seed_, 0, std::numeric_limits<int64_t>::max(),
              "Of all that is drawn: equal seeds give equal cases");
    flags.Choice("--isolate", &isolate_, {"none", "case"},
                 "'case': a process of its own for each case");
    flags.Int("--timeout", &timeout_, 1, 86400, "Seconds after which a case counts as hung");
    flags.Switch("--list", &list_, "Print the names of the cases and run none");
    flags.Switch("--verbose", &verbose_, "A line for each case, not only for faults");
    flags.OutputFile("--json", &json_, "Write the report as JSON");
    flags.OutputFile("--html", &html_, "Write the report as one HTML page");
    flags.Footer(
        "Every op, gradient, whole graph and run of training is compared with float64 reference\n"
        "computations under derived bounds, in guarded memory and in child processes. Exit status "
        "0\n"
        "only if all that the backend claims passes.\n\nExamples:\n"
        "  seqgraph conformance --backend=simd");
    flags.Check("--mode", [this] { return UnknownMode(); });
  }

  absl::StatusOr<int> Run(Output& out) override {
    conformance::Cases of_file;
    if (!graph_test_.empty()) {
      SEQ_ASSIGN_OR_RETURN(of_file, conformance::FileCases(graph_test_, AllOps()));
    }
    if (conformance::IsWorker()) {
      return conformance::WorkerMain(
          AllOps(), [this] { return OpenBackend(); }, of_file);
    }
    const conformance::Cases cases = conformance::Select(
        graph_test_.empty() ? conformance::AllCases(AllOps()) : of_file, Modes(), case_);
    if (cases.empty()) return NotFound("no case is called ", case_, "; see --list");
    if (list_) {
      for (const conformance::Case& each : cases) out.Print("%s\n", each.name);
      return 0;
    }
    conformance::SupervisorOptions options;
    options.worker = {"/proc/self/exe", "conformance", absl::StrCat("--backend=", backend_)};
    if (!graph_test_.empty()) options.worker.push_back(absl::StrCat("--graph_test=", graph_test_));
    options.seed = static_cast<uint64_t>(seed_);
    options.timeout_seconds = static_cast<double>(timeout_);
    options.isolate = isolate_ == "case";
    const auto report = conformance::Supervise(cases, options);
    if (!report.ok()) return Annotate(report.status(), absl::StrCat("backend ", backend_));
    out.Write(conformance::ReportToText(*report, verbose_));
    if (!json_.empty()) {
      SEQ_RETURN_IF_ERROR(AtomicWriteFile(json_, conformance::ReportToJson(*report)));
    }
    if (!html_.empty()) {
      SEQ_RETURN_IF_ERROR(AtomicWriteFile(html_, conformance::ReportToHtml(*report)));
    }
    return report->Proven() ? 0 : 1;
  }

 private:
  // In a worker, which may crash: a plugin is not tried before.
  absl::StatusOr<const Backend*> OpenBackend() {
    PluginOptions options = PluginDefaults();
    options.probe = false;
    SEQ_ASSIGN_OR_RETURN(selection_, SelectBackends(backend_, options));
    if (selection_.registry.all().size() == 1) return selection_.registry.all()[0].get();
    return InvalidArgument("one backend is proven at a time: --backend=NAME, without a comma");
  }

  std::vector<std::string> Modes() const { return absl::StrSplit(modes_, ',', absl::SkipEmpty()); }

  std::string UnknownMode() const {
    for (const std::string& mode : Modes()) {
      if (std::find(std::begin(conformance::kModes), std::end(conformance::kModes), mode) ==
          std::end(conformance::kModes)) {
        return absl::StrCat("expected some of ", absl::StrJoin(conformance::kModes, ", "),
                            ", got '", mode, "'");
      }
    }
    return "";
  }

  BackendSelection selection_;
  std::string backend_, modes_, case_, graph_test_, isolate_ = "none", json_, html_;
  int64_t seed_ = 1, timeout_ = 60;
  bool list_ = false, verbose_ = false;
};

}  // namespace

CommandDef DefineConformance() {
  return DefineCommand<ConformanceCommand>(
      "conformance", "Prove a backend right, case by case, under derived bounds");
}

}  // namespace seqgraph::tools
