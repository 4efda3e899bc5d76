#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "backends/plugin/encoded_function.h"
#include "runtime/backend.h"

namespace seqgraph {

struct ProbeOptions {
  /// For the whole probe. A child that takes longer is killed.
  absl::Duration time_limit = absl::Seconds(20);
  /// Also runs each node that is claimed, once, on zeros, in buffers that end at memory which may
  /// not be touched; what lies before them must stay as it was.
  bool run = false;
  /// Repeats claim and prepare (and run) this often, and refuses a plugin whose memory keeps
  /// growing. 0: not.
  int leak_repeats = 0;
  /// Growth that is no leak, in bytes for each repeat.
  int64_t leak_limit = 256;
};

/// What a plugin showed in a process of its own.
struct ProbeReport {
  BackendInfo info;
  std::vector<int> claimed;  ///< for each function the number of nodes that it takes
};

/// Tries a plugin in a child process, so that nothing it does there harms this one: load,
/// negotiate, refuse an op that does not exist, claim and twice prepare each function, unload. An
/// error names the plugin and what it was doing: its own status, or Internal for one that crashed,
/// ended the process, took too long, broke a claim, wrote outside a buffer, leaked.
///
/// The child is this program itself, started anew; so main must call RunProbeChild first
/// (FailedPrecondition if it did not).
absl::StatusOr<ProbeReport> ProbePlugin(
    const std::string& path, absl::Span<const std::shared_ptr<const EncodedFunction>> functions,
    const ProbeOptions& options = {});

/// To be called first in main, before any thread or backend is started: in a child of ProbePlugin
/// it does the child's work and ends the process; otherwise it returns at once.
void RunProbeChild(int argc, char** argv);

}  // namespace seqgraph
