#pragma once

// ONNX's TensorProto to Tensor and back.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/tensor.h"
#include "serialization/onnx/onnx.pb.h"

namespace seqgraph::onnx {

/// Where a tensor's bytes may lie outside the model's own file, and how many are left to read.
struct ExternalData {
  std::string folder;  ///< that of the model; empty: external data is refused
  int64_t budget = 0;  ///< bytes that may still be read
  /// OnnxReadOptions::before_external.
  std::function<absl::Status(const std::string&)> before = nullptr;
};

/// "float", "bool", "float16", ...: ONNX's name of an element type, or its number.
std::string ElementTypeName(int32_t type);

/// The element type in a graph: float32, float64, int32, int64; or one of these that holds all
/// numbers of ONNX's: int32 of bool, int8, uint8, int16 and uint16, int64 of uint32 and uint64
/// (below 2^63), float32 of float16 and bfloat16. Unimplemented names any other.
absl::StatusOr<DType> DTypeFromOnnx(int32_t type);
/// The inverse: ONNX's name of the very type.
int32_t DTypeToOnnx(DType dtype);
/// The type itself where its numbers are held by a wider one, but for bool; else 0.
int32_t NarrowType(int32_t type);

/// The tensor, all bits as they were written (bool as 0 and 1, narrow types widened). Everything is
/// checked before anything is allocated: InvalidArgument if the elements are not as many as the
/// extents say, for a shape beyond Shape's limits, for data in more than one place; Unimplemented
/// for an element type that graphs do not have. External data must be a regular file directly or
/// below in `external->folder`, reached without links and without "..".
absl::StatusOr<Tensor> TensorFromOnnx(const onnx_proto::TensorProto& proto, ExternalData* external);

/// Little-endian bytes in raw_data.
onnx_proto::TensorProto TensorToOnnx(const Tensor& tensor, std::string name);

}  // namespace seqgraph::onnx
