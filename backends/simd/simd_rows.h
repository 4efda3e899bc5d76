#pragma once

// The kernels of the backend simd. The table stands in a file of its own, so that a program which
// needs a few of them can put a smaller one in its place (runtime_library/parts.cc).

#include "absl/types/span.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/makers.h"

namespace seqgraph::simd {

using Row = kernels::KernelRow<kernels::KernelContext>;

/// Before the shared ones: op, version, claim, maker.
inline constexpr Row kOwnRows[] = {
    {"RNNCell", 2, kernels::ClaimRnnCell, kernels::Shared<kernels::MakeRnnCell>},
    {"RNNCellGrad", 2, kernels::ClaimRnnCell, kernels::Shared<kernels::MakeRnnCellGrad>},
    {"LookupRNNCell", 2, kernels::ClaimRnnCell, kernels::Shared<kernels::MakeRnnCell>},
    {"LookupRNNCellGrad", 2, kernels::ClaimRnnCell, kernels::Shared<kernels::MakeRnnCellGrad>},
    {"LookupRNNCell", 3, kernels::ClaimRecurrentCell, kernels::Shared<kernels::MakeRecurrentCell>},
    {"LookupRNNCellGrad", 3, kernels::ClaimRecurrentCell,
     kernels::Shared<kernels::MakeRecurrentCellGrad>},
};

/// All there are, in order of preference.
absl::Span<const Row> Rows();

}  // namespace seqgraph::simd
