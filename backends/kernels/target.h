#pragma once

// Which instruction set the vector code of this process runs on: the best that the CPU has of SSE4,
// AVX2 and AVX3 (Highway's name for AVX-512 with F, VL, DQ and BW), unless one is forced. Below
// SSE4 there is none, and the backend refuses.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seqgraph::kernels {

/// The environment variable that forces a target in this process and those that it starts.
inline constexpr char kTargetVariable[] = "SEQGRAPH_SIMD_TARGET";

/// Names of the targets that this CPU has, the best first: {"AVX3", "AVX2", "SSE4"}. Not affected
/// by a forced one.
std::vector<std::string> SupportedTargets();

/// Lets all vector code run on that target (upper or lower case) from the next call on; "" for the
/// best one again. Not while a program runs, and not between Prepare and Run: what a program has
/// packed is for one vector length. InvalidArgument, which names those that there are, for a target
/// that this CPU does not have or that is not known.
absl::Status ForceTarget(absl::string_view name);

/// OK, or why no vector code can run: a CPU without SSE4, or kTargetVariable names a target that
/// ForceTarget refuses. The variable is obeyed when this is first called.
absl::Status TargetStatus();

/// Name of the target in use: "AVX2".
std::string TargetName();

}  // namespace seqgraph::kernels
