#pragma once

#include <cstdint>
#include <string>

#include "layers/activation.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// [..., features] -> [..., units].
struct DenseLayer {
  static constexpr char kClass[] = "Dense";
  int64_t units = 0;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::GlorotUniform();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer kernel_regularizer;
  Regularizer bias_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("units", units, Extent(), "width of the output");
    field("activation", activation, ActivationName(ActivationNames()), "of the sum");
    field("use_bias", use_bias, AnyValue(), "whether b is added");
    field("kernel_initializer", kernel_initializer, AnyValue(), "of w");
    field("bias_initializer", bias_initializer, AnyValue(), "of b");
    field("kernel_regularizer", kernel_regularizer, AnyValue(), "of w");
    field("bias_regularizer", bias_regularizer, AnyValue(), "of b");
  }
};

extern template void FillLayerKind(const DenseLayer&, LayerKind&);
LayerDef DenseDef();

}  // namespace seqgraph
