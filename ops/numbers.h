#pragma once

// Ops on operands of any element type (TypeRule::kNumber).

#include <type_traits>

#include "graph/op_def.h"

namespace seqgraph::ops {

/// The computation compute(T{}, context) of an op, with T the element type of input `input`.
template <typename F>
ReferenceFunction ByType(F compute, int input = 0) {
  return [=](const ReferenceContext& c) -> absl::Status {
    return VisitElementType(c.input_type(input).dtype, [&](auto zero) { return compute(zero, c); });
  };
}

/// a + b, a - b and a b of integers wrap around, as two's complement does.
template <typename T>
T WrappingAdd(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  } else {
    return a + b;
  }
}
template <typename T>
T WrappingSubtract(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  } else {
    return a - b;
  }
}
template <typename T>
T WrappingMultiply(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  } else {
    return a * b;
  }
}

}  // namespace seqgraph::ops
