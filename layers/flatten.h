#ifndef SEQGRAPH_LAYERS_FLATTEN_H_
#define SEQGRAPH_LAYERS_FLATTEN_H_

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, ...] -> [batch, product of the other extents].
struct FlattenLayer {
  static constexpr char kClass[] = "Flatten";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

LayerDef FlattenDef();

}  // namespace seqgraph

#endif  // SEQGRAPH_LAYERS_FLATTEN_H_
