#pragma once

// Shorthand for the examples, rejections and samples of op definitions. Example tensors of reals
// are float64, as those of samples are, and are rounded where they are used in float.

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "graph/op_def.h"
#include "graph/shape.h"
#include "graph/tensor.h"

namespace seqgraph::ops {

/// Float64 and int32 literals, a real scalar, a counter.
Tensor Reals(const Shape& shape, std::initializer_list<double> elements);
Tensor Ids(const Shape& shape, std::initializer_list<int32_t> elements);
Tensor RealScalar(double value);
Tensor CounterScalar(int64_t value);

/// A value of an attribute of kind ints.
AttributeValue Ints(std::vector<int64_t> values);

/// Types for rejections: float32, int32, int64.
TensorType RealType(const Shape& shape);
TensorType IndexType(const Shape& shape);
TensorType CounterType(const Shape& shape = {});

/// A shape of random rank in [min_rank, max_rank] and random extents.
Shape RandomShape(SampleSource& source, int min_rank, int max_rank);

}  // namespace seqgraph::ops
