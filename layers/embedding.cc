#include "layers/embedding.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/embedding.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

LayerFlow EmitEmbedding(LayerContext& c, const EmbeddingLayer& layer) {
  if (layer.mask_zero && c.type().shape.rank() > 2) {
    c.Fail(absl::StrCat("with mask_zero it takes tokens int32[batch, time] but its input is ",
                        c.type().ToString(), "; put it into a layer TimeDistributed"));
    return {};
  }
  const Value table = c.Weight("embeddings", {layer.input_dim, layer.output_dim},
                               layer.embeddings_initializer, layer.embeddings_regularizer);
  // Tokens are their own mask.
  return {ops::Embedding(c.g(), c.x(), table, c.name()), layer.mask_zero ? c.x() : c.mask()};
}

absl::StatusOr<std::optional<RecognizedLayer>> RecognizeEmbedding(StackRecognizer& r) {
  const Node* node = r.Reader("Embedding");
  if (node == nullptr) return std::nullopt;
  const Value table = node->inputs[1];
  Layer layer{.name = r.Name(table, "embedding")};
  SEQ_RETURN_IF_ERROR(
      r.Weight(*node, absl::StrCat(layer.name, "/embeddings"), table, &layer.trainable));
  const Shape& shape = r.function().type(table).shape;
  EmbeddingLayer embedding{.input_dim = shape[0].size(),
                           .output_dim = shape[1].size(),
                           .embeddings_initializer = r.InitializerOf(table)};
  // Somebody masks by the tokens themselves.
  for (const Node& other : r.function().nodes()) {
    const Value mask = r.Operand(other, "mask");
    if (mask.present() && mask == r.tokens()) embedding.mask_zero = true;
  }
  layer.kind = embedding;
  return RecognizedLayer{std::move(layer), node->outputs[0]};
}

}  // namespace

LayerDef EmbeddingDef() {
  return DefineLayer<EmbeddingLayer>()
      .Doc(
          "int32 [batch, time, ...] -> [batch, time, ..., output_dim]: row i of the table for "
          "token "
          "i.")
      .Takes(LayerTakes::kTokens)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras({.ignored = {"input_length", "sparse"},
              .unset = {"activity_regularizer", "embeddings_constraint", "lora_rank", "lora_alpha",
                        "quantization_config", "weights"}})
      .Emit(EmitEmbedding)
      .Recognize(RecognizeEmbedding)
      .Example({"rows",
                EmbeddingLayer{.input_dim = 3, .output_dim = 2},
                ops::Ids({1, 2}, {2, 0}),
                {ops::Reals({3, 2}, {1, 2, 3, 4, 5, 6})},
                ops::Reals({1, 2, 2}, {5, 6, 1, 2})})
      .Example({"letters_of_words",
                EmbeddingLayer{.input_dim = 3, .output_dim = 1},
                ops::Ids({1, 2, 2}, {2, 0, 1, 2}),
                {ops::Reals({3, 1}, {1, 2, 3})},
                ops::Reals({1, 2, 2, 1}, {3, 1, 2, 3})});
}

template void FillLayerKind(const EmbeddingLayer&, LayerKind&);

}  // namespace seqgraph
