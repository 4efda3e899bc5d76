#pragma once

// A model as a stack of layers, as data: a layer is a class and its settings, as a node is an op
// and its attributes. What a class means is known to layers/ alone.

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
  bool present() const { return l1 != 0 || l2 != 0; }
  friend bool operator==(const Regularizer&, const Regularizer&) = default;
};

struct Layer;

/// What a setting of a layer can be. Layers: those that a wrapper holds.
using LayerSetting =
    std::variant<int64_t, double, bool, std::string, Initializer, Regularizer, std::vector<Layer>>;

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
/// [time, features].
struct LayerInput {
  std::string name = "tokens";
  int64_t time = 0;
  std::optional<int64_t> features;
  /// Rows of every batch, where that is fixed: stateful layers need it.
  std::optional<int64_t> batch;
  friend bool operator==(const LayerInput&, const LayerInput&) = default;
};

/// A whole stack, first layer first.
struct LayerStack {
  std::string name = "sequential";
  LayerInput input;
  std::vector<Layer> layers;
  friend bool operator==(const LayerStack&, const LayerStack&) = default;
};

/// No extent of a layer or of a stack's input is larger: far beyond any use, and small enough for
/// products of sizes.
inline constexpr int64_t kMaxLayerExtent = 1 << 24;
/// A stack has at most this many layers, a layer this many below each other.
inline constexpr int kMaxStackLayers = 1000;
inline constexpr int kMaxLayerDepth = 8;

}  // namespace seqgraph
