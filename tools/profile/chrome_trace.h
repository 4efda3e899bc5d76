#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "runtime/profile.h"

namespace seqgraph::tools {

/// The profile in the Trace Event Format that Perfetto and chrome://tracing open: a JSON object
/// whose `traceEvents` are complete events ("ph": "X"; `ts` and `dur` in microseconds) for spans,
/// recorded calls and the nodes in them, and metadata with the names of process and threads. A
/// node's `args` are op, backend, implementation, shapes, flops, bytes, and what it achieved.
std::string ChromeTrace(const Profile& profile, absl::string_view process_name);

/// The nodes of all recorded calls, added up by op: calls, time and its share, FLOPs, GFLOP/s and
/// GB/s; what calls took beside their nodes is the row "(dispatch)". Empty if no call was recorded.
std::string OpTable(const Profile& profile);

}  // namespace seqgraph::tools
