#pragma once

#include <string>

#include "tools/diff/lockstep.h"
#include "tools/diff/minimal_case.h"

namespace seqgraph::diff {

/// What RunLockstep found, for people: a line for each node with measured / allowed, the growth of
/// the recurrences, the state after each step, and the fault.
std::string ReportText(const LockstepResult& result, const LockstepOptions& options);

/// What FindMinimalCase found, which was written to `path`.
std::string CaseText(const LockstepResult& result, const LockstepOptions& options,
                     const MinimalCase& found, const std::string& path);

}  // namespace seqgraph::diff
