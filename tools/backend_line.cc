#include "tools/backend_line.h"

#include "absl/strings/str_cat.h"
#include "base/memory_limit.h"

namespace seqgraph::tools {

std::string BackendLine(const std::string& function, const std::vector<NodeAssignment>& assignments,
                        const std::vector<const Backend*>& backends) {
  std::vector<std::string> parts;
  for (const Backend* backend : backends) {
    int count = 0;
    std::string nodes;
    for (const NodeAssignment& assignment : assignments) {
      if (assignment.backend != backend->info().name) continue;
      ++count;
      absl::StrAppend(&nodes, nodes.empty() ? "" : ", ", assignment.node);
    }
    const bool all = count == static_cast<int>(assignments.size());
    parts.push_back(absl::StrCat(backend->info().name, " ", backend->info().version, ": ",
                                 all ? "all " : "", count, " nodes of ", function));
    if (parts.size() > 1 && count > 0) {
      absl::StrAppend(&parts.back(), " (", nodes, ")");
    }
  }
  std::string line = "Backend ";
  for (size_t i = 0; i < parts.size(); ++i) absl::StrAppend(&line, i ? "; " : "", parts[i]);
  return line + "\n";
}

void DeclareMaxMemory(Flags& flags, int64_t* value) {
  const auto take = [value](int64_t bytes) {
    *value = bytes;
    SetMemoryLimit(bytes == 0 ? kNoMemoryLimit : bytes);
  };
  flags.Bytes("--max_memory", take, "three quarters of the machine's, or of its group's limit",
              "What data and model may take, besides 128M of the program's own; 0: any");
}

}  // namespace seqgraph::tools
