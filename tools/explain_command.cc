#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "runtime/compiled_function.h"
#include "tools/auto_choice.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/drawing/explain_page.h"
#include "tools/explain_ranks.h"
#include "tools/pass_text.h"
#include "tools/tested_model.h"
#include "tools/text_table.h"
#include "training/model_builder.h"
#include "training/summary.h"

namespace seqgraph::tools {
namespace {

class ExplainCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A saved model").Required();
    const Flag function = flags.Text("--function", &function_, "NAME",
                                     "By default train_step, or else the first one");
    flags.Int("--batch", &batch_, 1, 1'000'000, "What the symbolic batch stands for");
    import_.Declare(flags);
    backend_.Declare(flags);
    DeclareWeights(flags, &backend_.weights);
    const Flag html = flags.OutputFile(
        "--html", &html_, "The same as a page, with the function drawn and its memory over time");
    ranks_.Declare(flags);
    flags.Check("--function", [this, function] {
      return function.given() && ranks_.wanted() ? "does not go with --ranks and --measure, which "
                                                   "are about train_step"
                                                 : "";
    });
    flags.Check("--html", [this, html] {
      return html.given() && ranks_.wanted() ? "does not go with --ranks and --measure" : "";
    });
    flags.Footer(
        "Prints, without running anything, which backend takes each node and how, why those asked\n"
        "before it do not or it has no kernel, and the memory of one call. Bytes are those of a "
        "node's outputs, which\n"
        "share memory where their lifetimes allow, and of its scratch, which all nodes share.\n"
        "Where it is more than --max_memory, an error says so behind all that.\n\n"
        "With --ranks a training step is run here, a block of rows, and what a step of 1 to N "
        "ranks takes\nis predicted from that and from the network: time, the share of messages, "
        "time\nwhere no messages are hidden behind the backward pass, bytes that a rank sends and "
        "holds; and whether\nto share steps at all.\n\nExamples:\n"
        "  seqgraph explain imdb-embedding.pb --function=train_step --backend=simd,onednn\n"
        "  seqgraph explain imdb-embedding.pb --ranks=16 --batch=4096 --latency=2 --bandwidth=12");
  }

  absl::StatusOr<int> Run(Output& out) override {
    if (ranks_.wanted()) {
      SEQ_RETURN_IF_ERROR(ranks_.FindNetwork());
      if (!ranks_.prints()) return 0;
      function_ = kTrainStep;
    }
    SEQ_ASSIGN_OR_RETURN(Model model, LoadAnyModel(path_, import_));
    SEQ_ASSIGN_OR_RETURN(const Function* function, ChooseFunction(model, function_));
    CompileOptions options;
    SEQ_ASSIGN_OR_RETURN(options.passes, ChoosePasses(backend_.passes, backend_.weights));
    SEQ_ASSIGN_OR_RETURN(const BackendSelection selection,
                         ChooseBackends(backend_.backend, {{function, batch_}}, options.passes));
    options.backends = ListOf(selection);
    options.batch = batch_;
    options.threads = static_cast<int>(backend_.threads);
    if (selection.by_measuring) {
      ChoiceOrigin origin;
      SEQ_ASSIGN_OR_RETURN(
          const BackendChoice choice,
          AutoChoice(DefaultChoiceCache()).Choose(*function, model.variables, options, &origin));
      options.preferences = choice.preferences;
      out.Write(ChoiceText(choice, origin) + "\n");
    }
    if (ranks_.wanted()) return ranks_.Run(model, batch_, options, out);
    int64_t variables = 0;
    for (const VariableRead& read : function->variables()) variables += read.def.type.num_bytes();
    options.plan_only = true;
    SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CompiledFunction> compiled,
                         CompiledFunction::Compile(*function, AllOps(), &model.variables, options));
    const std::string title = absl::StrCat("function ", function->name(), ", batch ", batch_,
                                           ", threads ", backend_.threads);
    const std::string behind_nodes =
        absl::StrCat(RefusalsText(*compiled, options), "\n", PassCountsText(compiled->passes()),
                     "\n", MemoryText(*compiled, variables),
                     BackendLine(function->name(), compiled->assignments(), options.backends));
    out.Write(absl::StrCat(title, "\n\n", NodesText(*compiled), behind_nodes));
    if (!html_.empty()) {
      SEQ_RETURN_IF_ERROR(AtomicWriteFile(html_, ExplainPage(*compiled, title, behind_nodes)));
    }
    const absl::Status fits =
        CheckMemory(compiled->memory().total() + variables,
                    absl::StrCat("to run function ", function->name(), " with batch ", batch_));
    if (!fits.ok()) return fits;
    return 0;
  }

 private:
  static std::string NodesText(const CompiledFunction& compiled) {
    TextTable rows({"node", "op", "backend", "bytes", "scratch", "implementation"});
    const Function& function = compiled.function();
    const std::vector<bool> used = function.UsedValues();
    for (size_t n = 0; n < function.nodes().size(); ++n) {
      const NodeAssignment& assignment = compiled.assignments()[n];
      int64_t bytes = 0;
      for (Value output : function.nodes()[n].outputs) {
        if (used[output.index]) bytes += function.type(output).num_bytes();
      }
      rows.AddRow(
          {assignment.node, assignment.op, assignment.backend, WithThousands(bytes),
           assignment.scratch_bytes < 0 ? "unknown" : WithThousands(assignment.scratch_bytes),
           absl::StrCat(assignment.implementation,
                        compiled.constant_nodes()[n] ? " (kept between calls)" : "")});
    }
    return rows.Text(3, 4);
  }

  // Why nodes went past the backends that were asked before (where they were measured to be faster
  // elsewhere, nobody refused them), and which have no kernel where they went.
  static std::string RefusalsText(const CompiledFunction& compiled, const CompileOptions& options) {
    std::string refused, slow;
    std::map<const Backend*, std::vector<Claim>> asked;
    for (size_t n = 0; n < compiled.assignments().size(); ++n) {
      const NodeAssignment& assignment = compiled.assignments()[n];
      const auto preferred = options.preferences.find(assignment.node);
      const bool is_preferred =
          preferred != options.preferences.end() && preferred->second == assignment.backend;
      for (const Backend* backend : options.backends) {
        const bool own = backend->info().name == assignment.backend;
        if (!own && is_preferred) continue;
        if (asked.count(backend) == 0) {
          asked[backend] = backend->ClaimFunction(compiled.function()).nodes;
        }
        Claim claim = asked[backend][n];
        if (own && claim.has_kernel()) break;
        if (!own && claim.claimed()) {  // but not without the rest of its group
          claim = Claim::No(ClaimReason::kNeedsOtherNode, "its group is not taken whole");
        }
        std::string& text = own ? slow : refused;
        absl::StrAppend(&text, text.empty() ? own ? "\nno kernel:\n" : "\nrefused:\n" : "", "  ",
                        assignment.node, " (", assignment.op, ") by ", backend->info().name, ": ",
                        ClaimReasonName(claim.reason), ": ", claim.text, "\n");
        if (own) break;
      }
    }
    return refused + slow;
  }

  static std::string MemoryText(const CompiledFunction& compiled, int64_t variables) {
    const MemoryUse& memory = compiled.memory();
    TextTable rows({"memory of", "bytes"});
    rows.AddRow({"values", WithThousands(memory.values)});
    rows.AddRow({"scratch", WithThousands(memory.scratch)});
    rows.AddRow({"backends' own", WithThousands(memory.persistent)});
    rows.AddRow({"variables", WithThousands(variables)});
    rows.AddRow({"peak", WithThousands(memory.total() + variables)});
    std::string text = rows.Text(1, 1);
    const double ratio = static_cast<double>(memory.values) /
                         static_cast<double>(std::max<int64_t>(memory.live_bound, 1));
    absl::StrAppend(&text, "plan of values: ", WithThousands(memory.values), " bytes; at most ",
                    WithThousands(memory.live_bound), " live at one time; ratio ",
                    absl::StrFormat("%.3f", ratio), "\n");
    if (memory.unreported > 0) {
      absl::StrAppend(&text, "and the scratch of ", memory.unreported,
                      " nodes, which their backend does not report\n");
    }
    return text;
  }

  std::string path_;
  std::string function_;
  std::string html_;
  int64_t batch_ = 64;
  ImportFlags import_;
  BackendFlags backend_;
  ExplainRanks ranks_;
};

}  // namespace

CommandDef DefineExplain() {
  return DefineCommand<ExplainCommand>(
      "explain",
      "Which backend takes each node, how, and the memory of a call, before anything runs");
}

}  // namespace seqgraph::tools
