#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "tools/command.h"
#include "tools/docs/op_docs.h"

namespace seqgraph::tools {
namespace {

class OpsCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Texts("OP", &names_, "Ops whose definitions are printed; without one all are listed");
    flags.Footer("Examples:\n  seqgraph ops RNNCell BCE");
  }

  absl::StatusOr<int> Run(Output& out) override {
    const std::string docs = OpDocs(AllOps());
    for (const std::string& name : names_) {
      SEQ_RETURN_IF_ERROR(AllOps().Get(name).status());
      const size_t begin = docs.find(absl::StrCat("\n## ", name, "\n")) + 1;
      out.Write(docs.substr(begin, docs.find("\n## ", begin) - begin));
    }
    if (!names_.empty()) return 0;
    size_t width = 0;
    for (const OpDef* op : AllOps().All()) width = std::max(width, op->name().size());
    for (const OpDef* op : AllOps().All()) {
      // The first sentence says what it is.
      const std::string& doc = op->doc();
      out.Print("%-*s  %s\n", static_cast<int>(width), op->name(),
                doc.substr(0, std::min(doc.find(". "), doc.find('\n'))));
    }
    return 0;
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

CommandDef DefineOps() {
  return DefineCommand<OpsCommand>("ops", "The ops there are, with their definitions");
}

}  // namespace seqgraph::tools
