#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/printable.h"
#include "base/status_macros.h"
#include "graph/printer.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "runtime/node_assignment.h"
#include "serialization/model_io.h"
#include "tools/backend_choice.h"
#include "tools/command.h"
#include "tools/drawing/function_drawing.h"
#include "tools/pass_text.h"
#include "tools/tested_model.h"

namespace seqgraph::tools {
namespace {

// What is not in the functions: variables, vocabulary, labels.
std::string Header(const Model& model) {
  std::string text = absl::StrCat("model ", model.name, "\n");
  if (!model.description.empty()) absl::StrAppend(&text, "  ", model.description, "\n");
  for (const Variable& variable : model.variables.all()) {
    absl::StrAppend(&text, "  variable ", variable.def.name, ": ", variable.def.type.ToString(),
                    variable.def.role == VariableRole::kOptimizer ? " of the optimizer"
                    : variable.def.trainable                      ? ""
                                                                  : " not trained",
                    "\n");
  }
  const TextPreprocessing& words = model.preprocessing;
  if (!words.rule.empty()) {
    absl::StrAppend(&text, "  text by the rule ", words.rule, ": num_words ", words.num_words,
                    ", maxlen ", words.maxlen, ", ", words.words.size(), " words\n");
  }
  if (!model.series.features.empty()) {
    absl::StrAppend(&text, "  numbers of the columns ", absl::StrJoin(model.series.features, ", "),
                    "\n");
  }
  if (!model.labels.empty()) {
    absl::StrAppend(&text, "  labels ", Printable(absl::StrJoin(model.labels, ", ")), "\n");
  }
  return text;
}

class InspectCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A model file").Required();
    flags.Choice("--format", &format_, {"text", "textproto", "dot", "svg"},
                 "text for people, text protobuf, Graphviz's DOT, or a picture");
    flags.Text("--function", &function_, "NAME", "This function alone");
    flags.Switch("--weights", &weights_,
                 "With --format=textproto: all contents; that is a model file");
    flags.OptionalText("--passes", &passes_, "all",
                       "Show each function as it is and as these rewrites leave it: all, none,\n"
                       "names, or all but -NAME, as for the other commands");
    flags.Backends("--backend", &backend_, "NAMES",
                   "With --passes: the backends that claim what they make");
    flags.Int("--batch", &batch_, 1, 1'000'000,
              "With --passes: what the symbolic batch stands for");
    import_.Declare(flags);
    flags.Check("--passes", [this] {
      const bool fits = format_ == "text" || format_ == "svg";
      return !passes_.empty() && !fits ? "goes with --format=text or svg" : "";
    });
    flags.Check("--weights", [this] {
      const bool fits = format_ == "textproto" && function_.empty();
      return weights_ && !fits ? "goes with --format=textproto and without --function" : "";
    });
    flags.Footer(
        "Examples:\n"
        "  seqgraph inspect imdb-embedding.pb --function=train_step\n"
        "  seqgraph inspect imdb-embedding.pb --format=dot | dot -Tsvg >graph.svg");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(const Model model, LoadAnyModel(path_, import_, &self_tests_));
    const Function* function = nullptr;
    if (!function_.empty()) {
      SEQ_ASSIGN_OR_RETURN(function, Annotate(model.GetFunction(function_), path_));
    }
    if (format_ == "textproto") return ShowProto(model, function, out);
    if (format_ == "text" && function == nullptr) {
      out.Write(Header(model));
      for (const SelfTest& test : self_tests_) {
        out.Print("  self-test of %s: %d rows%s, made by %s\n", test.function, test.batch,
                  test.gradients.empty() ? "" : ", with gradients", test.producer);
      }
    }
    PassList passes;
    if (!passes_.empty()) {
      SEQ_ASSIGN_OR_RETURN(passes, ChoosePasses(passes_));
    }
    if (format_ == "svg") return Draw(model, function, passes, out);
    bool first = format_ == "dot" || function != nullptr;
    for (const Function& each : model.functions) {
      if (function != nullptr && function != &each) continue;
      if (!std::exchange(first, false)) out.Write("\n");
      if (!passes_.empty()) {
        SEQ_RETURN_IF_ERROR(ShowPasses(each, passes, out));
        continue;
      }
      out.Write(format_ == "dot" ? FunctionToDot(each) : FunctionToText(each));
    }
    return 0;
  }

 private:
  absl::StatusOr<int> ShowProto(const Model& model, const Function* function, Output& out) {
    if (weights_) {
      SEQ_ASSIGN_OR_RETURN(const std::string text,
                           SerializeModel(model, ModelFormat::kText, self_tests_));
      out.Write(text);
    } else if (function == nullptr) {
      out.Write(ModelOutline(model));
    } else {
      Model alone;
      alone.name = model.name;
      SEQ_RETURN_IF_ERROR(alone.AddFunction(*function));
      out.Write(ModelOutline(alone));
    }
    return 0;
  }

  struct BeforeAndAfter {
    Function before, after;
    std::vector<RewriteCount> counts;
  };

  // With static shapes, for the backends.
  absl::StatusOr<BeforeAndAfter> RewriteFunction(const Function& function,
                                                 const PassList& passes) const {
    SEQ_ASSIGN_OR_RETURN(const BackendSelection selection,
                         ChooseBackends(backend_, {{&function, batch_}}, passes));
    SEQ_ASSIGN_OR_RETURN(Function before, BindBatch(function, AllOps(), batch_));
    const NodeOwners owners = [&selection](const Function& candidate) {
      return RankAssignment(candidate, ListOf(selection));
    };
    std::vector<RewriteCount> counts;
    SEQ_ASSIGN_OR_RETURN(Function after, RunPasses(before, AllOps(), passes, owners, &counts));
    return BeforeAndAfter{std::move(before), std::move(after), std::move(counts)};
  }

  absl::Status ShowPasses(const Function& function, const PassList& passes, Output& out) const {
    SEQ_ASSIGN_OR_RETURN(const BeforeAndAfter both, RewriteFunction(function, passes));
    out.Print("before, %d nodes:\n%s\n", both.before.nodes().size(), FunctionToText(both.before));
    out.Print("after, %d nodes:\n%s\n", both.after.nodes().size(), FunctionToText(both.after));
    out.Write(PassCountsText(both.counts));
    return absl::OkStatus();
  }

  // One picture of all; with --passes each function beside what they leave of it.
  absl::StatusOr<int> Draw(const Model& model, const Function* only, const PassList& passes,
                           Output& out) const {
    std::deque<BeforeAndAfter> rewritten;
    std::vector<std::vector<Picture>> rows;
    for (const Function& function : model.functions) {
      if (only != nullptr && only != &function) continue;
      if (passes_.empty()) {
        rows.push_back({{function.name(), &function}});
        continue;
      }
      SEQ_ASSIGN_OR_RETURN(BeforeAndAfter both, RewriteFunction(function, passes));
      rewritten.push_back(std::move(both));
      const BeforeAndAfter& kept = rewritten.back();
      rows.push_back(
          {{absl::StrCat(function.name(), " before, ", kept.before.nodes().size(), " nodes"),
            &kept.before},
           {absl::StrCat("after, ", kept.after.nodes().size(), " nodes"), &kept.after}});
    }
    out.Write(DrawFunctions(rows));
    return 0;
  }

  ImportFlags import_;
  std::string path_;
  std::string passes_;
  std::string backend_ = BackendFlags().backend;
  int64_t batch_ = 64;
  std::string format_ = "text";
  std::string function_;
  bool weights_ = false;
  std::vector<SelfTest> self_tests_;
};

}  // namespace

CommandDef DefineInspect() {
  return DefineCommand<InspectCommand>(
      "inspect", "A model's functions and nodes as text, text protobuf, DOT or SVG");
}

}  // namespace seqgraph::tools
