#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"

namespace seqgraph {

struct OnnxWriteOptions {
  std::string function = "predict";
};

/// A function of the model as an ONNX model: IR version 7, opset 14, the batch as the symbolic
/// extent "batch", weights as initializers under the names of the variables, preprocessing and
/// label names in the metadata. ParseOnnx makes of it a function that gives the same bits; frozen
/// weights come back as trainable ones. The same model gives the same bytes. Unimplemented, naming
/// the node, for what ONNX's operators cannot say, as updates of variables. A mask that is not made
/// of lengths becomes one: steps that are not masked are put together and go back to their places.
absl::StatusOr<std::string> SerializeOnnx(const Model& model, const OnnxWriteOptions& options = {});

/// Writes it to a file, all or nothing. Errors name the path.
absl::Status SaveOnnx(const Model& model, const std::string& path,
                      const OnnxWriteOptions& options = {});

}  // namespace seqgraph
