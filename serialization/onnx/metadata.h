#pragma once

// What a model has besides its graph, in metadata_props: preprocessing of texts or series, and
// label names. Words may be any bytes, so they are escaped as in C.

#include "absl/status/status.h"
#include "graph/model.h"
#include "serialization/onnx/onnx.pb.h"

namespace seqgraph::onnx {

void WriteMetadata(const Model& model, onnx_proto::ModelProto* proto);

/// Keys of others are left alone; InvalidArgument for one of ours that makes no sense.
absl::Status ReadMetadata(const onnx_proto::ModelProto& proto, Model* model);

}  // namespace seqgraph::onnx
