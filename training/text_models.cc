#include "training/text_models.h"

#include <utility>

#include "training/sequential.h"

namespace seqgraph {

LayerStack TextStack(const TextModelOptions& options) {
  const bool with_numbers = options.numbers > 0;
  Functional graph(with_numbers ? "functional" : "sequential");
  LayerValue value = graph.Input({.time = options.maxlen});
  const auto add = [&](LayerKind layer) { value = graph.Add(std::move(layer), {value}); };
  if (options.one_hot) {
    add(OneHotLayer{.depth = options.num_words});
  } else {
    add(EmbeddingLayer{.input_dim = options.num_words,
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
                     /*sequences=*/options.each_step, add);
  if (with_numbers) {
    LayerValue numbers = graph.Input({.name = kNumbers, .features = options.numbers});
    if (!options.number_scale.empty()) {
      NormalizationLayer scaling{.mean = options.number_offset};
      for (const double scale : options.number_scale) scaling.variance.push_back(scale * scale);
      numbers = graph.Add(scaling, {numbers});
    }
    value = graph.Add(ConcatenateLayer{}, {value, numbers});
  }
  const bool one_number = options.classes == 2 && !options.each_step;
  add(one_number ? DenseLayer{.units = 1, .activation = "sigmoid"}
                 : DenseLayer{.units = options.classes, .activation = "softmax"});
  graph.Outputs({value});
  return graph.stack();
}

Loss TextLoss(int64_t classes) {
  return classes == 2 ? BinaryCrossEntropy() : SparseCategoricalCrossEntropy();
}

absl::StatusOr<Model> MakeTextModel(const TextModelOptions& options, TrainableOptions trainable) {
  trainable.loss = options.each_step ? SparseCategoricalCrossEntropy() : TextLoss(options.classes);
  return BuildModel(TextStack(options), trainable);
}

}  // namespace seqgraph
