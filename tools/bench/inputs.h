#ifndef SEQGRAPH_TOOLS_BENCH_INPUTS_H_
#define SEQGRAPH_TOOLS_BENCH_INPUTS_H_

#include "absl/status/status.h"
#include "graph/function.h"
#include "runtime/compiled_function.h"

namespace seqgraph::bench {

/// Fills the inputs of a compiled function with numbers that are the same on every machine: ids
/// that `function` (what it was compiled from) takes (IndexLimit in graph/function.h), labels 0 and
/// 1, other reals in [-1, 1), counters 0.
absl::Status FillInputs(const Function& function, CompiledFunction& compiled);

}  // namespace seqgraph::bench

#endif  // SEQGRAPH_TOOLS_BENCH_INPUTS_H_
