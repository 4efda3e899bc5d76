#include "ops/rewrites/all_rewrites.h"
#include "tools/command.h"
#include "tools/pass_text.h"

namespace seqgraph::tools {
namespace {

class PassesCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Footer(
        "In the order in which they are tried. --passes of the other commands chooses: 'all',\n"
        "'none', names with commas between, or names to leave out, each after a minus. Saved\n"
        "models stay as they are: passes run when a function is made ready for one batch "
        "size.\n\nExamples:\n"
        "  seqgraph passes");
  }

  absl::StatusOr<int> Run(Output& out) override {
    out.Write(PassListText(StandardPasses()));
    return 0;
  }
};

}  // namespace

CommandDef DefinePasses() {
  return DefineCommand<PassesCommand>("passes",
                                      "The rewrites that make functions cheaper, with their rules");
}

}  // namespace seqgraph::tools
