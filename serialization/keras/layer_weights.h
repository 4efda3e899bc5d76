#pragma once

// Which weights the layers of a stack have, in Keras's order, and where its files keep them.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "layers/all_layers.h"
#include "layers/layer_context.h"

namespace seqgraph::keras {

using Weight = LayerWeight;

struct LayerWeights {
  std::string layer;  ///< its name
  std::string group;  ///< in ".weights.h5": by class and number, "simple_rnn_1"
  std::vector<Weight> weights;
  std::vector<EmittedLayer::Store> stores;
};

/// One entry for each layer that Keras has (none for one-hot words). InvalidArgument, naming the
/// layer, where layers do not fit each other or a weight would have more than 2^40 elements.
absl::StatusOr<std::vector<LayerWeights>> WeightsOf(const LayerStack& stack,
                                                    const LayerRegistry& registry = AllLayers());

/// The same weights in one list.
std::vector<Weight> AllWeights(const std::vector<LayerWeights>& layers);

}  // namespace seqgraph::keras
