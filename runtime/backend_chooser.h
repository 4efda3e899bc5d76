#pragma once

// Which backend runs each node of a function fastest, found by running them.
//
// The function is compiled once for each backend, with that one asked first, and run with sample
// inputs on a copy of the variables; every node is timed where it stands, so that caches, private
// layouts and fused ops count. Nodes that only go together (a gradient with its forward node; those
// that a pass has fused for one backend, against the same part unfused on another) are one group,
// and each group takes the backend with the smallest sum. What comes of it is compiled and timed as
// a whole against each backend alone, and the fastest of these is the choice: a mix can lose what
// its parts seem to win.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/compiled_function.h"

namespace seqgraph {

struct MeasureOptions {
  /// Backends that are only tried where the function's arithmetic is small: a naive one takes
  /// seconds for what takes the others milliseconds, and a first call must not wait for that.
  std::vector<std::string> only_small = {"reference"};
  double small_flops = 3e7;
  /// Seconds of measured calls for each way to compile the function; at least 3 calls.
  double seconds = 0.02;
};

struct TimedBackend {
  std::string backend;
  double seconds = 0;  ///< the fastest call
};

/// Nodes that go to one backend together.
struct MeasuredGroup {
  std::vector<std::string> nodes;
  std::vector<TimedBackend> times;  ///< one for each backend that was asked first
  std::string chosen;
};

struct BackendChoice {
  BackendPreferences preferences;  ///< for CompileOptions
  std::vector<MeasuredGroup> groups;
  std::vector<TimedBackend> whole;  ///< the function on each backend first, and "mixed"
};

/// Measures `options.backends`. The content of `variables` stays as it is. Errors: those of
/// compiling with the backends in the given order, and of running; another order in which the
/// function cannot be compiled is left out.
absl::StatusOr<BackendChoice> ChooseByMeasuring(const Function& function,
                                                const OpRegistry& registry,
                                                const VariableStore& variables,
                                                const CompileOptions& options,
                                                const MeasureOptions& measure = {});

}  // namespace seqgraph
