#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "backends/kernels/kernel.h"
#include "graph/shape.h"

namespace seqgraph::kernels {

/// The error for ids[bad], of a tensor with that shape, which is not in [0, rows): "ids[3, 17] is
/// 500, must be in [0, 500)".
absl::Status BadIdError(const int32_t* ids, int64_t bad, const Shape& shape, int64_t rows);

/// A kernel loop(ids, args) of ids, which are input 0 and choose from that many rows, after they
/// were checked. It does not run where nobody uses the output.
std::unique_ptr<Kernel> MakeLookup(const NodeContext& context, int64_t rows,
                                   std::function<void(const int32_t*, const KernelArgs&)> loop,
                                   int64_t scratch_bytes = 0);

}  // namespace seqgraph::kernels
