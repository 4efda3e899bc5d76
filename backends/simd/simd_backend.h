#pragma once

#include <memory>

#include "runtime/backend.h"

namespace seqgraph {

/// The backend "simd": vector code of our own, on Highway, for small recurrent models. float32. The
/// environment variable SEQGRAPH_SIMD_TARGET (SSE4, AVX2, AVX3) forces an instruction set; one that
/// the CPU does not have makes the backend refuse every node. See target.h.
std::unique_ptr<Backend> MakeSimdBackend();

}  // namespace seqgraph
