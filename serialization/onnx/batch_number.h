#pragma once

// The batch among the elements of known tensors: what exporters compute of shapes is computed when
// a model is imported, though the batch is a number only when a function is compiled. An element
// may stand for the batch, or for a multiple of it, as [batch, time, ..] flattened has.

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/shape.h"
#include "graph/tensor.h"

namespace seqgraph::onnx {

/// Multiples beyond this are refused.
inline constexpr int64_t kMaxBatchFactor = int64_t{1} << 20;

/// The element that stands for `factor` times the batch, in [1, kMaxBatchFactor]. No element of a
/// file may be one of these, so they are numbers that nobody writes, apart by what float32 tells
/// apart there. (Not the smallest integers, which exporters write for an open end.)
template <typename T>
constexpr T BatchNumber(int64_t factor = 1) {
  constexpr int64_t kFirst = sizeof(T) == 8 && T(0.5) == 0 ? -0x5EED'1A2B'3C4D'5E80 : -0x4D5E'5D80;
  return static_cast<T>(kFirst + (factor - 1) * 128);
}
inline constexpr int64_t kBatchElement = BatchNumber<int64_t>();

/// Which multiple of the batch an element stands for; 0: it is a number.
template <typename T>
constexpr int64_t BatchFactor(T x) {
  if (!(x >= BatchNumber<T>() && x <= BatchNumber<T>(kMaxBatchFactor))) return 0;
  const auto above = static_cast<int64_t>(x - BatchNumber<T>());
  return static_cast<T>(above) == x - BatchNumber<T>() && above % 128 == 0 ? above / 128 + 1 : 0;
}

/// True if some element stands for the batch.
bool HoldsBatch(const Tensor& tensor);
/// Tensor::Cast, but that the batch stays the batch.
Tensor CastWithBatch(const Tensor& tensor, DType dtype);

/// What one of our binary ops gives for two tensors of one type and shape that hold the batch,
/// which is at least 1: x + 0, 3 x, x / x, 0 < x and the like. Unimplemented where it depends on
/// the number.
absl::StatusOr<Tensor> ComputeWithBatch(absl::string_view op, const Tensor& a, const Tensor& b);
/// The product of all elements, a scalar.
absl::StatusOr<Tensor> ProductWithBatch(const Tensor& x);

/// Elements of a shape but for the batch, and how often the batch is there.
struct ElementCount {
  explicit ElementCount(const Shape& shape);
  int64_t product = 1;
  int batches = 0;
};

/// "it computes with the batch as a number ..."
absl::Status BatchIsNoNumber();

}  // namespace seqgraph::onnx
