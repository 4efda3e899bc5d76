#pragma once

// Layers in Keras's configurations. Which there are, and what they are configured by, is in their
// definitions (layers/layer_def.h).

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "layers/layer_def.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// The dialects of configurations.
enum class Dialect {
  kKeras3,  ///< ".keras": objects name their modules
  kLegacy,  ///< ".h5" of Keras 3: layers do not
  kKeras2,  ///< ".h5" of Keras 2: the same, and some keys have other names
};

/// What reading a configuration goes by.
struct LayerReading {
  const LayerRegistry& registry;
  /// Of Keras: 2 or 3. Some names mean other things in either.
  int version = 3;
  std::vector<std::string>* notes;  ///< what was assumed
  /// What is not known here and matters in training alone, a constraint of a weight say, for a
  /// model that then predicts; null: it is refused.
  std::vector<std::string>* of_training = nullptr;
};

/// The layer that {"class_name": ..., "config": {...}} says, in any dialect. Errors name layer and
/// attribute: Unimplemented for a class or attribute that is not known here, InvalidArgument for
/// values out of range.
absl::StatusOr<Layer> ReadLayer(const Json& json, const LayerReading& reading);

/// The same object for Keras to read. Unimplemented for a layer that Keras does not have.
absl::StatusOr<OrderedJson> LayerJson(const Layer& layer, const LayerRegistry& registry,
                                      Dialect dialect);

/// {"class_name": ..., "config": ...} with what the dialect puts around.
OrderedJson ClassJson(const char* module, const std::string& class_name, OrderedJson config,
                      Dialect dialect);

}  // namespace seqgraph::keras
