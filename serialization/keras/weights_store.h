#pragma once

// Weights in Keras's HDF5 files. A store is the content of ".weights.h5", alone or in ".keras":
// groups by class and number, arrays by number. A legacy tree is ".h5": groups by layer, with lists
// of names that say the order.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/hdf5/tree.h"
#include "serialization/keras/keras_model.h"
#include "serialization/keras/layer_weights.h"

namespace seqgraph::keras {

/// What a file of weights holds.
struct StoredWeights {
  std::vector<NamedTensor> weights;
  /// The optimizer's arrays in Keras's order, and the name that it gave to the optimizer.
  std::vector<Tensor> optimizer_arrays;
  std::string optimizer_name;
};

/// Takes the weights of these layers out of a store, or of a legacy tree of weights alone or of a
/// whole model (no state of the optimizer then). InvalidArgument, naming the object, for what is
/// missing, left over, or of another shape. Numbers become float32; what was rounded is said in
/// *notes.
absl::StatusOr<StoredWeights> ReadWeights(const hdf5::Node& root,
                                          const std::vector<LayerWeights>& layers,
                                          std::vector<std::string>* notes);

/// The same from the group of a legacy tree that has the layers' names.
absl::StatusOr<std::vector<NamedTensor>> ReadLegacyWeights(const hdf5::Node& group,
                                                           const std::string& path,
                                                           const std::vector<LayerWeights>& layers,
                                                           std::vector<std::string>* notes);

/// The list of texts in an attribute, also where it is split into name0, name1, ...: HDF5 holds at
/// most 64 KiB in one.
absl::StatusOr<std::vector<std::string>> TextList(const hdf5::Node& group, const std::string& path,
                                                  const std::string& attribute);

/// The array at `name` below the group, as float32 of that shape.
absl::StatusOr<Tensor> ReadFloats(const hdf5::Node& group, const std::string& path,
                                  const std::string& name, const Shape& shape,
                                  std::vector<std::string>* notes);

/// The content of ".weights.h5" for this model. InvalidArgument for a weight or a slot of the
/// optimizer that is missing.
absl::StatusOr<hdf5::Node> WeightsStore(const KerasModel& model,
                                        const std::vector<LayerWeights>& layers);

/// The model's weight of that name; InvalidArgument if there is none of that shape.
absl::StatusOr<const Tensor*> WeightOf(const KerasModel& model, const Weight& weight);

}  // namespace seqgraph::keras
