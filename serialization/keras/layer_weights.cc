#include "serialization/keras/layer_weights.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"

namespace seqgraph::keras {
namespace {

// Walks a graph as Keras does; an input counts as a layer that is called once.
class GraphWalk {
 public:
  explicit GraphWalk(const LayerStack& stack) : stack_(stack) {}

  std::vector<int> Run() {
    for (const LayerValue& output : stack_.outputs) Visit(output);
    // Calls behind those that read them, so that depths are known when they are passed on.
    for (size_t i = visited_.size(); i-- > 0;) {
      const int call = visited_[i];
      const int layer = LayerOf(call);
      const int depth = std::max(call_depth_[call], layer_depth_[layer]);
      call_depth_[call] = layer_depth_[layer] = depth;
      if (call < 0) continue;
      for (const LayerValue& value : stack_.calls[call].inputs) {
        int& below = call_depth_[Key(value)];
        below = std::max(below, depth + 1);
      }
    }
    const int inputs = 1 + static_cast<int>(stack_.more_inputs.size());
    for (int i = 0; i < inputs; ++i) {  // those that nothing reads
      if (rank_.emplace(-1 - i, -1).second) layer_depth_[-1 - i] = 0;
    }
    std::vector<int> order;
    for (const auto& [layer, rank] : rank_) order.push_back(layer);
    std::stable_sort(order.begin(), order.end(), [this](int a, int b) {
      const int depth_a = layer_depth_.at(a), depth_b = layer_depth_.at(b);
      return depth_a != depth_b ? depth_a > depth_b : rank_.at(a) < rank_.at(b);
    });
    return order;
  }

 private:
  static int Key(const LayerValue& value) {
    return value.call < 0 ? -1 - value.output : value.call;
  }
  int LayerOf(int call) const { return call < 0 ? call : stack_.calls[call].layer; }

  void Visit(const LayerValue& value) {
    const int call = Key(value);
    if (!met_.insert(call).second) return;
    rank_.emplace(LayerOf(call), static_cast<int>(rank_.size()));
    if (call >= 0) {
      for (const LayerValue& input : stack_.calls[call].inputs) Visit(input);
    }
    visited_.push_back(call);
  }

  const LayerStack& stack_;
  std::set<int> met_;
  std::vector<int> visited_;
  std::map<int, int> rank_;  // of layers, as they were met
  std::map<int, int> call_depth_, layer_depth_;
};

}  // namespace

std::vector<int> KerasOrder(const LayerStack& stack) {
  if (stack.is_graph()) return GraphWalk(stack).Run();
  std::vector<int> order(stack.layers.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

absl::StatusOr<std::vector<LayerWeights>> WeightsOf(const LayerStack& stack,
                                                    const LayerRegistry& registry,
                                                    const std::vector<LayerPlace>& places) {
  SEQ_ASSIGN_OR_RETURN(EmittedStack emitted, DescribeStack(stack, registry));
  std::vector<LayerWeights> all;
  std::map<std::string, int> used;
  std::vector<int> order(emitted.layers.size());
  std::iota(order.begin(), order.end(), 0);
  if (places.empty()) order = KerasOrder(stack);
  for (const int i : order) {
    if (i < 0) continue;
    EmittedLayer& layer = emitted.layers[i];
    if (!layer.def->keras.exists) continue;
    const std::string group = layer.def->default_name();
    const int number = used[group]++;
    LayerWeights& to = all.emplace_back();
    to.layer = layer.name;
    to.group = number == 0 ? group : absl::StrCat(group, "_", number);
    to.legacy = layer.name;
    if (!places.empty()) {
      to.group = places[i].group;
      to.legacy = places[i].legacy;
    }
    to.stores = std::move(layer.stores);
    to.counts = std::move(layer.counts);
    for (Weight& weight : layer.weights) {
      if (!weight.state) to.weights.push_back(std::move(weight));
    }
  }
  return all;
}

absl::Status CheckMasksInKeras2(const LayerStack& stack, const LayerRegistry& registry,
                                absl::string_view way_out) {
  constexpr std::array<absl::string_view, 3> kDropped = {"Identity", "Normalization", "Rescaling"};
  SEQ_ASSIGN_OR_RETURN(const EmittedStack emitted, DescribeStack(stack, registry));
  const std::vector<LayerCall> calls = CallsOf(stack);
  for (size_t i = 0; i < calls.size(); ++i) {
    const Layer& layer = stack.layers[calls[i].layer];
    if (!emitted.calls[i][0].mask.present() ||
        std::find(kDropped.begin(), kDropped.end(), layer.kind.class_name) == kDropped.end()) {
      continue;
    }
    return Unimplemented("layer ", layer.name, ": Keras 2 hands no mask on behind it, Keras 3 and ",
                         "this program do; ", way_out);
  }
  return absl::OkStatus();
}

std::vector<Weight> AllWeights(const std::vector<LayerWeights>& layers) {
  std::vector<Weight> all;
  for (const LayerWeights& layer : layers) {
    all.insert(all.end(), layer.weights.begin(), layer.weights.end());
  }
  return all;
}

}  // namespace seqgraph::keras
