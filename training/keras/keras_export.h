#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "serialization/keras/keras_model.h"

namespace seqgraph {

/// What a Keras file of this model holds: the stack that RecognizeStack finds, its weights, and the
/// loss and optimizer that `evaluate` and `train_step` show, with the optimizer's state. What of
/// training Keras could not take over is left out, and a note says so. Errors: as RecognizeStack.
absl::StatusOr<keras::KerasModel> KerasFromModel(const Model& model,
                                                 std::vector<std::string>* notes);

/// Sets the variables of a model by the names that its recognized stack, and an optimizer over it,
/// give to them. InvalidArgument for another shape, NotFound for a name that the model does not
/// have; then some may have been set.
absl::Status SetWeights(const std::vector<keras::NamedTensor>& tensors, Model& model);

}  // namespace seqgraph
