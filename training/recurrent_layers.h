#pragma once

// Recurrent layers one above the other, as models of texts and of series have them.

#include <cstdint>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "training/sequential.h"

namespace seqgraph {

/// Which states of the last recurrent layer the answer is told from.
enum class StatePooling { kLast, kAverage, kMax };

struct RecurrentLayersOptions {
  std::string cell = "LSTM";   ///< the class of the layers: one of RecurrentCells()
  int64_t units = 32;          ///< of each layer, in each direction
  int64_t layers = 1;          ///< each over all states of the one before
  bool bidirectional = false;  ///< each of them
  double dropout = 0;          ///< of the inputs of each of them
  double recurrent_dropout = 0;
  StatePooling pooling = StatePooling::kLast;
};

/// Adds them one by one and, unless `sequences` are to be handed on, the pooling.
void AddRecurrentLayers(const RecurrentLayersOptions& options, bool sequences,
                        absl::FunctionRef<void(LayerKind)> add);
inline void AddRecurrentLayers(const RecurrentLayersOptions& options, bool sequences,
                               Sequential& stack) {
  AddRecurrentLayers(options, sequences,
                     [&stack](LayerKind layer) { stack.Add(std::move(layer)); });
}

}  // namespace seqgraph
