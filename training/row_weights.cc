#include "training/row_weights.h"

#include <cstddef>

#include "base/status_macros.h"

namespace seqgraph {

absl::StatusOr<std::vector<float>> RowWeights(const Examples& train,
                                              const std::map<int32_t, double>& class_weights) {
  if (class_weights.empty()) {
    return std::vector<float>(train.weights.begin(), train.weights.end());
  }
  if (train.targets.empty()) {
    return InvalidArgument("fit: class_weights need examples with targets, in memory");
  }
  const size_t targets = train.targets.size(), given = train.weights.size();
  if (given > targets) {
    return InvalidArgument("fit: class_weights need a target for each weight; there are ", given,
                           " weights and ", targets, " targets");
  }
  if (!train.label_begin.empty() && given > 0 && given != targets) {
    return InvalidArgument("fit: class_weights of labels by steps need weights by steps");
  }
  std::vector<float> weights(targets, 1.0f);
  for (size_t i = 0; i < targets; ++i) {
    const auto found = class_weights.find(train.targets[i]);
    if (found != class_weights.end()) weights[i] = static_cast<float>(found->second);
    if (given > 0) weights[i] *= train.weights[i * given / targets];
  }
  return weights;
}

}  // namespace seqgraph
