#pragma once

#include <string>

#include "layers/layer_def.h"
#include "layers/recurrent.h"

namespace seqgraph {

/// Two recurrent layers over the same input, the second from the end; their outputs merged.
struct BidirectionalLayer {
  static constexpr char kClass[] = "Bidirectional";
  Layer forward{.name = "forward"};
  Layer backward{.name = "backward"};  ///< go_backwards is the opposite of that of `forward`
  std::string merge_mode = "concat";

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("merge_mode", merge_mode, OneOf({"concat", "sum", "mul", "ave", "none"}),
          "side by side, or element by element the sum, product or mean; none: the second output "
          "is that of backward_layer");
    field("layer", forward, AnyValue(), "a recurrent layer");
    field("backward_layer", backward, AnyValue(),
          "one that goes the other way; left out: `layer` with go_backwards turned round");
  }
};

/// The layer and its mirror image, which goes the other way. Sequential names both.
BidirectionalLayer Bidirectional(const RecurrentLayer& layer,
                                 const std::string& merge_mode = "concat");

extern template void FillLayerKind(const BidirectionalLayer&, LayerKind&);
LayerDef BidirectionalDef();

}  // namespace seqgraph
