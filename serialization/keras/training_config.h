#pragma once

// What a model was compiled with, in Keras's configurations.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "serialization/keras/config.h"
#include "serialization/keras/keras_model.h"
#include "serialization/keras/layer_config.h"

namespace seqgraph::keras {

/// Reads ".h5"'s training_config and ".keras"'s compile_config, of Keras 2 and 3. Errors name the
/// attribute: Unimplemented for what would make training another one (averaged weights, weighted
/// losses, smoothed labels, optimizers that are not known here). A schedule or decay of the
/// learning rate is left out, with a note. `outputs` are the names of the model's (as in
/// ConfiguredStack): losses, their weights and metrics are lists in that order, or go by name.
absl::StatusOr<Training> ReadTraining(const Json& json, absl::Span<const std::string> outputs,
                                      std::vector<std::string>* notes);

/// Sets the model's training, or says in the model why it is left out.
void TakeTraining(absl::StatusOr<Training> training, KerasModel& model);
/// Takes it away for these reasons, if there are any.
void LeaveOutTraining(const std::vector<std::string>& reasons, KerasModel& model);
/// Sets the state of the model's optimizer; a note says so if it cannot be taken over.
void TakeState(absl::StatusOr<std::vector<NamedTensor>> state, KerasModel& model);

/// The same for Keras to read.
OrderedJson TrainingJson(const Training& training, Dialect dialect);

/// The optimizer for "rm_sprop_2", a name that Keras 3 gives to one; null if it is none.
const OptimizerDef* OptimizerOfName(absl::string_view name);

/// "rm_sprop": the name that Keras 3 gives to the first optimizer of that kind.
std::string OptimizerName(const Optimizer& optimizer);

}  // namespace seqgraph::keras
