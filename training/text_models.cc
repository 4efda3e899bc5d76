#include "training/text_models.h"

#include "training/sequential.h"

namespace seqgraph {

LayerStack TextStack(const TextModelOptions& options) {
  Sequential stack({.time = options.maxlen});
  if (options.one_hot) {
    stack.Add(OneHotLayer{.depth = options.num_words});
  } else {
    stack.Add(EmbeddingLayer{.input_dim = options.num_words,
                             .output_dim = options.embedding_dim,
                             .mask_zero = options.mask_zero});
  }
  AddRecurrentLayers({.cell = options.cell,
                      .units = options.units,
                      .layers = options.layers,
                      .bidirectional = options.bidirectional,
                      .dropout = options.dropout,
                      .recurrent_dropout = options.recurrent_dropout,
                      .pooling = options.pooling},
                     /*sequences=*/false, stack);
  stack.Add(options.classes == 2 ? DenseLayer{.units = 1, .activation = "sigmoid"}
                                 : DenseLayer{.units = options.classes, .activation = "softmax"});
  return stack.stack();
}

Loss TextLoss(int64_t classes) {
  return classes == 2 ? BinaryCrossEntropy() : SparseCategoricalCrossEntropy();
}

absl::StatusOr<Model> MakeTextModel(const TextModelOptions& options, TrainableOptions trainable) {
  trainable.loss = TextLoss(options.classes);
  return BuildModel(TextStack(options), trainable);
}

}  // namespace seqgraph
