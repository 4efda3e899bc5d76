#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

/// Element types of tensors. Numbers are those written to files; never reuse one.
enum class DType : uint8_t {
  kFloat32 = 1,  ///< parameters and activations
  kFloat64 = 2,  ///< the same functions evaluated as the oracle
  kInt32 = 3,    ///< tokens and class indices
  kInt64 = 4,    ///< step counters
};

/// Bytes of one element.
int64_t SizeOf(DType dtype);

/// "float32", "float64", "int32", "int64".
absl::string_view DTypeName(DType dtype);

/// The inverse of DTypeName; InvalidArgument for any other text.
absl::StatusOr<DType> ParseDType(absl::string_view name);

/// True for float32 and float64.
constexpr bool IsReal(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }

/// The DType of a C++ element type: DTypeOf<float> == DType::kFloat32.
template <typename T>
inline constexpr DType DTypeOf = DType{};
template <>
inline constexpr DType DTypeOf<float> = DType::kFloat32;
template <>
inline constexpr DType DTypeOf<double> = DType::kFloat64;
template <>
inline constexpr DType DTypeOf<int32_t> = DType::kInt32;
template <>
inline constexpr DType DTypeOf<int64_t> = DType::kInt64;

/// visit(T{}) for the C++ element type T of `dtype`.
template <typename F>
auto VisitElementType(DType dtype, F visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(float{});
    case DType::kFloat64:
      return visit(double{});
    case DType::kInt32:
      return visit(int32_t{});
    case DType::kInt64:
      break;
  }
  return visit(int64_t{});
}

}  // namespace seqgraph
