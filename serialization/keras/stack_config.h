#pragma once

// Models in Keras's configurations.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "layers/layer_def.h"
#include "serialization/keras/config.h"
#include "serialization/keras/layer_config.h"
#include "serialization/keras/layer_weights.h"

namespace seqgraph::keras {

/// The stack or graph that {"class_name": "Sequential" or "Functional", "config": ...} says; the
/// layers of models in it are its own. An input is tokens if a layer takes it as such, otherwise
/// numbers. `time` stands for a length of sequences that the file leaves open. Errors: as
/// ReadLayer, and Unimplemented for models of other classes and operations that are no layers.
struct ConfiguredStack {
  LayerStack stack;
  std::vector<LayerPlace> places;    ///< where its files keep the weights of each layer
  std::vector<std::string> outputs;  ///< Keras's names of its outputs, in their order
};
absl::StatusOr<ConfiguredStack> ReadStack(const Json& json, std::optional<int64_t> time,
                                          const LayerReading& reading);

/// The same object for Keras to read; a layer in front that Keras does not have, as one-hot words,
/// becomes the input's shape. Keras 2 has its own name for that shape.
absl::StatusOr<OrderedJson> StackJson(const LayerStack& stack, const LayerRegistry& registry,
                                      Dialect dialect);

}  // namespace seqgraph::keras
