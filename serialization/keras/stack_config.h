#ifndef SEQGRAPH_SERIALIZATION_KERAS_STACK_CONFIG_H_
#define SEQGRAPH_SERIALIZATION_KERAS_STACK_CONFIG_H_

// Sequential models in Keras's configurations.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layers.h"
#include "serialization/keras/config.h"
#include "serialization/keras/layer_config.h"

namespace seqgraph::keras {

/// The stack that {"class_name": "Sequential", "config": ...} says. Tokens go into an embedding,
/// numbers [time, features] into anything else. `time` stands for a length of sequences that the
/// file leaves open. Errors: as ReadLayer, and Unimplemented for models that are no stack.
absl::StatusOr<LayerStack> ReadStack(const Json& json, std::optional<int64_t> time,
                                     std::vector<std::string>* notes);

/// The same object for Keras to read; a one-hot layer in front becomes the input's shape. Keras 2
/// has its own name for that shape.
absl::StatusOr<OrderedJson> StackJson(const LayerStack& stack, Dialect dialect, bool keras2);

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_STACK_CONFIG_H_
