#pragma once

// Activations as attributes of RNN, LSTM and GRU: names, and of all directions' activations the
// numbers alpha and beta of those that take one, in their order.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/activation.h"

namespace seqgraph::onnx {

struct OnnxActivations {
  std::vector<std::string> names;
  std::vector<double> alpha, beta;
};

/// As ONNX Runtime reads them: letters of any case; a list that ends before all have a number
/// leaves the others their defaults. Unimplemented for a name that is not ONNX's, and for a missing
/// number that the standard gives no default; InvalidArgument for numbers that nothing takes.
absl::StatusOr<std::vector<ActivationFunction>> ReadActivations(const OnnxActivations& from);
/// Unimplemented for an activation that ONNX's recurrent operators do not have.
absl::StatusOr<OnnxActivations> WriteActivations(const std::vector<ActivationFunction>& from);

}  // namespace seqgraph::onnx
