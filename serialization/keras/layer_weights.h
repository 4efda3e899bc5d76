#ifndef SEQGRAPH_SERIALIZATION_KERAS_LAYER_WEIGHTS_H_
#define SEQGRAPH_SERIALIZATION_KERAS_LAYER_WEIGHTS_H_

// Which weights the layers of a stack have, in Keras's order, and where its files keep them.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layers.h"
#include "graph/shape.h"

namespace seqgraph::keras {

struct Weight {
  std::string variable;  ///< ours: "simple_rnn/recurrent_kernel"
  Shape shape;
  bool trainable = true;
  /// In ".h5": what follows the layer's name, "simple_rnn_cell/recurrent_kernel".
  std::string path;
  /// In ".weights.h5": what follows the layer's group, "cell/vars/1".
  std::string store;
};

struct LayerWeights {
  std::string layer;  ///< its name
  std::string group;  ///< in ".weights.h5": by class and number, "simple_rnn_1"
  std::vector<Weight> weights;
  /// Groups that ".weights.h5" has for this layer, with the name that Keras notes in them.
  struct Store {
    std::string path;  ///< "cell/vars"
    std::string name;  ///< "simple_rnn_cell"
  };
  std::vector<Store> stores;
};

/// One entry for each layer that Keras has (none for one-hot words). InvalidArgument, naming the
/// layer, where layers do not fit each other or a weight would have more than 2^40 elements.
absl::StatusOr<std::vector<LayerWeights>> WeightsOf(const LayerStack& stack);

/// The same weights in one list.
std::vector<Weight> AllWeights(const std::vector<LayerWeights>& layers);

}  // namespace seqgraph::keras

#endif  // SEQGRAPH_SERIALIZATION_KERAS_LAYER_WEIGHTS_H_
