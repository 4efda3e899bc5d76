#pragma once

#include "runtime/backend_registry.h"

namespace seqgraph {

/// What runs a function unless something else is asked for: `simd`, and what it does not take
/// `onednn`.
inline constexpr char kDefaultBackends[] = "simd,onednn";

/// The backends that are built in. The one list of them.
const BackendRegistry& AllBackends();

}  // namespace seqgraph
