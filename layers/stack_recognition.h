#pragma once

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "layers/all_layers.h"
#include "layers/layer_def.h"
#include "layers/stack_recognizer.h"

namespace seqgraph {

/// The stack of layers that the model's function `predict` is: the one that the model stores, or
/// else one that its nodes tell. Either way the stack is built, and what it gives is compared with
/// the function, node by node. Unimplemented, with the node where they part, if it is no stack.
/// Regularizers and dropout, of which predict knows nothing, are only in a stack that is stored.
absl::StatusOr<RecognizedStack> RecognizeStack(const Model& model,
                                               const LayerRegistry& registry = AllLayers());

}  // namespace seqgraph
