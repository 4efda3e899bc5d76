#pragma once

// Reference computations element by element. Each element is read before it is written, so the
// output may be the memory of an input.

#include "graph/op_def.h"

namespace seqgraph::ops {

/// output 0 [i] = f(input 0 [i])
template <typename T, typename F>
absl::Status MapUnary(const ReferenceContext& c, F f) {
  const auto a = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  for (int64_t i = 0; i < y.size(); ++i) y[i] = f(a[i]);
  return absl::OkStatus();
}

/// output 0 [i] = f(input 0 [i], input 1 [i])
template <typename T, typename F>
absl::Status MapBinary(const ReferenceContext& c, F f) {
  const auto a = c.input<T>(0);
  const auto b = c.input<T>(1);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  for (int64_t i = 0; i < y.size(); ++i) y[i] = f(a[i], b[i]);
  return absl::OkStatus();
}

}  // namespace seqgraph::ops
