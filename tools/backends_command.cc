#include "tools/backends_command.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "backends/all_backends.h"
#include "graph/status_macros.h"
#include "ops/all_ops.h"
#include "tools/op_claims.h"

namespace seqgraph::tools {
namespace {

class BackendsCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Footer(
        "Each backend is asked for each op with examples and random uses, in float32: 'yes' means\n"
        "that it took all of them, otherwise the reasons follow that it gave.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    bool first = true;
    for (const std::unique_ptr<Backend>& backend : AllBackends().all()) {
      const BackendInfo& info = backend->info();
      out.Print("%s%s %s\n  %s\n", first ? "" : "\n", info.name, info.version, info.description);
      first = false;
      SEQ_ASSIGN_OR_RETURN(const std::vector<OpClaims> all, ClaimsOfAllOps(*backend, AllOps()));
      size_t width = 0;
      for (const OpClaims& claims : all) width = std::max(width, claims.op->name().size());
      for (const OpClaims& claims : all) {
        out.Print("  %-*s  %s%s\n", static_cast<int>(width), claims.op->name(),
                  claims.claimed == claims.uses ? "yes"
                  : claims.claimed == 0         ? "no, "
                                                : "some, not ",
                  absl::StrJoin(claims.reasons, "; "));
      }
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> MakeBackendsCommand() { return std::make_unique<BackendsCommand>(); }

}  // namespace seqgraph::tools
