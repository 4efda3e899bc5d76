#pragma once

// Models in Keras's configurations, Sequential and Functional, one in another too.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "serialization/keras/config.h"
#include "serialization/keras/layer_config.h"

namespace seqgraph::keras {

/// A value by the entry that gives it, the number of that entry's call, and which output it is.
struct ValueRef {
  std::string entry;
  int call = 0;
  int output = 0;
};

/// One call of an entry.
struct EntryCall {
  std::vector<ValueRef> inputs;
  bool has_mask = false;    ///< a mask is among what it is given
  bool has_states = false;  ///< and so are states
};

struct ModelConfig;

/// A layer of a model, a model in it, an input, or an operation that is no layer.
struct EntryConfig {
  std::string name;
  std::string class_name;
  const Json* json = nullptr;
  std::unique_ptr<ModelConfig> model;
  std::vector<EntryCall> calls;
  /// Of an operation, without `json`: the layer that does the same, or why none is known.
  absl::StatusOr<LayerKind> operation = absl::UnknownError("no operation");
  bool is_input() const { return class_name == "InputLayer"; }
};

/// What a model's configuration says of its wiring; a Sequential one's is a chain.
struct ModelConfig {
  std::string name;
  bool trainable = true;
  std::vector<EntryConfig> entries;  ///< in Keras's order of layers
  std::vector<ValueRef> inputs;
  std::vector<ValueRef> outputs;
  /// The shape of the input where no input layer has it; null: not said.
  const Json* shape = nullptr;
};

/// [entry, call, output, ...].
absl::StatusOr<ValueRef> ReadRef(const Json& json);
/// {"class_name": "Sequential" or "Functional", "config": ...}, of whose text it holds pointers.
/// InvalidArgument or Unimplemented, naming the entry, for what is malformed or not known here.
absl::StatusOr<ModelConfig> ParseModelConfig(const Json& json, const LayerReading& reading);
/// Whether an object is such a model.
bool IsModelConfig(const Json& json);
/// A model whose layers are a chain, as the configuration of a Sequential one that lists them
/// without its input: a model as one layer of a wrapper. Unimplemented for one that is no chain.
absl::StatusOr<Json> ChainOf(const Json& json, const LayerReading& reading);

}  // namespace seqgraph::keras
