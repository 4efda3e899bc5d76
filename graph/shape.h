#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/dtype.h"

namespace seqgraph {

/// One extent of a shape: a number of elements, or the batch, which is known only when a function
/// is compiled. Converts from an integer, so that `Shape{Dim::Batch(), 100}` reads as it prints.
class Dim {
 public:
  constexpr Dim(int64_t size) : size_(size) {}  // NOLINT(google-explicit-constructor)
  static constexpr Dim Batch() { return Dim(kBatch); }

  constexpr bool is_batch() const { return size_ == kBatch; }
  /// The extent; only for a Dim that is not the batch.
  constexpr int64_t size() const { return size_; }
  friend constexpr bool operator==(Dim a, Dim b) { return a.size_ == b.size_; }
  friend constexpr bool operator!=(Dim a, Dim b) { return a.size_ != b.size_; }
  std::string ToString() const;

 private:
  // Far from what a wrong subtraction gives: Dim(-1) is a negative extent, which Validate refuses.
  static constexpr int64_t kBatch = std::numeric_limits<int64_t>::min();
  int64_t size_;
};

/// The extents of a tensor, outermost first; rank 0 is a scalar.
class Shape {
 public:
  static constexpr int kMaxRank = 8;
  /// More elements than this are refused everywhere: no real model needs them, and products of
  /// sizes stay far from overflow.
  static constexpr int64_t kMaxElements = int64_t{1} << 40;

  Shape() = default;
  Shape(std::initializer_list<Dim> dims) : dims_(dims) {}
  explicit Shape(absl::Span<const Dim> dims) : dims_(dims.begin(), dims.end()) {}

  int rank() const { return static_cast<int>(dims_.size()); }
  Dim operator[](int i) const { return dims_[i]; }
  /// The last extent; only for rank >= 1.
  Dim back() const { return dims_.back(); }
  absl::Span<const Dim> dims() const { return dims_; }
  void Append(Dim dim) { dims_.push_back(dim); }

  /// True if no extent is the batch.
  bool is_static() const;
  /// The shape with the batch set to `batch`.
  Shape Bind(int64_t batch) const;
  /// Product of the extents; 1 for a scalar. Only for a static, validated shape.
  int64_t num_elements() const;
  /// OK if rank, extents and their product are within the limits and nothing is negative.
  absl::Status Validate() const;

  /// "[batch, 100, 16]"; "[]" for a scalar.
  std::string ToString() const;
  friend bool operator==(const Shape& a, const Shape& b) { return a.dims_ == b.dims_; }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }

 private:
  absl::InlinedVector<Dim, 4> dims_;
};

/// A static shape seen along one axis: [outer, extent of the axis, inner].
struct AxisExtents {
  AxisExtents(const Shape& shape, int64_t axis) {
    for (int i = 0; i < shape.rank(); ++i) {
      (i < axis ? outer : i == axis ? extent : inner) *= shape[i].size();
    }
  }
  int64_t outer = 1, extent = 1, inner = 1;
};

/// Element type and shape of a value.
struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;

  /// "float32[batch, 100, 16]".
  std::string ToString() const;
  /// Bytes of the elements; only for a static, validated shape.
  int64_t num_bytes() const { return shape.num_elements() * SizeOf(dtype); }
  friend bool operator==(const TensorType& a, const TensorType& b) {
    return a.dtype == b.dtype && a.shape == b.shape;
  }
  friend bool operator!=(const TensorType& a, const TensorType& b) { return !(a == b); }
};

}  // namespace seqgraph
