#ifndef SEQGRAPH_TRAINING_KERAS_STACK_RECOGNITION_H_
#define SEQGRAPH_TRAINING_KERAS_STACK_RECOGNITION_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/layers.h"
#include "graph/model.h"

namespace seqgraph {

/// A stack of layers that computes what a model's `predict` does.
struct RecognizedStack {
  LayerStack stack;
  /// The model's variable for each weight of the stack, by the name that the stack gives to it.
  std::map<std::string, std::string> variable_of;
};

/// Model::layers, if it is set and builds the model's `predict`; otherwise a stack found in the
/// nodes of `predict`: one-hot words or an embedding, recurrent layers of all kinds, also
/// bidirectional, dense, pooling and activation. Layers are named after their variables
/// ("L/kernel"), or as Keras does it. Either way the functions are compared node by node, so that
/// what is given stands for exactly this function.
///
/// Unimplemented, naming node and reason, for a function that is no such stack; NotFound for a
/// model without `predict`.
absl::StatusOr<RecognizedStack> RecognizeStack(const Model& model);

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_KERAS_STACK_RECOGNITION_H_
