#ifndef SEQGRAPH_TRAINING_LOSSES_H_
#define SEQGRAPH_TRAINING_LOSSES_H_

#include <functional>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph {

/// What training makes small: a scalar from a result of `predict` and labels of that result's type.
/// A loss is a value; a new one is one more function like BinaryCrossEntropy.
struct Loss {
  std::string name;
  /// The result of `predict` that is judged.
  std::string prediction;
  /// Emits the nodes; mistakes go to the builder. The value is a scalar of the prediction's type.
  std::function<Value(FunctionBuilder&, Value prediction, Value labels)> build;
};

/// The mean of -(y ln p + (1 - y) ln(1 - p)) over all elements, for probabilities p clipped to
/// [1e-7, 1 - 1e-7] and labels y in [0, 1]. Where p comes from a sigmoid, the standard rewrites
/// make it one op on the logits, which needs no clipping. Formula: Keras's binary_crossentropy.
Loss BinaryCrossEntropy(std::string prediction = "probability");

}  // namespace seqgraph

#endif  // SEQGRAPH_TRAINING_LOSSES_H_
