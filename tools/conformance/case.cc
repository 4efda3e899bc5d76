#include "tools/conformance/case.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"

namespace seqgraph::conformance {

// FNV-1a, 64 bits (Fowler, Noll, Vo), over the bytes of the seed and then of the name.
uint64_t SeedOf(uint64_t seed, absl::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (int i = 0; i < 8; ++i) add(static_cast<uint8_t>(seed >> (8 * i)));
  for (const char c : name) add(static_cast<uint8_t>(c));
  return hash;
}

Cases AllCases(const OpRegistry& registry) {
  Cases all;
  for (Cases& cases :
       std::vector<Cases>{OpCases(registry), GradientCases(registry), GraphCases(), SessionCases(),
                          TrainingCases(), StateCases(registry), RobustnessCases(registry),
                          SupportCases(registry), PerfCases(registry)}) {
    std::move(cases.begin(), cases.end(), std::back_inserter(all));
  }
  return all;
}

Cases Select(Cases cases, const std::vector<std::string>& modes, absl::string_view pattern) {
  const bool prefix = absl::EndsWith(pattern, "*");
  if (prefix) pattern.remove_suffix(1);
  Cases selected;
  for (Case& each : cases) {
    if (!modes.empty() && std::find(modes.begin(), modes.end(), each.mode()) == modes.end()) {
      continue;
    }
    if (!prefix && !pattern.empty() && each.name != pattern) continue;
    if (prefix && !absl::StartsWith(each.name, pattern)) continue;
    selected.push_back(std::move(each));
  }
  return selected;
}

}  // namespace seqgraph::conformance
