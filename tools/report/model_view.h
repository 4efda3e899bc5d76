#pragma once

// What a model is made of, what its steps take of time and of memory.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "runtime/compiled_function.h"
#include "runtime/profile.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// A span of a flame: what it takes lies within what its parent takes.
struct FlameSpan {
  std::string name;
  std::string detail;           ///< for a tooltip
  double begin = 0, share = 0;  ///< of the whole, in [0, 1]
  int depth = 0;
};

struct OpTime {
  std::string op;
  int64_t calls = 0;  ///< nodes of a step
  double ms = 0;      ///< a step
  double share = 0;
  double gflops_per_second = 0;
};

/// Where the time of a step goes: means over the recorded calls.
struct StepProfile {
  std::string function;
  int64_t batch = 0, calls = 0;
  double ms = 0;
  std::vector<FlameSpan> spans;  ///< parents before their children
  std::vector<OpTime> ops;       ///< by time
};

/// Of the function of the profile that has that name and the most time; none where nothing was
/// recorded. Names of nodes are paths, whose folders are the levels of the flame.
StepProfile StepProfileOf(const Profile& profile, const std::string& function);

/// Runs `steps` training steps of the runner's model, which it changes, on the first rows.
absl::Status ProfileSteps(ModelRunner& runner, const Examples& examples, int64_t batch,
                          int64_t steps);

/// The arena of a compiled function over its nodes.
struct MemoryPicture {
  struct Buffer {
    std::string name;
    int64_t offset = 0, bytes = 0;
    int first = 0, last = 0;  ///< nodes; from -1 (before all) to `nodes` (after all)
  };
  std::string function;
  int64_t batch = 0;
  int nodes = 0;
  int64_t arena = 0, live_bound = 0, scratch = 0, persistent = 0;
  std::vector<Buffer> buffers;
  bool exact = true;  ///< false: a backend lays some values out in its own way, which is not here
};
MemoryPicture MemoryPictureOf(const CompiledFunction& compiled);

}  // namespace seqgraph::tools
