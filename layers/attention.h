#pragma once

#include <string>

#include "layers/layer_def.h"

namespace seqgraph {

/// A mean of the steps of v for each step of q, weighted by how well q goes with k; k is v if it is
/// not given.
struct AttentionLayer {
  static constexpr char kClass[] = "Attention";
  bool use_scale = false;
  std::string score_mode = "dot";
  double dropout = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("use_scale", use_scale, AnyValue(), "whether scores are multiplied by a weight");
    field("score_mode", score_mode, OneOf({"dot", "concat"}),
          "q k, or a weight times the sum of tanh(q + k)");
    field("dropout", dropout, Rate(), "of the shares of the steps, in training");
  }
};

/// The same by scores sum_i scale_i tanh(q_i + k_i).
struct AdditiveAttentionLayer {
  static constexpr char kClass[] = "AdditiveAttention";
  bool use_scale = true;
  double dropout = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("use_scale", use_scale, AnyValue(),
          "whether there is a scale, a weight for each feature");
    field("dropout", dropout, Rate(), "of the shares of the steps, in training");
  }
};

LayerDef AttentionDef();
LayerDef AdditiveAttentionDef();

}  // namespace seqgraph
