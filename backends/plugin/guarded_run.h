#ifndef SEQGRAPH_BACKENDS_PLUGIN_GUARDED_RUN_H_
#define SEQGRAPH_BACKENDS_PLUGIN_GUARDED_RUN_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "backends/plugin/plugin_program.h"

namespace seqgraph {

/// Runs the nodes of a program in order, each on operands of zeros of its own. OutOfRange for a
/// write outside a buffer, Internal for a write to an input; otherwise what the plugin says, except
/// that InvalidArgument, OutOfRange and FailedPrecondition count as OK: zeros may be refused.
absl::Status RunGuarded(PluginProgram& program, absl::Span<const int> nodes);

}  // namespace seqgraph

#endif  // SEQGRAPH_BACKENDS_PLUGIN_GUARDED_RUN_H_
