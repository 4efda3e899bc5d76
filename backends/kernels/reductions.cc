// Reductions, and the broadcasts that are their gradients.

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/reduction_loops.h"

namespace seqgraph::kernels {
namespace {

// How the elements of a tensor are spread over those of a smaller one without some of its axes:
// for reductions and broadcasts. The common cases (all axes, leading axes, trailing axes) are
// told, so that they can be plain loops.
struct Reduction {
  int rank = 0;
  std::array<int64_t, Shape::kMaxRank> extent = {};
  std::array<int64_t, Shape::kMaxRank> stride = {};  // in the smaller tensor; 0 along the axes
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

  // True if the axes are the leading ones (of extents other than 1): large = [n, small].
  bool Leading() const {
    int64_t expected = 1;
    for (int d = rank - 1; d >= 0 && expected < small; --d) {
      if (extent[d] == 1) continue;
      if (stride[d] != expected) return false;
      expected *= extent[d];
    }
    return true;
  }
  // True if the axes are the trailing ones: large = [small, n].
  bool Trailing() const {
    int64_t inner = 1;
    int d = rank - 1;
    for (; d >= 0 && stride[d] == 0; --d) inner *= extent[d];
    for (; d >= 0; --d) {
      if (stride[d] == 0 && extent[d] != 1) return false;
    }
    return inner * small == large;
  }

  // Calls f(i, j) for each element i of the larger tensor, in order, and its place j in the
  // smaller.
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

void Reduce(const Reduction& r, const float* x, void* scratch, float* y) {
  if (r.large == 0) {
    std::fill_n(y, r.small, 0.0f);
  } else if (r.Trailing()) {
    const int64_t n = r.large / r.small;
    for (int64_t i = 0; i < r.small; ++i) y[i] = static_cast<float>(SumLoop(x + i * n, n));
  } else if (r.Leading()) {
    SumRowsLoop(x, r.large / r.small, r.small, y);
  } else {
    double* sums = static_cast<double*>(scratch);
    std::fill_n(sums, r.small, 0.0);
    r.ForEach([&](int64_t i, int64_t j) { sums[j] += x[i]; });
    for (int64_t j = 0; j < r.small; ++j) y[j] = static_cast<float>(sums[j]);
  }
}

void Broadcast(const Reduction& r, const float* x, float* y) {
  if (r.large == 0) return;
  if (r.Trailing()) {
    const int64_t n = r.large / r.small;
    for (int64_t i = 0; i < r.small; ++i) std::fill_n(y + i * n, n, x[i]);
  } else if (r.Leading()) {
    for (int64_t i = 0; i < r.large; i += r.small) {
      std::memcpy(y + i, x, r.small * sizeof(float));
    }
  } else {
    r.ForEach([&](int64_t i, int64_t j) { y[i] = x[j]; });
  }
}

std::unique_ptr<Kernel> MakeBroadcast(const NodeContext& context, bool mean) {
  const Reduction r(context.input_shape(1), context.attributes().GetInts("axes"));
  return MakeLoop([r, mean](const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    Broadcast(r, In<float>(args, 0), y);
    if (!mean || r.large == 0) return;
    const float terms = static_cast<float>(r.large / r.small);
    for (int64_t i = 0; i < r.large; ++i) y[i] /= terms;
  });
}

std::unique_ptr<Kernel> MakeReduction(const NodeContext& context, bool mean) {
  const Reduction r(context.input_shape(0), context.attributes().GetInts("axes"));
  const int64_t scratch = r.small * static_cast<int64_t>(sizeof(double));
  return MakeLoop(
      [r, mean](const KernelArgs& args) {
        float* y = Out<float>(args, 0);
        if (y == nullptr) return;
        Reduce(r, In<float>(args, 0), args.scratch, y);
        if (!mean || r.large == 0) return;
        const double terms = static_cast<double>(r.large / r.small);
        for (int64_t j = 0; j < r.small; ++j) y[j] = static_cast<float>(y[j] / terms);
      },
      scratch);
}

}  // namespace

MadeKernel MakeReduceSum(const KernelContext& context) { return MakeReduction(context, false); }
MadeKernel MakeReduceMean(const KernelContext& context) { return MakeReduction(context, true); }

MadeKernel MakeBroadcastLike(const KernelContext& context) { return MakeBroadcast(context, false); }

MadeKernel MakeReduceMeanGrad(const KernelContext& context) { return MakeBroadcast(context, true); }

}  // namespace seqgraph::kernels
