#include "ops/examples.h"

#include <utility>

namespace seqgraph::ops {

Tensor Reals(const Shape& shape, std::initializer_list<double> elements) {
  return Tensor::Of<double>(shape, elements);
}

Tensor Ids(const Shape& shape, std::initializer_list<int32_t> elements) {
  return Tensor::Of<int32_t>(shape, elements);
}

Tensor RealScalar(double value) { return Tensor::Scalar<double>(value); }

Tensor CounterScalar(int64_t value) { return Tensor::Scalar<int64_t>(value); }

AttributeValue Ints(std::vector<int64_t> values) { return AttributeValue(std::move(values)); }

TensorType RealType(const Shape& shape) { return {DType::kFloat32, shape}; }

TensorType IndexType(const Shape& shape) { return {DType::kInt32, shape}; }

TensorType CounterType(const Shape& shape) { return {DType::kInt64, shape}; }

Shape RandomShape(SampleSource& source, int min_rank, int max_rank) {
  Shape shape;
  for (int64_t rank = source.Int(min_rank, max_rank); rank > 0; --rank) {
    shape.Append(source.Dimension());
  }
  return shape;
}

}  // namespace seqgraph::ops
