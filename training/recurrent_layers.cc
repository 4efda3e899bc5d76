#include "training/recurrent_layers.h"

namespace seqgraph {

void AddRecurrentLayers(const RecurrentLayersOptions& options, bool sequences, Sequential& stack) {
  const bool all_states = sequences || options.pooling != StatePooling::kLast;
  for (int64_t i = 0; i < options.layers; ++i) {
    const RecurrentLayer layer{.cell = options.cell,
                               .units = options.units,
                               .return_sequences = all_states || i + 1 < options.layers,
                               .dropout = options.dropout,
                               .recurrent_dropout = options.recurrent_dropout};
    options.bidirectional ? stack.Add(Bidirectional(layer)) : stack.Add(layer);
  }
  if (sequences || options.pooling == StatePooling::kLast) return;
  options.pooling == StatePooling::kAverage ? stack.Add(GlobalAveragePooling1DLayer{})
                                            : stack.Add(GlobalMaxPooling1DLayer{});
}

}  // namespace seqgraph
