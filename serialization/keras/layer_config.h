#ifndef SEQGRAPH_SERIALIZATION_KERAS_LAYER_CONFIG_H_
#define SEQGRAPH_SERIALIZATION_KERAS_LAYER_CONFIG_H_

// Layers in Keras's configurations. To add one: a reader, a writer and a row in layer_config.cc.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layers.h"
#include "serialization/keras/config.h"

namespace seqgraph::keras {

/// The dialects of configurations.
enum class Dialect {
  kKeras3,  ///< ".keras": objects name their modules
  kLegacy,  ///< ".h5" of Keras 2 and 3: layers do not
};

/// The layer that {"class_name": ..., "config": {...}} says, in any dialect. Errors name layer and
/// attribute: Unimplemented for a class or attribute that is not known here, InvalidArgument for
/// values out of range. What was assumed goes to *notes.
absl::StatusOr<Layer> ReadLayer(const Json& json, std::vector<std::string>* notes);

/// The same object for Keras to read. Unimplemented for a layer that Keras does not have.
absl::StatusOr<OrderedJson> LayerJson(const Layer& layer, Dialect dialect);

/// {"class_name": ..., "config": ...} with what the dialect puts around.
OrderedJson ClassJson(const char* module, const std::string& class_name, OrderedJson config,
                      Dialect dialect);

/// Keras's name of the layer's class.
std::string LayerClass(const Layer& layer);
std::string RecurrentClass(RecurrentKind kind);

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_LAYER_CONFIG_H_
