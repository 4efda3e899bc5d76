#pragma once

#include "absl/status/statusor.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {

/// x = (q - zero) scale, of integers q in uint8.
struct Quantized {
  Operand q, scale, zero;
};

/// By the range of all elements of x and 0, as DynamicQuantizeLinear does.
absl::StatusOr<Quantized> QuantizeByRange(const Term& x);

}  // namespace seqgraph::onnx
