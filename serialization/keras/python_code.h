#pragma once

// What a Lambda layer of Keras does, where its Python code is a formula of tensor operations:
// `lambda x: tf.reduce_sum(x, axis=1)`. The code is data here: it is read, never run.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/keras/config.h"
#include "serialization/keras/graph_config.h"

namespace seqgraph::keras {

/// The operations that the configuration of a Lambda, called on `inputs`, stands for, in the form
/// in which Keras 3's files have operations on tensors; the last one has the layer's name and gives
/// its output. Unimplemented, with the reason, for code of another kind: with branches, loops or
/// variables from outside, and for functions that are not known here.
absl::StatusOr<std::vector<Json>> OperationsOfLambda(const Json& entry,
                                                     const std::vector<ValueRef>& inputs);

}  // namespace seqgraph::keras
