#include "graph/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Memory for `bytes` bytes, null if there is none: not for zero bytes, because null means absent.
void* AllocateAligned(int64_t bytes) {
  const size_t rounded = (static_cast<size_t>(bytes) / Tensor::kAlignment + 1) * Tensor::kAlignment;
  return std::aligned_alloc(Tensor::kAlignment, rounded);
}

}  // namespace

Tensor::Tensor() : Tensor(TensorType{DType::kFloat32, Shape{0}}) {}

Tensor::Tensor(TensorType type) : type_(std::move(type)) {
  SEQ_CHECK(type_.shape.is_static() && type_.shape.Validate().ok());
  data_.reset(AllocateAligned(num_bytes()));
  if (data_ == nullptr) throw std::bad_alloc();
}

Tensor::Tensor(const Tensor& other) : Tensor(CopyOf(other.type_, other.data())) {}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this == &other) return *this;
  return *this = Tensor(other);
}

Tensor Tensor::CopyOf(TensorType type, const void* data) {
  Tensor tensor(std::move(type));
  if (tensor.num_bytes() > 0) std::memcpy(tensor.data(), data, tensor.num_bytes());
  return tensor;
}

absl::StatusOr<Tensor> Tensor::Zeros(TensorType type) {
  SEQ_RETURN_IF_ERROR(type.shape.Validate());
  if (!type.shape.is_static()) {
    return InvalidArgument("a tensor needs a static shape, got ", type.shape.ToString());
  }
  Tensor tensor;
  const int64_t bytes = type.num_bytes();
  void* memory = AllocateAligned(bytes);
  if (memory == nullptr) {
    return ResourceExhausted("no memory for ", bytes, " bytes of ", type.ToString());
  }
  tensor.type_ = std::move(type);
  tensor.data_.reset(memory);
  std::memset(memory, 0, bytes);
  return tensor;
}

Tensor Tensor::Cast(DType dtype) const {
  Tensor result(TensorType{dtype, shape()});
  VisitElementType(this->dtype(), [&](auto from) {
    VisitElementType(dtype, [&](auto to) {
      const auto source = Elements<decltype(from)>();
      std::transform(source.begin(), source.end(), result.Elements<decltype(to)>().begin(),
                     CastElement<decltype(to), decltype(from)>);
    });
  });
  return result;
}

bool Tensor::BitwiseEquals(const Tensor& other) const {
  return type_ == other.type_ && std::memcmp(data(), other.data(), num_bytes()) == 0;
}

double LargestFiniteMagnitude(const Tensor& tensor) {
  const Tensor real = tensor.dtype() == DType::kFloat64 ? tensor : tensor.Cast(DType::kFloat64);
  double largest = 0;
  for (const double x : real.Elements<double>()) {
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  }
  return largest;
}

}  // namespace seqgraph
