#pragma once

// Keras's model files. Source of the layouts: files that Keras 2 and 3 wrote, and Keras 3's
// saving_lib.py and legacy_h5_format.py.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "layers/all_layers.h"
#include "serialization/keras/keras_model.h"
#include "serialization/keras/weights_store.h"

namespace seqgraph::keras {

struct ReadOptions {
  /// The length of sequences where the file leaves it open; absent: 32.
  std::optional<int64_t> time;
  /// False: neither loss, metrics and optimizer nor its state, whatever they are.
  bool training = true;
  /// Of the Keras that wrote a configuration that does not say so: 2 or 3.
  int version = 3;
  /// The classes of layers that are known.
  const LayerRegistry* layers = &AllLayers();
};

enum class Layout {
  kKeras3,
  kKeras2,  ///< ".h5" for TensorFlow 2.11 to 2.15
};

/// A whole model from the bytes of ".keras" or ".h5", told apart by how they begin. The bytes are
/// untrusted: memory stays within a small multiple of them. Errors name the object, layer or
/// attribute: InvalidArgument (malformed, missing, left over, of the wrong shape), Unimplemented
/// (what models here cannot do), ResourceExhausted (too large).
absl::StatusOr<KerasModel> ParseKerasModel(absl::string_view bytes,
                                           const ReadOptions& options = {});
/// The same from a file, whose path errors name.
absl::StatusOr<KerasModel> ReadKerasModel(const std::string& path, const ReadOptions& options = {});

/// The model that a configuration alone describes (".keras"'s config.json, Keras's to_json()): no
/// weights, no optimizer's state.
absl::StatusOr<KerasModel> ParseKerasConfig(absl::string_view json,
                                            const ReadOptions& options = {});
/// What compile_config in it, or training_config in ".h5", says.
absl::StatusOr<Training> ParseKerasTraining(absl::string_view json,
                                            std::vector<std::string>* notes);

/// The weights for a stack from the bytes of ".weights.h5", ".h5" or ".keras".
absl::StatusOr<StoredWeights> ParseKerasWeights(absl::string_view bytes, const LayerStack& stack,
                                                std::vector<std::string>* notes,
                                                const LayerRegistry& registry = AllLayers());
absl::StatusOr<StoredWeights> ReadKerasWeights(const std::string& path, const LayerStack& stack,
                                               std::vector<std::string>* notes,
                                               const LayerRegistry& registry = AllLayers());

/// The bytes of a file for Keras to load; the same model gives the same bytes. InvalidArgument for
/// a weight that is missing or a stack whose layers do not fit, Unimplemented for a layer that
/// Keras does not have or does otherwise.
/// KerasZip: ".keras"; KerasHdf5: ".h5"; KerasWeightsHdf5: ".weights.h5".
absl::StatusOr<std::string> KerasZip(const KerasModel& model,
                                     const LayerRegistry& registry = AllLayers());
absl::StatusOr<std::string> KerasHdf5(const KerasModel& model, Layout layout,
                                      const LayerRegistry& registry = AllLayers());
absl::StatusOr<std::string> KerasWeightsHdf5(const KerasModel& model,
                                             const LayerRegistry& registry = AllLayers());

/// Makes a model that takes one-hot words take tokens instead, by a one-hot layer in front.
/// InvalidArgument if it takes tokens already.
absl::Status TakeTokensOneHot(LayerStack& stack);

}  // namespace seqgraph::keras
