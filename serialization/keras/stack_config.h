#pragma once

// Sequential models in Keras's configurations.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "layers/layer_def.h"
#include "serialization/keras/config.h"
#include "serialization/keras/layer_config.h"

namespace seqgraph::keras {

/// The stack that {"class_name": "Sequential", "config": ...} says. Its input is tokens if its
/// first layer takes them, otherwise numbers [time, features]. `time` stands for a length of
/// sequences that the file leaves open. Errors: as ReadLayer, and Unimplemented for models that are
/// no stack.
absl::StatusOr<LayerStack> ReadStack(const Json& json, std::optional<int64_t> time,
                                     const LayerReading& reading);

/// The same object for Keras to read; a layer in front that Keras does not have, as one-hot words,
/// becomes the input's shape. Keras 2 has its own name for that shape.
absl::StatusOr<OrderedJson> StackJson(const LayerStack& stack, const LayerRegistry& registry,
                                      Dialect dialect);

}  // namespace seqgraph::keras
