#pragma once

// Elements that go from one tensor to another by strides: slices, permutations, repetitions.

#include <algorithm>
#include <array>
#include <cstdint>

#include "graph/op_def.h"
#include "ops/numbers.h"

namespace seqgraph::ops {

/// Where the element [i0, i1, ..] of one tensor lies in another: first + sum of i_d strides[d].
struct Strided {
  Strided() = default;
  /// In itself, row-major.
  explicit Strided(const Shape& shape) {
    int64_t size = 1;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      strides[d] = size;
      size *= shape[d].size();
    }
  }

  int64_t first = 0;
  std::array<int64_t, Shape::kMaxRank> strides{};
};

/// Calls f(i, j) for each element i of a tensor of that shape, in order, which is element j of the
/// other one.
template <typename F>
void ForEachStrided(const Shape& shape, const Strided& other, F f) {
  std::array<int64_t, Shape::kMaxRank> index{};
  const int64_t n = shape.num_elements();
  int64_t j = other.first;
  for (int64_t i = 0; i < n; ++i) {
    f(i, j);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      j += other.strides[d];
      if (++index[d] < shape[d].size()) break;
      j -= other.strides[d] * index[d];
      index[d] = 0;
    }
  }
}

/// The computation of an op whose output 0 takes its elements, of any type, from input 0.
template <typename StridedOf>
ReferenceFunction TakeStrided(StridedOf strided_of) {
  return ByType([strided_of](auto zero, const ReferenceContext& c) {
    const auto x = c.input<decltype(zero)>(0);
    const auto y = c.output<decltype(zero)>(0);
    if (y) ForEachStrided(y.shape, strided_of(c), [&](int64_t i, int64_t j) { y[i] = x[j]; });
    return absl::OkStatus();
  });
}

/// Its cost where it takes a part of the input, which alone is read.
inline OpCost TakenCost(const CostContext& c) {
  OpCost cost = c.Moving(0, {});
  cost.bytes_read = c.output_bytes(0);
  return cost;
}

/// The way back: the elements of input 0 go into output 0, which is 0 elsewhere.
template <typename StridedOf>
ReferenceFunction PutStrided(StridedOf strided_of) {
  return ByType([strided_of](auto zero, const ReferenceContext& c) {
    const auto dy = c.input<decltype(zero)>(0);
    const auto dx = c.output<decltype(zero)>(0);
    if (!dx) return absl::OkStatus();
    std::fill_n(dx.data, dx.size(), zero);
    ForEachStrided(dy.shape, strided_of(c), [&](int64_t i, int64_t j) { dx[j] = dy[i]; });
    return absl::OkStatus();
  });
}

}  // namespace seqgraph::ops
