#pragma once

#include <cstdint>
#include <string>

namespace seqgraph::onednn {

/// Floats in one vector of the widest instruction set that oneDNN may use in this process: 16 on
/// AVX-512, 8 on AVX and AVX2, 4 on SSE4.1. ONEDNN_MAX_CPU_ISA lowers it.
int VectorWidth();

/// The row width at which the recurrence runs for `units` units: the next multiple of VectorWidth()
/// up to 256 units, `units` itself beyond. oneDNN evaluates the activation of a partial vector one
/// float at a time, so a whole vector is cheaper; but each added column costs its share of the
/// matrix products, which grow faster. Forward and backward, padded / unpadded, on AVX-512: 8 units
/// 0.71, 24 0.84, 100 0.96, 200 0.97, 300 1.05, 500 1.03.
int64_t PadUnits(int64_t units);

/// Name of the instruction set oneDNN uses, for reports: "avx512", "avx2", "avx", "sse41".
std::string IsaName();

}  // namespace seqgraph::onednn
