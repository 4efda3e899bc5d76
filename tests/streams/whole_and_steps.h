#pragma once

// A model's function run on whole sequences, and the same sequences run step by step.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/evaluate.h"
#include "graph/model.h"
#include "stream/stream_model.h"

namespace seqgraph {

/// Copies a model, whose members cannot be: by its bytes.
absl::StatusOr<Model> CopyOf(const Model& model);

/// Random inputs of one row for `predict`, the integers below what they index.
TensorMap RandomRow(const Model& model, uint64_t seed);

/// Results of `predict` with a batch of 1 on the backend "simd".
absl::StatusOr<TensorMap> RunWhole(Model& model, const TensorMap& inputs);

/// Runs the row step by step from the beginning. A result that has steps is put together again, of
/// any other the last one counts; then compares all with `whole`, bit for bit. OK, or which result
/// differs where. A sequence whose steps are no multiple of those of a call is cut.
absl::Status CompareSteps(const StreamModel& model, const TensorMap& inputs,
                          const TensorMap& whole);

}  // namespace seqgraph
