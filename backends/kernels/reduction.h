#ifndef SEQGRAPH_BACKENDS_KERNELS_REDUCTION_H_
#define SEQGRAPH_BACKENDS_KERNELS_REDUCTION_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "graph/shape.h"

namespace seqgraph::kernels {

/// How the elements of a tensor are spread over those of a smaller one without some of its axes:
/// for reductions and broadcasts. The common cases (all axes, leading axes, trailing axes) are
/// told, so that they can be plain loops.
struct Reduction {
  int rank = 0;
  std::array<int64_t, Shape::kMaxRank> extent = {};
  std::array<int64_t, Shape::kMaxRank> stride = {};  ///< in the smaller tensor; 0 along the axes
  int64_t large = 1;
  int64_t small = 1;

  Reduction(const Shape& shape, const std::vector<int64_t>& axes) : rank(shape.rank()) {
    for (int d = rank - 1; d >= 0; --d) {
      extent[d] = shape[d].size();
      large *= extent[d];
      if (std::find(axes.begin(), axes.end(), d) != axes.end()) continue;
      stride[d] = small;
      small *= extent[d];
    }
  }

  /// True if the axes are the leading ones (of extents other than 1): large = [n, small].
  bool Leading() const {
    int64_t expected = 1;
    for (int d = rank - 1; d >= 0 && expected < small; --d) {
      if (extent[d] == 1) continue;
      if (stride[d] != expected) return false;
      expected *= extent[d];
    }
    return true;
  }
  /// True if the axes are the trailing ones: large = [small, n].
  bool Trailing() const {
    int64_t inner = 1;
    int d = rank - 1;
    for (; d >= 0 && stride[d] == 0; --d) inner *= extent[d];
    for (; d >= 0; --d) {
      if (stride[d] == 0 && extent[d] != 1) return false;
    }
    return inner * small == large;
  }

  /// Calls f(i, j) for each element i of the larger tensor, in order, and its place j in the
  /// smaller.
  template <typename F>
  void ForEach(F f) const {
    std::array<int64_t, Shape::kMaxRank> index = {};
    int64_t j = 0;
    for (int64_t i = 0; i < large; ++i) {
      f(i, j);
      for (int d = rank - 1; d >= 0; --d) {
        j += stride[d];
        if (++index[d] < extent[d]) break;
        j -= stride[d] * extent[d];
        index[d] = 0;
      }
    }
  }
};

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_REDUCTION_H_
