#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "graph/tensor.h"

namespace seqgraph {

struct OnnxReadOptions {
  /// Numbers for open extents, by their name in the file, {"time", 100}, or by input and axis,
  /// {"tokens:1", 100}. The batch are those first extents of inputs that are open and have no
  /// number here, whatever they are called, and what is called as one of them; or, if no first
  /// extent is open, the only name that there is. Any other open extent is refused, as is the batch
  /// twice in one input.
  std::map<std::string, int64_t> dims;
  /// Inputs with these contents, cast to their element type, which are then no inputs of the
  /// function: shapes, depths, axes, rates that must be known when a model is imported.
  std::map<std::string, Tensor> constants;
  /// Where external data may lie: the folder of the model (LoadOnnx sets it); empty: nowhere.
  std::string folder;
  int64_t max_bytes = int64_t{2} << 30;  ///< of external data, in all
  /// Asked with the path before a file of external data is read; null: any may be.
  std::function<absl::Status(const std::string&)> before_external;
};

/// An input of a file, one that is given when the model runs.
struct OnnxInput {
  struct Extent {
    std::optional<int64_t> number;  ///< absent: open
    std::string symbol;             ///< of an open one; may be empty
  };
  std::string name;
  bool is_integer = false;
  std::vector<Extent> extents;  ///< none too where the file does not say them
};

/// Those of a file, in its order. Errors name the path.
absl::StatusOr<std::vector<OnnxInput>> OnnxInputs(const std::string& path);

/// An ONNX model (https://onnx.ai, IR versions 3 to 14, opset 1 to 28 of the default domain) as a
/// model with the function `predict`. Inputs and outputs keep their names; initializers become
/// trainable weights where the graph reads them as numbers, and vanish where they only make shapes.
/// What is known beforehand is computed here, loops run as often as is known. An int64 input that
/// only serves as indices becomes int32. Narrow element types are widened: float16 and bfloat16 are
/// computed in float32, without their rounding; small integers in int32, but not by arithmetic that
/// would go round at their limits. A row of no steps ends in zeros, as in ONNX Runtime, also where
/// it has an initial state. Metadata that SaveOnnx wrote is read back.
///
/// For untrusted bytes: everything is checked. Errors name node and operator: InvalidArgument
/// (damaged, contradictory), Unimplemented (an operator, attribute, element type or shape that is
/// not supported), ResourceExhausted (beyond a limit).
absl::StatusOr<Model> ParseOnnx(absl::string_view bytes, const OpRegistry& registry,
                                const OnnxReadOptions& options = {});

/// Reads a file. Errors name the path. External data may lie beside the file or below, reached
/// without links.
absl::StatusOr<Model> LoadOnnx(const std::string& path, const OpRegistry& registry,
                               OnnxReadOptions options = {});

}  // namespace seqgraph
