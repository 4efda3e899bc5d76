#ifndef SEQGRAPH_BACKENDS_ONEDNN_ISA_H_
#define SEQGRAPH_BACKENDS_ONEDNN_ISA_H_

#include <cstdint>
#include <string>

namespace seqgraph::onednn {

/// Floats in one vector of the widest instruction set that oneDNN may use in this process: 16 on
/// AVX-512, 8 on AVX and AVX2, 4 on SSE4.1. ONEDNN_MAX_CPU_ISA lowers it.
int VectorWidth();

/// The row width at which the recurrence runs for `units` units: the next multiple of VectorWidth()
/// where that is faster, `units` otherwise. oneDNN evaluates the activation of a partial vector one
/// float at a time (on AVX-512 8 units cost 2.3 times as much as 16), so small layers are padded.
/// With k whole vectors the tail is the smaller part, and extra columns cost a share 1/k of both
/// matrix products: beyond kMaxPaddedUnits `units` is kept.
int64_t PadUnits(int64_t units);

/// Name of the instruction set oneDNN uses, for reports: "avx512", "avx2", "avx", "sse41".
std::string IsaName();

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_ISA_H_
