#pragma once

// Which weights the layers of a stack have, in Keras's order, and where its files keep them.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "layers/all_layers.h"
#include "layers/layer_context.h"

namespace seqgraph::keras {

using Weight = LayerWeight;

/// Where Keras's files keep the weights of a layer.
struct LayerPlace {
  /// In ".weights.h5": by class and number, "simple_rnn_1"; in a model in the model
  /// "functional/layers/simple_rnn_1".
  std::string group;
  /// In ".h5": its name, or that of the outermost model that it lies in.
  std::string legacy;
};

struct LayerWeights {
  std::string layer;  ///< its name
  std::string group;  ///< as in LayerPlace
  std::string legacy;
  std::vector<Weight> weights;
  std::vector<Weight> counts;  ///< as in EmittedLayer: read by nobody, written as 0
  std::vector<EmittedLayer::Store> stores;

  int arrays() const { return static_cast<int>(weights.size() + counts.size()); }
};

/// One entry for each layer that Keras has (none for one-hot words). `places`: where a file has
/// them, one for each layer of the stack; left out: where a file of this stack alone would.
/// InvalidArgument, naming the
/// layer, where layers do not fit each other or a weight would have more than 2^40 elements.
absl::StatusOr<std::vector<LayerWeights>> WeightsOf(const LayerStack& stack,
                                                    const LayerRegistry& registry = AllLayers(),
                                                    const std::vector<LayerPlace>& places = {});

/// The layers of a stack, by index, in the order that Keras gives to those of a graph: what is
/// farther from the outputs first, what is equally far as a walk from the outputs meets it. Inputs
/// are -1, -2, .... Source of the rule: map_graph() of Keras's ops/function.py.
std::vector<int> KerasOrder(const LayerStack& stack);

/// Keras 2 hands no mask on behind Identity, Normalization and Rescaling; Keras 3 does, and so do
/// ours. Unimplemented names one that bears a mask, and ends with `way_out`.
absl::Status CheckMasksInKeras2(const LayerStack& stack, const LayerRegistry& registry,
                                absl::string_view way_out);

/// The same weights in one list.
std::vector<Weight> AllWeights(const std::vector<LayerWeights>& layers);

}  // namespace seqgraph::keras
