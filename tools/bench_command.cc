#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tools/backend_choice.h"
#include "tools/bench/bench.h"
#include "tools/bench/machine_peak.h"
#include "tools/bench/report.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/model_flags.h"
#include "tools/profile/profile_flag.h"
#include "tools/tested_model.h"
#include "training/model_runner.h"
#include "training/text_models.h"

namespace seqgraph::tools {
namespace {

// One of those that are compared. They share nothing: a training step changes its variables.
struct Side {
  BackendSelection selection;  // outlives what is compiled
  Model model;
  std::unique_ptr<ModelRunner> runner;
  const Function* function = nullptr;
};

class BenchCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    const Flag path = flags.InputFile("MODEL", &path_, "A saved model; without it, by --model");
    std::vector<Flag> sizes = model_.Declare(flags);
    sizes.push_back(
        flags.Int("--num_words", &model_.sizes.num_words, 4, 1 << 24, "Rows of the vocabulary"));
    sizes.push_back(flags.Int("--maxlen", &model_.sizes.maxlen, 1, 1 << 20, "Tokens of a review"));
    for (Flag& size : sizes) size.Excludes(path);
    flags.Text("--function", &function_, "NAME", "By default train_step, or else the first one");
    flags.Int("--batch", &batch_, 1, 1'000'000, "What the symbolic batch stands for");
    import_.Declare(flags);
    backend_.Declare(flags);
    DeclareWeights(flags, &backend_.weights);
    flags.Backends("--backends", &backends_, "LISTS",
                   "Several values of --backend with ';' between them, compared side by side");
    flags.Real("--min_time", &min_seconds_, 0, 3600, "Seconds of calls, for each of --backends");
    flags.Choice("--format", &format_, {"text", "json", "html"}, "How results are printed");
    profile_.Declare(flags);
    flags.Footer(
        "Times are medians. FLOPs and bytes are those of a node's formula, each operand moved\n"
        "once; `roofline` is the least time that they take by this machine's measured arithmetic\n"
        "and bandwidth, at the size of the node, in percent of the time that was taken. It is\n"
        "over 100 where data stay in registers or nearer caches between nodes. Inputs are made "
        "up:\nids spread evenly, labels 0 and 1.\n\nExamples:\n"
        "  seqgraph bench imdb-embedding.pb --backends=\"reference;onednn\"");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return profile_.Around("bench", [&] { return Bench(out); });
  }

 private:
  absl::StatusOr<int> Bench(Output& out) {
    std::vector<std::unique_ptr<Side>> sides;
    std::vector<bench::Contestant> contestants;
    for (const std::string& backends : BackendLists()) {
      SEQ_ASSIGN_OR_RETURN(std::unique_ptr<Side> side, MakeSide(backends));
      SEQ_ASSIGN_OR_RETURN(CompiledFunction * compiled,
                           side->runner->Compile(side->function->name(), batch_));
      SEQ_RETURN_IF_ERROR(bench::FillInputs(*side->function, *compiled));
      SEQ_RETURN_IF_ERROR(Record(*compiled));
      contestants.push_back({backends, compiled});
      sides.push_back(std::move(side));
    }
    TraceSpan measure(profile_.trace(), "measure the machine", "bench");
    bench::MachinePeak peak(static_cast<int>(backend_.threads));
    measure.End();
    const TraceSpan run(profile_.trace(), "calls", "bench");
    const InterruptHandler interrupt;
    const absl::StatusOr<std::vector<bench::BenchResult>> results = bench::RunBench(
        contestants, {.min_seconds = min_seconds_, .interrupt = interrupt.flag()}, peak);
    const int status = interrupt.flag()->load() ? interrupt.exit_status() : 0;
    if (absl::IsCancelled(results.status())) return status;
    SEQ_RETURN_IF_ERROR(results.status());
    const bench::BenchSubject subject{sides[0]->function->name(), batch_, backend_.threads};
    out.Write(format_ == "json"   ? BenchJson(subject, *results, peak)
              : format_ == "html" ? BenchHtml(subject, *results, peak)
                                  : BenchText(subject, *results, peak));
    return status;
  }

  std::vector<std::string> BackendLists() const {
    if (backends_.empty()) return {backend_.backend};
    return absl::StrSplit(backends_, ';');
  }

  absl::StatusOr<std::unique_ptr<Side>> MakeSide(const std::string& backends) {
    auto side = std::make_unique<Side>();
    SEQ_ASSIGN_OR_RETURN(side->model, path_.empty() ? MakeTextModel(model_.Options())
                                                    : LoadAnyModel(path_, import_));
    SEQ_ASSIGN_OR_RETURN(side->function, ChooseFunction(side->model, function_));
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes, backend_.weights));
    SEQ_ASSIGN_OR_RETURN(side->selection,
                         ChooseBackends(backends, {{side->function, batch_}}, passes));
    RunnerOptions options = RunOn(side->selection, backend_.threads, passes);
    options.profile = profile_.profile();
    side->runner = std::make_unique<ModelRunner>(&side->model, std::move(options));
    return side;
  }

  // Calls for the profile, apart from those that are timed.
  absl::Status Record(CompiledFunction& compiled) {
    Profile* profile = profile_.profile();
    if (profile == nullptr) return absl::OkStatus();
    const int number = profile->AddFunction(compiled);
    while (profile->functions()[number].recorded < profile_.steps()) {
      const int64_t before = profile->functions()[number].recorded;
      const int64_t calls = profile->functions()[number].calls;
      SEQ_RETURN_IF_ERROR(profile->Run(number, compiled));
      const bool full = profile->functions()[number].recorded == before;
      if (full && calls >= ProfileOptions().warm_up) break;
    }
    return absl::OkStatus();
  }

  std::string path_;
  ModelFlags model_;
  std::string function_;
  int64_t batch_ = 64;
  ImportFlags import_;
  BackendFlags backend_;
  std::string backends_;
  double min_seconds_ = 1;
  std::string format_ = "text";
  ProfileFlag profile_;
};

}  // namespace

CommandDef DefineBench() {
  return DefineCommand<BenchCommand>(
      "bench", "How fast a function runs, node by node, against the machine's measured peak");
}

}  // namespace seqgraph::tools
