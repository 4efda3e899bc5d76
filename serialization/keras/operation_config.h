#pragma once

// Operations on tensors in Functional models, which are no layers: x[:, -1], x + y, mean(x,
// axis=1).

#include <string>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "layers/layer_def.h"
#include "serialization/keras/config.h"
#include "serialization/keras/graph_config.h"

namespace seqgraph::keras {

/// The layer that does the same as an entry of Keras 3's operations or of tf_keras's, with what it
/// takes in *call. Unimplemented for operations that are not known here.
absl::StatusOr<LayerKind> ReadOperation(const Json& entry, EntryCall* call);

/// A layer of class Operation as Keras 3 writes the operation.
OrderedJson OperationJson(const Layer& layer);
/// The arguments that it is called with; tensors are a list of those that it takes.
OrderedJson OperationArguments(const Layer& layer, OrderedJson tensors);

}  // namespace seqgraph::keras
