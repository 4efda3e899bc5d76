#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "backends/plugin/seqgraph_reader.h"
#include "graph/function.h"
#include "graph/op_registry.h"
#include "graph/tensor.h"

namespace seqgraph {

/// A function inside a plugin, built anew from what crossed.
struct DecodedFunction {
  Function function;
  std::vector<int> value_of_host;  ///< for each of the host's values the index of ours
};

/// Builds the function with the ops of `registry`. Needs no protobuf library: two copies of its
/// generated code in one process would end it. The nodes keep their indices.
///
/// InvalidArgument: damaged bytes, fields that this program does not know, whatever FunctionBuilder
/// refuses, a type other than the host's. NotFound: an unknown op. FailedPrecondition: another
/// version of an op.
absl::StatusOr<DecodedFunction> DecodeFunction(const sg_function& encoded,
                                               const OpRegistry& registry);

/// The same for what model files hold, whoever wrote them: a seqgraph.proto.Function, VariableDef
/// or Tensor (with its elements as bytes). Memory stays within a small multiple of the bytes.
absl::StatusOr<Function> ReadFunction(sg_string bytes, const OpRegistry& registry);
absl::StatusOr<VariableDef> ReadVariableDef(sg_string bytes);
absl::StatusOr<Tensor> ReadTensor(sg_string bytes);

}  // namespace seqgraph
