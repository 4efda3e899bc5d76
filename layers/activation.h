#ifndef SEQGRAPH_LAYERS_ACTIVATION_H_
#define SEQGRAPH_LAYERS_ACTIVATION_H_

#include <string>

#include "layers/layer_def.h"

namespace seqgraph {

/// An activation alone.
struct ActivationLayer {
  static constexpr char kClass[] = "Activation";
  std::string activation = "linear";

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("activation", activation, ActivationName(), "what is applied");
  }
};

LayerDef ActivationDef();

}  // namespace seqgraph

#endif  // SEQGRAPH_LAYERS_ACTIVATION_H_
