#include "training/recurrent_layers.h"

namespace seqgraph {

void AddRecurrentLayers(const RecurrentLayersOptions& options, bool sequences,
                        absl::FunctionRef<void(LayerKind)> add) {
  const bool all_states = sequences || options.pooling != StatePooling::kLast;
  for (int64_t i = 0; i < options.layers; ++i) {
    const RecurrentLayer layer{.cell = options.cell,
                               .units = options.units,
                               .return_sequences = all_states || i + 1 < options.layers,
                               .dropout = options.dropout,
                               .recurrent_dropout = options.recurrent_dropout};
    options.bidirectional ? add(Bidirectional(layer)) : add(layer);
  }
  if (sequences || options.pooling == StatePooling::kLast) return;
  options.pooling == StatePooling::kAverage ? add(GlobalAveragePooling1DLayer{})
                                            : add(GlobalMaxPooling1DLayer{});
}

}  // namespace seqgraph
