#ifndef SEQGRAPH_OPS_NUMBERS_H_
#define SEQGRAPH_OPS_NUMBERS_H_

// Ops on operands of any element type (TypeRule::kNumber).

#include <type_traits>

#include "graph/op_def.h"

namespace seqgraph::ops {

/// The computation of an op for each element type, chosen by that of input `input`.
inline ReferenceFunction ByType(ReferenceFunction in_float, ReferenceFunction in_double,
                                ReferenceFunction in_int32, ReferenceFunction in_int64,
                                int input = 0) {
  return [=](const ReferenceContext& c) -> absl::Status {
    switch (c.input_type(input).dtype) {
      case DType::kFloat32:
        return in_float(c);
      case DType::kFloat64:
        return in_double(c);
      case DType::kInt32:
        return in_int32(c);
      case DType::kInt64:
        return in_int64(c);
    }
    return absl::InternalError("unknown element type");
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

#endif  // SEQGRAPH_OPS_NUMBERS_H_
