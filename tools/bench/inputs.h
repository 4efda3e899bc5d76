#ifndef SEQGRAPH_TOOLS_BENCH_INPUTS_H_
#define SEQGRAPH_TOOLS_BENCH_INPUTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "graph/function.h"
#include "runtime/compiled_function.h"

namespace seqgraph::bench {

/// One more than the largest id that the function's nodes take from an int32 input, by the rows of
/// the tables that it looks up and the depth of one-hot vectors; 1 where nothing tells.
int64_t IdLimit(const Function& function, Value input);

/// Fills the inputs of a compiled function with numbers that are the same on every machine: ids
/// that `function` (what it was compiled from) takes, labels 0 and 1, other reals in [-1, 1),
/// counters 0.
absl::Status FillInputs(const Function& function, CompiledFunction& compiled);

}  // namespace seqgraph::bench

#endif  // SEQGRAPH_TOOLS_BENCH_INPUTS_H_
