#pragma once

// What the optimizer updates share: w is the variable, g its gradient, lr the learning rate; slots
// have the shape of w and may be absent.

#include <string>
#include <utility>

#include "graph/op_def.h"

namespace seqgraph::ops {

inline InputDef UpdateInput(std::string name, std::string doc, bool optional = false) {
  return {.name = std::move(name),
          .doc = std::move(doc),
          .optional = optional,
          .differentiable = false};
}

/// C5 of what has the momentum slot as input `m`.
inline auto MomentumNeedsSlot(int m) {
  return [m](OpDef& op) {
    op.Require("C5", "momentum > 0 needs m", [m](const ShapeContext& c) {
      const bool needed = c.attributes().GetFloat("momentum") > 0;
      return needed && !c.has_input(m) ? "momentum > 0 needs m" : "";
    });
  };
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
