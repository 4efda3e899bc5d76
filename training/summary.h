#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"

namespace seqgraph {

/// A layer of `predict`.
struct LayerRow {
  std::string name;          ///< "simple_rnn"
  std::string type;          ///< as Keras calls its class: "SimpleRNN"
  std::string output_shape;  ///< "(None, 8)"
  int64_t parameters = 0;
};

/// The layers of the stack that `predict` is (RecognizeStack), but for those that Keras does not
/// have: one-hot words are its input. Of a function that is no stack the nodes that read weights,
/// by the folder of their weights and the op; a weight that several nodes read counts for the
/// first. NotFound if the model has no function `predict`.
absl::StatusOr<std::vector<LayerRow>> Layers(const Model& model);

struct SummaryOptions {
  /// Columns of the terminal; the table takes 4 fewer, at most 88.
  int columns = 92;
  /// Count the state of the optimizer too, as Keras does once a model has been trained.
  bool with_optimizer = false;
};

/// The table of layers and the totals as Keras 3 prints them, each line ended.
absl::StatusOr<std::string> Summary(const Model& model, const SummaryOptions& options = {});

/// "4,081".
std::string WithThousands(int64_t number);
/// "15.94 KB": bytes below 1024, then by powers of it up to PB, two decimals.
std::string ReadableBytes(int64_t bytes);

}  // namespace seqgraph
