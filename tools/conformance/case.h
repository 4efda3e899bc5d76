#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "graph/op_registry.h"
#include "runtime/backend.h"
#include "tools/conformance/verdict.h"

namespace seqgraph::conformance {

/// What a case is run with. The same context and name give the same run.
struct CaseContext {
  const Backend& backend;
  const OpRegistry& registry;
  uint64_t seed = 1;
};

/// One case of the kit. Listing cases runs nothing and asks no backend.
struct Case {
  std::string name;  ///< "ops/Dense/dim17/2": begins with the mode
  std::function<void(const CaseContext&, Verdict&)> run;

  absl::string_view mode() const { return absl::string_view(name).substr(0, name.find('/')); }
};
using Cases = std::vector<Case>;

/// The modes, in the order in which they run.
inline constexpr const char* kModes[] = {"ops",   "gradients",  "graphs",  "training",
                                         "state", "robustness", "support", "perf"};

/// A seed of its own for each case, and for each part of one.
uint64_t SeedOf(uint64_t seed, absl::string_view name);

/// The cases of each mode, for the ops of the registry.
Cases OpCases(const OpRegistry& registry);
Cases GradientCases(const OpRegistry& registry);
Cases GraphCases();
/// Of mode graphs as well: several threads, and another backend's nodes in between.
Cases SessionCases();
Cases TrainingCases();
Cases StateCases(const OpRegistry& registry);
Cases RobustnessCases(const OpRegistry& registry);
Cases SupportCases(const OpRegistry& registry);
Cases PerfCases(const OpRegistry& registry);

/// All of them, in the order of kModes.
Cases AllCases(const OpRegistry& registry);

/// Those whose mode is in `modes` (empty: all) and whose name is `pattern`, or begins with it where
/// it ends in '*' (empty: all).
Cases Select(Cases cases, const std::vector<std::string>& modes, absl::string_view pattern);

}  // namespace seqgraph::conformance
