#pragma once

// A model as a stack or graph of layers, as data: a layer is a class and its settings, as a node is
// an op and its attributes. What a class means is known to layers/ alone.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "graph/function.h"

namespace seqgraph {

/// A penalty added to the loss: l1 sum |w| + l2 sum w^2.
struct Regularizer {
  double l1 = 0;
  double l2 = 0;
  // Not trivial: of types that copy without throwing, or move so, libstdc++ 12 takes a variant to
  // hold always one (as LayerSetting would), and destroys what is none where memory ends in a copy.
  constexpr ~Regularizer() {}
  bool present() const { return l1 != 0 || l2 != 0; }
  friend bool operator==(const Regularizer&, const Regularizer&) = default;
};

struct Layer;

/// What a setting of a layer can be. Layers: those that a wrapper holds.
using LayerSetting = std::variant<int64_t, double, bool, std::string, Initializer, Regularizer,
                                  std::vector<Layer>, std::vector<int64_t>, std::vector<double>>;

/// The class of a layer with its settings. Usually made from the struct of a class, which has a
/// name and a default for each setting: `LayerKind kind = DenseLayer{.units = 4};`
struct LayerKind {
  LayerKind();
  LayerKind(const LayerKind&);
  LayerKind(LayerKind&&) noexcept;
  LayerKind& operator=(const LayerKind&);
  LayerKind& operator=(LayerKind&&) noexcept;
  ~LayerKind();
  /// From a struct whose fields layers/layer_fields.h can list.
  template <typename T>
  requires requires(const T& layer, LayerKind& kind) { FillLayerKind(layer, kind); }
  LayerKind(const T& layer) { FillLayerKind(layer, *this); }

  std::string class_name;  ///< Keras's: "Dense"
  std::map<std::string, LayerSetting, std::less<>> settings;
};

struct Layer {
  std::string name;       ///< unique in the stack; the prefix of its variables
  bool trainable = true;  ///< false: its weights are frozen
  LayerKind kind;
  friend bool operator==(const Layer& a, const Layer& b);
};

bool operator==(const LayerKind& a, const LayerKind& b);

/// What a stack takes, without the batch: tokens int32 [time], or with `features` float32
/// [time, features], and with time 0 float32 [features]. Extents `between` those two make it
/// [time, between..., features], as a sequence of sequences is.
struct LayerInput {
  std::string name = "tokens";
  int64_t time = 0;
  std::optional<int64_t> features;
  std::vector<int64_t> between = {};
  /// Any length of sequences would do: `time` is the one that was taken.
  bool open_time = false;
  /// Rows of every batch, where that is fixed: stateful layers need it.
  std::optional<int64_t> batch;
  friend bool operator==(const LayerInput&, const LayerInput&) = default;
};

/// A value in a graph of layers: one of the outputs of a call, or without a call an input.
struct LayerValue {
  int call = -1;   ///< which, -1: none
  int output = 0;  ///< of the call; without one: which input of the graph
  friend bool operator==(const LayerValue&, const LayerValue&) = default;
};

/// How a call takes the masks of its inputs, where versions of Keras differ.
enum class CallMasks {
  kKeras3,
  kKeras2,
  /// As if there were none. (So Keras 3 calls a recurrent layer that is given states.)
  kIgnored,
  /// As if there were none, and none is handed on: an operation on tensors that is no layer.
  kDropped,
};

/// A layer applied to values. One that is called twice has the same weights in both calls.
struct LayerCall {
  int layer = 0;  ///< which
  std::vector<LayerValue> inputs;
  CallMasks masks = CallMasks::kKeras3;
  friend bool operator==(const LayerCall&, const LayerCall&) = default;
};

/// A whole stack, first layer first: each takes what the one in front gives. With `calls`, a graph:
/// they say which layer takes what, each only what stands in front of it.
struct LayerStack {
  std::string name = "sequential";
  LayerInput input;
  std::vector<Layer> layers;
  std::vector<LayerInput> more_inputs = {};  ///< of a graph, behind `input`
  std::vector<LayerCall> calls = {};
  std::vector<LayerValue> outputs = {};  ///< of a graph

  bool is_graph() const { return !calls.empty(); }
  friend bool operator==(const LayerStack&, const LayerStack&) = default;
};

/// No extent of a layer or of a stack's input is larger: far beyond any use, and small enough for
/// products of sizes.
inline constexpr int64_t kMaxLayerExtent = 1 << 24;
/// A stack has at most this many layers, and calls, inputs and outputs each; a layer this many
/// below each other.
inline constexpr int kMaxStackLayers = 1000;
inline constexpr int kMaxLayerDepth = 8;

}  // namespace seqgraph
