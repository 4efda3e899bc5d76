#pragma once

#include <cstdint>

#include "layers/layer_def.h"

namespace seqgraph {

/// int32 [batch, time] -> [batch, time, output_dim]. Row i of the table for token i.
struct EmbeddingLayer {
  static constexpr char kClass[] = "Embedding";
  int64_t input_dim = 0;
  int64_t output_dim = 0;
  bool mask_zero = false;
  Initializer embeddings_initializer = Initializer::Uniform(0.05);
  Regularizer embeddings_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("input_dim", input_dim, Extent(), "rows of the table: tokens are below it");
    field("output_dim", output_dim, Extent(), "width of a row");
    field("mask_zero", mask_zero, AnyValue(), "token 0 masks its step for the layers behind");
    field("embeddings_initializer", embeddings_initializer, AnyValue(), "of the table");
    field("embeddings_regularizer", embeddings_regularizer, AnyValue(), "of the table");
  }
};

extern template void FillLayerKind(const EmbeddingLayer&, LayerKind&);
LayerDef EmbeddingDef();

}  // namespace seqgraph
