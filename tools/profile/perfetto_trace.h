#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "runtime/profile.h"

namespace seqgraph::tools {

/// The profile in Perfetto's own form, a serialized Trace: spans, recorded calls and their nodes as
/// slices of a track for each thread, with the annotations that ChromeTrace has, and two counters
/// that change with each recorded node: "memory of values" (bytes, ProfiledNode::live_bytes) and
/// "GFLOP/s" (of the node that runs; 0 between nodes). Times are nanoseconds since the profile
/// began. Slices of a thread nest: one that would end behind the one around it ends with it.
std::string PerfettoTrace(const Profile& profile, absl::string_view process_name);

/// Whether a file of that name takes Perfetto's own form: it ends in .pftrace or .perfetto-trace.
bool IsPerfettoPath(absl::string_view path);

}  // namespace seqgraph::tools
