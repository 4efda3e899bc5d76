#pragma once

// Whole models in HDF5 (".h5"), as Keras 2 and Keras 3 write them: configurations as texts of the
// root, weights below "model_weights", the optimizer's state below "optimizer_weights".

#include "absl/status/statusor.h"
#include "serialization/hdf5/tree.h"
#include "serialization/keras/keras_io.h"

namespace seqgraph::keras {

/// Reads either layout. Errors name the object or layer.
absl::StatusOr<KerasModel> ReadLegacyModel(const hdf5::Node& root, const ReadOptions& options);

/// The content of such a file.
absl::StatusOr<hdf5::Node> LegacyModelTree(const KerasModel& model, Layout layout,
                                           const LayerRegistry& registry);

}  // namespace seqgraph::keras
