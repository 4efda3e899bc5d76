#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/tensor.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

struct BatchedRunOptions {
  int64_t rows = 1;
  int64_t batch = 1;
  /// Looked at before each batch: once true, the run ends with Cancelled; null: never.
  const std::atomic<bool>* interrupt = nullptr;
};

/// The results of a function of the runner's model, `batch` rows at a time and what is left at
/// last, from a tensor for each of its inputs, with `rows` in the place of their batch. A result
/// without a batch is that of the last call. Calls are recorded in the runner's profile. Errors
/// name the first row of the batch.
absl::StatusOr<std::vector<Tensor>> RunInBatches(ModelRunner& runner, const Function& function,
                                                 const std::vector<Tensor>& inputs,
                                                 const BatchedRunOptions& options);

}  // namespace seqgraph::tools
