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
  for (int64_t i = 0; i < options.layers; ++i) {
    const bool last = i + 1 == options.layers;
    const RecurrentLayer layer{.cell = options.cell,
                               .units = options.units,
                               .return_sequences = !last || options.pooling != StatePooling::kLast,
                               .dropout = options.dropout,
                               .recurrent_dropout = options.recurrent_dropout};
    options.bidirectional ? stack.Add(Bidirectional(layer)) : stack.Add(layer);
  }
  if (options.pooling != StatePooling::kLast) {
    options.pooling == StatePooling::kAverage ? stack.Add(GlobalAveragePooling1DLayer{})
                                              : stack.Add(GlobalMaxPooling1DLayer{});
  }
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
