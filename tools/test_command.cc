#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "graph/dtype.h"
#include "ops/all_ops.h"
#include "runtime/buffer_guards.h"
#include "tools/backend_choice.h"
#include "tools/command.h"
#include "tools/graph_test/graph_test_runner.h"

namespace seqgraph::tools {
namespace {

class TestCommand : public Command {
 public:
  // A case is about the ops that it names, unless passes are asked for.
  TestCommand() { backend_.passes = "none"; }

  void Declare(Flags& flags) override {
    flags.InputFiles("FILES", &files_, "Graph test files (.textproto)").Required();
    flags.Choice("--real", &real_, {"float32", "float64"}, "Type of real numbers");
    flags.Switch("--guards", &guards_,
                 "Known bytes around every buffer: a node that writes there fails its case");
    backend_.Declare(flags);
    flags.Footer(
        "A node that another backend than the first computed fails the case, unless more than one\n"
        "is named. Exit status 1 if a case failed.\n\nExamples:\n"
        "  seqgraph test cases.textproto --backend=simd,reference");
  }

  absl::StatusOr<int> Run(Output& out) override {
    GraphTestOptions options;
    SEQ_ASSIGN_OR_RETURN(const BackendSelection selection, ChooseBackends(backend_.backend, {}));
    options.backends = ListOf(selection);
    SEQ_ASSIGN_OR_RETURN(options.real, ParseDType(real_));
    SEQ_ASSIGN_OR_RETURN(options.passes, ChoosePasses(backend_.passes));
    options.threads = static_cast<int>(backend_.threads);
    options.allow_fallback = options.backends.size() > 1;
    options.guard_bytes = guards_ ? kDefaultGuardBytes : 0;
    std::ostringstream report;
    const int exit_status = GraphTestCommand(files_, AllOps(), options, report, std::cerr);
    out.Write(report.str());
    return exit_status;
  }

 private:
  std::vector<std::string> files_;
  std::string real_ = "float32";
  bool guards_ = false;
  BackendFlags backend_;
};

}  // namespace

CommandDef DefineTest() {
  return DefineCommand<TestCommand>("test", "Run graph test cases (text protobuf) on a backend");
}

}  // namespace seqgraph::tools
