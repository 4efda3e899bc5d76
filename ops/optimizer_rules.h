#ifndef SEQGRAPH_OPS_OPTIMIZER_RULES_H_
#define SEQGRAPH_OPS_OPTIMIZER_RULES_H_

// What the optimizer updates share: w is the variable, g its gradient, lr the learning rate; slots
// have the shape of w and may be absent.

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "base/status_macros.h"
#include "graph/op_def.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {

/// C1 (g has the shape of w), C2 (lr is a scalar) and C3 (each slot that is there has the shape of
/// w), for inputs w, g, lr. Gives one type for each output: that of w.
inline Types UpdateTypes(const ShapeContext& c, int num_outputs,
                         std::initializer_list<std::pair<const char*, int>> slots) {
  SEQ_RETURN_IF_ERROR(CheckShape("C1", "g", c.shape(1), "the shape of w", c.shape(0)));
  SEQ_RETURN_IF_ERROR(CheckScalar("C2", "lr", c.shape(2)));
  for (const auto& [name, input] : slots) {
    if (!c.has_input(input)) continue;
    SEQ_RETURN_IF_ERROR(CheckShape("C3", name, c.shape(input), "the shape of w", c.shape(0)));
  }
  return std::vector<TensorType>(num_outputs, c.type(0));
}

/// A slot that the attributes do not use: its new content is the old one, or zeros if it is absent.
template <typename T>
void KeepSlot(TensorView<const T> slot, TensorView<T> new_slot) {
  if (!new_slot) return;
  for (int64_t i = 0; i < new_slot.size(); ++i) new_slot[i] = slot ? slot[i] : T{0};
}

/// Writes only where somebody wants it.
template <typename T>
void Store(TensorView<T> view, int64_t i, T value) {
  if (view) view[i] = value;
}

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_OPTIMIZER_RULES_H_
