#pragma once

// A stream model's function compiled for a number of streams and steps.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/stepping.h"
#include "runtime/compiled_function.h"
#include "stream/stream_model.h"

namespace seqgraph {

/// Bytes of one stream in a state or port of a call.
struct StreamSlot {
  int index = 0;  ///< of the compiled function's input or result
  int64_t bytes = 0;
};

struct StreamShape {
  int64_t batch = 1;
  int64_t steps = 1;
  std::vector<StreamPort> inputs, results;  ///< of all its streams
  std::vector<StepState> states;
  std::unique_ptr<CompiledFunction> compiled;  ///< has run once
  // In the order of inputs, results and states.
  std::vector<StreamSlot> input_slots, result_slots, state_slots, next_slots;

  /// `steps`: see SteppingOptions.
  static absl::StatusOr<std::unique_ptr<StreamShape>> Create(Model& model,
                                                             const StreamOptions& options,
                                                             int64_t batch, int64_t steps);
};

}  // namespace seqgraph
