#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "serialization/model.pb.h"
#include "serialization/self_test.h"
#include "serialization/tensor_proto.h"

namespace seqgraph {

proto::SelfTest SelfTestToProto(const SelfTest& test, TensorEncoding encoding);
absl::StatusOr<SelfTest> SelfTestFromProto(const proto::SelfTest& test);

/// OK if the model has the function with these very inputs, results and trainable variables, the
/// function updates nothing, all types fit, something is compared, and what is allowed is finite
/// and not negative. InvalidArgument names the function and the tensor.
absl::Status CheckSelfTest(const SelfTest& test, const Model& model);

}  // namespace seqgraph
