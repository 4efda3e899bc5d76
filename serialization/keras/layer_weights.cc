#include "serialization/keras/layer_weights.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"

namespace seqgraph::keras {

absl::StatusOr<std::vector<LayerWeights>> WeightsOf(const LayerStack& stack,
                                                    const LayerRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(EmittedStack emitted, DescribeStack(stack, registry));
  std::vector<LayerWeights> all;
  std::map<std::string, int> used;
  for (EmittedLayer& layer : emitted.layers) {
    if (!layer.def->keras.exists) continue;
    const std::string group = layer.def->default_name();
    const int number = used[group]++;
    LayerWeights& to = all.emplace_back();
    to.layer = layer.name;
    to.group = number == 0 ? group : absl::StrCat(group, "_", number);
    to.stores = std::move(layer.stores);
    for (Weight& weight : layer.weights) {
      if (!weight.state) to.weights.push_back(std::move(weight));
    }
  }
  return all;
}

std::vector<Weight> AllWeights(const std::vector<LayerWeights>& layers) {
  std::vector<Weight> all;
  for (const LayerWeights& layer : layers) {
    all.insert(all.end(), layer.weights.begin(), layer.weights.end());
  }
  return all;
}

}  // namespace seqgraph::keras
