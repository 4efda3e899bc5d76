#include <string>

#include "base/status_macros.h"
#include "data/class_table.h"
#include "tools/command.h"
#include "tools/model_flags.h"
#include "tools/terminal.h"
#include "tools/tested_model.h"
#include "training/summary.h"
#include "training/text_models.h"

namespace seqgraph::tools {
namespace {

class SummaryCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    Flag path = flags.InputFile("MODEL", &path_, "A model file; without it, what train would make");
    import_.Declare(flags);
    for (Flag option : flags_.Declare(flags)) option.Excludes(path);
    flags.Int("--num_words", &flags_.sizes.num_words, 4, 1'000'000, "Codes").Excludes(path);
    flags.Int("--maxlen", &flags_.sizes.maxlen, 1, 100'000, "Codes a review").Excludes(path);
    flags.Int("--classes", &flags_.sizes.classes, 2, data::kMaxClasses, "Labels of the texts")
        .Excludes(path);
    flags.Footer(
        "Without MODEL it shows the model that `train` would make with these flags.\n\nExamples:\n"
        "  seqgraph summary imdb-embedding.pb\n"
        "  seqgraph summary --model=onehot --units=16");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(const Model model, path_.empty() ? MakeTextModel(flags_.Options())
                                                          : LoadAnyModel(path_, import_));
    SEQ_ASSIGN_OR_RETURN(const std::string summary,
                         Summary(model, {.columns = TerminalColumns(out.file())}));
    out.Write(summary);
    return 0;
  }

 private:
  std::string path_;
  ImportFlags import_;
  ModelFlags flags_;
};

}  // namespace

CommandDef DefineSummary() {
  return DefineCommand<SummaryCommand>(
      "summary", "Layers, output shapes and parameters, as Keras prints them");
}

}  // namespace seqgraph::tools
