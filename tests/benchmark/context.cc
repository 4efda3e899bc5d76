// States the machine above the figures of Google Benchmark, and in its JSON.

#include <benchmark/benchmark.h>

#include "tests/benchmark/machine.h"

namespace seqgraph {
namespace {

[[maybe_unused]] const bool kStated = [] {
  for (const auto& [what, description] : DescribeMachine()) {
    benchmark::AddCustomContext(what, description);
  }
  return true;
}();

}  // namespace
}  // namespace seqgraph
