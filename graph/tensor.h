#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "graph/dtype.h"
#include "graph/shape.h"

namespace seqgraph {

/// A dense row-major array that owns its elements, aligned to 64 bytes. A value type: a copy copies
/// the elements. A default-constructed tensor is an empty float32 vector.
class Tensor {
 public:
  static constexpr size_t kAlignment = 64;

  Tensor();
  Tensor(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(const Tensor& other);
  Tensor& operator=(Tensor&&) noexcept = default;

  /// A tensor of zeros. InvalidArgument if the shape is not static or beyond Shape's limits,
  /// ResourceExhausted if there is no memory for it.
  static absl::StatusOr<Tensor> Zeros(TensorType type);
  /// A tensor of that type, whose shape must be static (checked), with the elements at `data`.
  static Tensor CopyOf(TensorType type, const void* data);

  /// A tensor with the given elements; their number must be that of the shape (checked).
  template <typename T>
  static Tensor Of(const Shape& shape, absl::Span<const T> elements);
  template <typename T>
  static Tensor Of(const Shape& shape, std::initializer_list<T> elements) {
    return Of<T>(shape, absl::MakeConstSpan(elements.begin(), elements.size()));
  }
  /// A rank-0 tensor.
  template <typename T>
  static Tensor Scalar(T value) {
    return Of<T>(Shape{}, {value});
  }

  const TensorType& type() const { return type_; }
  DType dtype() const { return type_.dtype; }
  const Shape& shape() const { return type_.shape; }
  int64_t num_elements() const { return type_.shape.num_elements(); }
  int64_t num_bytes() const { return type_.num_bytes(); }

  void* data() { return data_.get(); }
  const void* data() const { return data_.get(); }
  /// The elements; T must be the tensor's own type (checked).
  template <typename T>
  absl::Span<T> Elements() {
    SEQ_CHECK(DTypeOf<T> == dtype());
    return absl::MakeSpan(static_cast<T*>(data()), num_elements());
  }
  template <typename T>
  absl::Span<const T> Elements() const {
    SEQ_CHECK(DTypeOf<T> == dtype());
    return absl::MakeConstSpan(static_cast<const T*>(data()), num_elements());
  }

  /// Elements converted one by one to `dtype`: to a real type rounded to nearest, ties to even;
  /// from a real type to an integer truncated, with NaN giving 0 and what is out of range the
  /// nearest limit; from int64 to int32 the low 32 bits.
  Tensor Cast(DType dtype) const;
  /// True if types agree and all bytes are equal (so NaN equals itself, +0 differs from -0).
  bool BitwiseEquals(const Tensor& other) const;

 private:
  explicit Tensor(TensorType type);
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  TensorType type_;
  std::unique_ptr<void, Free> data_;
};

/// One for each of several inputs or outputs; nullopt: an absent input, an output not looked at.
using OptionalTensors = std::vector<std::optional<Tensor>>;

/// The largest finite |x|; 0 for a tensor without one.
double LargestFiniteMagnitude(const Tensor& tensor);

/// One element converted as Tensor::Cast says; a plain static_cast of a real number that the
/// integer cannot hold is undefined.
template <typename To, typename From>
To CastElement(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // -min is 2^31 or 2^63: exact in float and double, unlike max.
    constexpr From kLimit = -static_cast<From>(std::numeric_limits<To>::min());
    if (std::isnan(x)) return 0;
    if (x >= kLimit) return std::numeric_limits<To>::max();
    if (x < -kLimit) return std::numeric_limits<To>::min();
  }
  return static_cast<To>(x);
}

template <typename T>
Tensor Tensor::Of(const Shape& shape, absl::Span<const T> elements) {
  Tensor tensor(TensorType{DTypeOf<T>, shape});
  SEQ_CHECK(tensor.num_elements() == static_cast<int64_t>(elements.size()));
  std::copy(elements.begin(), elements.end(), static_cast<T*>(tensor.data()));
  return tensor;
}

/// A typed window on elements owned by somebody else; what reference computations read and write.
/// `data` is null for an input that is absent or an output that nobody uses.
template <typename T>
struct TensorView {
  T* data = nullptr;
  Shape shape;

  explicit operator bool() const { return data != nullptr; }
  int64_t size() const { return shape.num_elements(); }
  int64_t dim(int i) const { return shape[i].size(); }
  T& operator[](int64_t i) const { return data[i]; }
};

}  // namespace seqgraph
