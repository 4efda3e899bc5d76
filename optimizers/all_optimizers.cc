#include "optimizers/all_optimizers.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "graph/op_def.h"

namespace seqgraph {

const OptimizerDef* FindOptimizer(absl::string_view name) {
  for (const OptimizerDef* def : AllOptimizers()) {
    if (absl::EqualsIgnoreCase(def->name, name)) return def;
  }
  return nullptr;
}

std::string OptimizerNames() {
  return absl::StrJoin(AllOptimizers(), ", ", [](std::string* out, const OptimizerDef* def) {
    absl::StrAppend(out, def->name);
  });
}

}  // namespace seqgraph
