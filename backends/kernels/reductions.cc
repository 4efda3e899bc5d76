// Reductions, and the broadcasts that are their gradients.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/reduction_loops.h"

namespace seqgraph::kernels {
namespace {

// How the elements of a tensor are spread over those of a smaller one without some of its axes:
// for reductions and broadcasts. Where these axes lie side by side (but for extents of 1), the
// larger tensor is [outer, terms, inner], the smaller one [outer, inner], and plain loops do.
struct Reduction {
  int rank = 0;
  std::array<int64_t, Shape::kMaxRank> extent = {};
  std::array<int64_t, Shape::kMaxRank> stride = {};  // in the smaller tensor; 0 along the axes
  int64_t large = 1;
  int64_t small = 1;
  bool side_by_side = true;
  int64_t outer = 1, terms = 1, inner = 1;

  Reduction(const Shape& shape, const std::vector<int64_t>& axes) : rank(shape.rank()) {
    for (int d = rank - 1; d >= 0; --d) {
      extent[d] = shape[d].size();
      large *= extent[d];
      if (std::find(axes.begin(), axes.end(), d) != axes.end()) continue;
      stride[d] = small;
      small *= extent[d];
    }
    for (int d = 0; d < rank; ++d) {
      if (extent[d] == 1) continue;
      if (stride[d] == 0) {
        side_by_side &= inner == 1;
        terms *= extent[d];
      } else {
        (terms == 1 ? outer : inner) *= extent[d];
      }
    }
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

Reduction ReductionOf(const NodeContext& context, const Shape& larger) {
  return {larger, context.attributes().GetInts("axes")};
}

float ToFloat(double value) { return static_cast<float>(value); }

void Sum(const Reduction& r, const float* x, void* scratch, float* y) {
  if (r.large == 0) {
    std::fill_n(y, r.small, 0.0f);
  } else if (r.side_by_side && r.inner == 1) {
    for (int64_t o = 0; o < r.outer; ++o) {
      y[o] = static_cast<float>(SumLoop(x + o * r.terms, r.terms));
    }
  } else if (r.side_by_side) {
    for (int64_t o = 0; o < r.outer; ++o) {
      SumRowsLoop(x + o * r.terms * r.inner, r.terms, r.inner, y + o * r.inner);
    }
  } else {
    double* sums = static_cast<double*>(scratch);
    std::fill_n(sums, r.small, 0.0);
    r.ForEach([&](int64_t i, int64_t j) { sums[j] += x[i]; });
    std::transform(sums, sums + r.small, y, ToFloat);
  }
}

MadeKernel MakeSum(const NodeContext& context, bool mean) {
  const Reduction r = ReductionOf(context, context.input_shape(0));
  const int64_t scratch = r.small * static_cast<int64_t>(sizeof(double));
  return MakeLoop(
      [r, mean](const KernelArgs& args) {
        float* y = Out<float>(args, 0);
        if (y == nullptr) return;
        Sum(r, In<float>(args, 0), args.scratch, y);
        if (!mean || r.large == 0) return;
        const double terms = static_cast<double>(r.large / r.small);
        for (int64_t j = 0; j < r.small; ++j) y[j] = static_cast<float>(y[j] / terms);
      },
      scratch);
}

// The largest or the smallest element, NaN where one is.
struct Extremum {
  BinaryLoop loop;
  bool largest;

  float Start() const {
    const float infinity = std::numeric_limits<float>::infinity();
    return largest ? -infinity : infinity;
  }
  float Of(float y, float x) const { return (largest ? x > y : x < y) || std::isnan(x) ? x : y; }
  // Folds x in half as long as that fills vectors; `scratch` takes n / 2 floats.
  float OfRow(const float* x, int64_t n, float* scratch) const {
    float result = Start();
    while (n >= 64) {
      if (n % 2 == 1) result = Of(result, x[n - 1]);
      n /= 2;
      loop(x, x + n, n, scratch);
      x = scratch;
    }
    return std::accumulate(x, x + n, result, [this](float y, float v) { return Of(y, v); });
  }
};

MadeKernel MakeExtremum(const NodeContext& context, Extremum extremum) {
  const Reduction r = ReductionOf(context, context.input_shape(0));
  const auto loop = [=](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    if (y == nullptr || r.large == 0) return;
    if (r.side_by_side && r.inner == 1) {
      for (int64_t o = 0; o < r.outer; ++o, x += r.terms) {
        y[o] = extremum.OfRow(x, r.terms, static_cast<float*>(args.scratch));
      }
    } else if (r.side_by_side) {
      for (int64_t o = 0; o < r.outer; ++o, y += r.inner) {
        std::copy_n(x, r.inner, y);
        x += r.inner;
        for (int64_t k = 1; k < r.terms; ++k, x += r.inner) extremum.loop(y, x, r.inner, y);
      }
    } else {
      std::fill_n(y, r.small, extremum.Start());
      r.ForEach([&](int64_t i, int64_t j) { y[j] = extremum.Of(y[j], x[i]); });
    }
  };
  return MakeLoop(loop, r.terms / 2 * static_cast<int64_t>(sizeof(float)));
}

void Broadcast(const Reduction& r, const float* x, float* y) {
  if (r.large == 0) return;
  if (!r.side_by_side) {
    r.ForEach([&](int64_t i, int64_t j) { y[i] = x[j]; });
  } else if (r.inner == 1) {
    for (int64_t o = 0; o < r.outer; ++o) y = std::fill_n(y, r.terms, x[o]);
  } else {
    for (int64_t o = 0; o < r.outer; ++o, x += r.inner) {
      for (int64_t k = 0; k < r.terms; ++k) y = std::copy_n(x, r.inner, y);
    }
  }
}

MadeKernel MakeBroadcast(const Reduction& r, bool mean = false) {
  return MakeLoop([r, mean](const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    Broadcast(r, In<float>(args, 0), y);
    if (!mean || r.large == 0) return;
    const float terms = static_cast<float>(r.large / r.small);
    for (int64_t i = 0; i < r.large; ++i) y[i] /= terms;
  });
}

}  // namespace

MadeKernel MakeReduceSum(const KernelContext& context) { return MakeSum(context, false); }
MadeKernel MakeReduceMean(const KernelContext& context) { return MakeSum(context, true); }

MadeKernel MakeReduceMax(const KernelContext& context) {
  return MakeExtremum(context, {MaximumLoop, /*largest=*/true});
}

MadeKernel MakeReduceMin(const KernelContext& context) {
  return MakeExtremum(context, {MinimumLoop, /*largest=*/false});
}

MadeKernel MakeReduceProd(const KernelContext& context) {
  const Reduction r = ReductionOf(context, context.input_shape(0));
  const auto loop = [r](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    if (args.outputs[0] == nullptr) return;
    double* products = static_cast<double*>(args.scratch);
    std::fill_n(products, r.small, 1.0);
    r.ForEach([&](int64_t i, int64_t j) { products[j] *= x[i]; });
    std::transform(products, products + r.small, Out<float>(args, 0), ToFloat);
  };
  return MakeLoop(loop, r.small * static_cast<int64_t>(sizeof(double)));
}

MadeKernel MakeBroadcastLike(const KernelContext& context) {
  return MakeBroadcast(ReductionOf(context, context.input_shape(1)));
}

MadeKernel MakeReduceMeanGrad(const KernelContext& context) {
  return MakeBroadcast(ReductionOf(context, context.input_shape(1)), /*mean=*/true);
}

MadeKernel MakeBroadcastTo(const KernelContext& context) {
  const Shape &x = context.input_shape(0), &y = context.output_shape(0);
  const int lead = y.rank() - x.rank();
  std::vector<int64_t> axes;
  for (int d = 0; d < y.rank(); ++d) {
    if (d < lead || x[d - lead] == 1) axes.push_back(d);
  }
  return MakeBroadcast({y, axes});
}

}  // namespace seqgraph::kernels
