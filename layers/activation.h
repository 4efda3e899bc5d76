#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// The names of activations that there are, of ActivationLayer and DenseLayer: those of
/// ActivationTable (graph/activation.h), and "softmax".
std::vector<std::string> ActivationNames();
/// Those of recurrent layers: without "softmax".
std::vector<std::string> CellActivationNames();
/// One of them of x, under the node name `name`; x itself for "linear".
Value EmitActivation(FunctionBuilder& g, const std::string& activation, Value x,
                     const std::string& name);

struct ActivationOfValue {
  std::string name;
  Value output;
};
/// The activation of x that nodes of the function compute as EmitActivation does, the longest one.
std::optional<ActivationOfValue> FindActivationOf(const Function& f, Value x);

/// An activation alone.
struct ActivationLayer {
  static constexpr char kClass[] = "Activation";
  std::string activation = "linear";

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("activation", activation, ActivationName(ActivationNames()), "what is applied");
  }
};

extern template void FillLayerKind(const ActivationLayer&, LayerKind&);
LayerDef ActivationDef();

}  // namespace seqgraph
