#pragma once

#include "absl/status/statusor.h"
#include "graph/tensor.h"
#include "serialization/graph.pb.h"

namespace seqgraph {

/// How the elements of a tensor are written.
enum class TensorEncoding {
  kRaw,     ///< little-endian bytes
  kValues,  ///< numbers, unless some element is NaN: then bytes, because a NaN's payload has no
            ///< text
};

proto::DType DTypeToProto(DType dtype);
/// InvalidArgument for an unknown number.
absl::StatusOr<DType> DTypeFromProto(proto::DType dtype);

proto::TensorType TypeToProto(const TensorType& type);
/// InvalidArgument for an unknown element type or a shape beyond Shape's limits.
absl::StatusOr<TensorType> TypeFromProto(const proto::TensorType& type);

proto::Tensor TensorToProto(const Tensor& tensor, TensorEncoding encoding);
/// The tensor, all bits as they were written. The elements that are there are counted before
/// anything is allocated: InvalidArgument if they are not as many as the type says.
absl::StatusOr<Tensor> TensorFromProto(const proto::Tensor& tensor);

}  // namespace seqgraph
