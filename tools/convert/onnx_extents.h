#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "tools/convert/model_formats.h"

namespace seqgraph::tools {

/// An ONNX file as a model whose open extents, but for the batch, are those of options.arrays;
/// where there are none, --time or kOpenExtent, and a note says so. Where the graph cannot be read
/// so, the small integers of the arrays (rates, lengths, shapes) are constants of it; where that is
/// not enough, it is read for the batch of the arrays, without them for a batch of 1; and a note
/// says so. Numbers that options.onnx has already come first. Errors: those of LoadOnnx.
absl::StatusOr<Model> LoadBoundOnnx(const std::string& path, const FormatOptions& options,
                                    std::vector<std::string>* notes);

/// The bytes of the ONNX file of a model, whose open lengths (LayerInput::open_time) are open in
/// it: "time_INPUT", or "time" for one and where all must be the same. A length that is part of
/// what is computed, so that a graph for all lengths cannot be written, stays as it is, with a
/// note.
absl::StatusOr<std::string> OnnxWithOpenLengths(const Model& model,
                                                std::vector<std::string>* notes);

inline constexpr int64_t kOpenExtent = 32;

}  // namespace seqgraph::tools
