#pragma once

#include <memory>

#include "runtime/backend.h"

namespace seqgraph {

/// "onednn": the recurrence and its gradient on oneDNN's vanilla RNN primitive, dense layers on its
/// matrix product, everything else in the loops of backends/kernels, whose instruction set
/// SEQGRAPH_SIMD_TARGET forces (backends/kernels/target.h). float32 only.
std::unique_ptr<Backend> MakeOnednnBackend();

}  // namespace seqgraph
