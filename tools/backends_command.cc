#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/plugin/select_backends.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "tools/backend_choice.h"
#include "tools/command.h"
#include "tools/op_claims.h"

namespace seqgraph::tools {
namespace {

class BackendsCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Footer(
        "Lists the built-in backends, and the plugins in the folders of SEQGRAPH_BACKEND_PATH, "
        "each\n"
        "tried in a process of its own. Each backend is asked for each op with examples and "
        "random\n"
        "uses, in float32: 'yes' means that it took all of them, and has a kernel for each unless "
        "it\n"
        "says so; otherwise the reasons follow that it gave.\n\nExamples:\n"
        "  seqgraph backends");
  }

  absl::StatusOr<int> Run(Output& out) override {
    std::vector<std::string> refused_folders;
    const PluginOptions options = PluginDefaults();
    bool first = true;
    for (const ListedBackend& listed : ListBackends(options, &refused_folders)) {
      out.Write(first ? "" : "\n");
      first = false;
      SEQ_RETURN_IF_ERROR(List(listed, options, out));
    }
    for (const std::string& folder : refused_folders) out.Print("\nnot searched: %s\n", folder);
    return 0;
  }

 private:
  static absl::Status List(const ListedBackend& listed, PluginOptions options, Output& out) {
    if (!listed.status.ok()) {
      out.Print("%s refused: %s\n", listed.name, listed.status.message());
      return absl::OkStatus();
    }
    out.Print("%s %s\n  %s\n", listed.info.name, listed.info.version, listed.info.description);
    if (!listed.path.empty()) out.Print("  plugin %s\n", listed.path);
    options.probe = false;  // which listing it has done
    SEQ_ASSIGN_OR_RETURN(const BackendSelection selection,
                         SelectBackends(listed.path.empty() ? listed.name : listed.path, options));
    SEQ_ASSIGN_OR_RETURN(const std::vector<OpClaims> all,
                         ClaimsOfAllOps(*ListOf(selection)[0], AllOps()));
    size_t width = 0;
    for (const OpClaims& claims : all) width = std::max(width, claims.op->name().size());
    for (const OpClaims& claims : all) {
      out.Print("  %-*s  %s%s\n", static_cast<int>(width), claims.op->name(),
                claims.kernels == claims.uses   ? "yes"
                : claims.claimed == claims.uses ? "yes, "
                : claims.claimed == 0           ? "no, "
                                                : "some, not ",
                absl::StrJoin(claims.reasons, "; "));
    }
    return absl::OkStatus();
  }
};

}  // namespace

CommandDef DefineBackends() {
  return DefineCommand<BackendsCommand>(
      "backends", "The backends and plugins there are, and which ops each takes");
}

}  // namespace seqgraph::tools
