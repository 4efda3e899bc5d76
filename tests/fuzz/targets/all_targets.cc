#include "tests/fuzz/targets/targets.h"

namespace seqgraph {

std::vector<FuzzTarget> AllTargets() {
  std::vector<FuzzTarget> all;
  for (const auto targets : {ModelTargets, DataTargets, TextTargets, RunTargets, RuntimeTargets}) {
    all.insert(all.end(), targets().begin(), targets().end());
  }
  return all;
}

}  // namespace seqgraph
