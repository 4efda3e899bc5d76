#ifndef SEQGRAPH_SERIALIZATION_ONNX_EXTERNAL_DATA_H_
#define SEQGRAPH_SERIALIZATION_ONNX_EXTERNAL_DATA_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {

/// The bytes of a tensor whose data_location is EXTERNAL: exactly `size`, out of the file that the
/// key "location" names relative to `external->folder`, from "offset" on. Refused: an absolute
/// path, "." or ".." in it, a link anywhere on the way, what is no regular file, and a range beyond
/// the file's end or the budget.
absl::StatusOr<std::string> ReadExternalData(const onnx_proto::TensorProto& proto, int64_t size,
                                             ExternalData* external);

}  // namespace seqgraph::onnx

#endif  // SEQGRAPH_SERIALIZATION_ONNX_EXTERNAL_DATA_H_
