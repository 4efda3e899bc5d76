#include "tests/benchmark/machine.h"

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"

namespace seqgraph {

std::map<std::string, std::string> DescribeMachine() {
  std::map<std::string, std::string> facts;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !facts.contains("processor");) {
    const size_t colon = line.find(": ");
    if (absl::StartsWith(line, "model name") && colon != std::string::npos) {
      facts["processor"] = line.substr(colon + 2);
    }
  }
  for (const auto& backend : AllBackends().all()) {
    facts[backend->info().name] =
        absl::StrCat(backend->info().version, ": ", backend->info().description);
  }
  return facts;
}

std::string MachineText() {
  std::string text;
  for (const auto& [what, description] : DescribeMachine()) {
    absl::StrAppend(&text, what, " ", description, "\n");
  }
  return text;
}

}  // namespace seqgraph
