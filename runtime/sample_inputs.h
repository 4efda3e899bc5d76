#ifndef SEQGRAPH_RUNTIME_SAMPLE_INPUTS_H_
#define SEQGRAPH_RUNTIME_SAMPLE_INPUTS_H_

#include <cstdint>

#include "graph/function.h"
#include "runtime/compiled_function.h"

namespace seqgraph {

/// How many values an integer input may take, by the ops that read it: the rows of a table, the
/// depth of a one-hot code, the classes of labels; the smallest of them. 2 where nothing tells.
int64_t IndexLimit(const Function& function, Value input);

/// Writes the same pseudo-random elements into all inputs of `compiled`, whoever calls it: reals in
/// [0, 1), which are good labels too, and integers below IndexLimit. For measuring; the times of
/// kernels that scatter depend on how often rows repeat.
void FillInputs(CompiledFunction& compiled, uint64_t seed = 1);

}  // namespace seqgraph

#endif  // SEQGRAPH_RUNTIME_SAMPLE_INPUTS_H_
