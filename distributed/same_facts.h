#pragma once

// Whether all ranks of a job are about to do the same.

#include <map>
#include <string>

#include "absl/status/status.h"
#include "distributed/communicator.h"

namespace seqgraph {

/// What must be equal on all ranks: by name ("version", "data", "instruction set") its value, as
/// people should read it.
using Facts = std::map<std::string, std::string>;

/// Compares the facts of all ranks with the root's; all call it, and all get the same: OK, or a
/// FailedPrecondition that names the first rank that differs, its host, the fact, and both values.
/// A fact that only one of both has is different.
absl::Status CheckSame(Communicator& communicator, const Facts& facts);

/// The name of this machine.
std::string HostName();

}  // namespace seqgraph
