// MaxPool1D: y = the largest x of a window of steps.  AveragePool1D: the mean.  Their gradients.

#include <algorithm>
#include <cmath>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "graph/windows.h"

namespace seqgraph::kernels {
namespace {

// Windows over x [batch, time, channels], all channels of a step together.
struct Pooling {
  Pooling(const NodeContext& context, const Shape& x)
      : windows(context.attributes().GetInt("width"), context.attributes()),
        batch(x[0].size()),
        time(x[1].size()),
        channels(x[2].size()),
        steps(windows.Count(time)) {
    const AttributeValue* const include = context.attributes().Find("count_include_pad");
    count_include_pad = include != nullptr && std::get<bool>(*include);
  }

  // Calls f(y's offset, places) for each window, with places(visit) calling visit(x's offset) for
  // the steps that there are, and giving their number.
  template <typename F>
  void ForEachWindow(F f) const {
    for (int64_t row = 0; row < batch * steps; ++row) {
      const int64_t n = row / steps;
      f(row * channels, [&](auto visit) {
        return windows.ForEachStep(row % steps, time,
                                   [&](int64_t, int64_t t) { visit((n * time + t) * channels); });
      });
    }
  }
  float Divisor(int64_t count) const {
    return static_cast<float>(std::max<int64_t>(count_include_pad ? windows.width : count, 1));
  }

  Windows windows;
  int64_t batch, time, channels, steps;
  bool count_include_pad = false;
};

}  // namespace

MadeKernel MakeMaxPool1D(const KernelContext& context) {
  return MakeLoop([p = Pooling(context, context.input_shape(0))](const KernelArgs& args) {
    const float* const x = In<float>(args, 0);
    float* const y = Out<float>(args, 0);
    if (y == nullptr) return;
    p.ForEachWindow([&](int64_t to, const auto& places) {
      bool first = true;
      places([&](int64_t from) {
        if (first) std::copy_n(x + from, p.channels, y + to);
        if (!first) MaximumLoop(y + to, x + from, p.channels, y + to);
        first = false;
      });
      if (first) std::fill_n(y + to, p.channels, 0.0f);
    });
  });
}

MadeKernel MakeMaxPool1DGrad(const KernelContext& context) {
  return MakeLoop([p = Pooling(context, context.input_shape(0))](const KernelArgs& args) {
    const float *x = In<float>(args, 0), *dy = In<float>(args, 1);
    float* const dx = Out<float>(args, 0);
    if (dx == nullptr) return;
    std::fill_n(dx, p.batch * p.time * p.channels, 0.0f);
    p.ForEachWindow([&](int64_t to, const auto& places) {
      for (int64_t c = 0; c < p.channels; ++c) {
        int64_t best = -1;  // the first of the largest; a NaN is larger than any number
        places([&](int64_t from) {
          const int64_t i = from + c;
          if (best < 0 || x[i] > x[best] || (std::isnan(x[i]) && !std::isnan(x[best]))) best = i;
        });
        if (best >= 0) dx[best] += dy[to + c];
      }
    });
  });
}

MadeKernel MakeAveragePool1D(const KernelContext& context) {
  return MakeLoop([p = Pooling(context, context.input_shape(0))](const KernelArgs& args) {
    const float* const x = In<float>(args, 0);
    float* const y = Out<float>(args, 0);
    if (y == nullptr) return;
    p.ForEachWindow([&](int64_t to, const auto& places) {
      std::fill_n(y + to, p.channels, 0.0f);
      const float divisor =
          p.Divisor(places([&](int64_t from) { AddLoop(y + to, x + from, p.channels, y + to); }));
      for (int64_t c = 0; c < p.channels; ++c) y[to + c] /= divisor;
    });
  });
}

MadeKernel MakeAveragePool1DGrad(const KernelContext& context) {
  return MakeLoop([p = Pooling(context, context.output_shape(0))](const KernelArgs& args) {
    const float* const dy = In<float>(args, 0);
    float* const dx = Out<float>(args, 0);
    if (dx == nullptr) return;
    std::fill_n(dx, p.batch * p.time * p.channels, 0.0f);
    p.ForEachWindow([&](int64_t to, const auto& places) {
      const float divisor = p.Divisor(places([](int64_t) {}));
      places([&](int64_t from) {
        for (int64_t c = 0; c < p.channels; ++c) dx[from + c] += dy[to + c] / divisor;
      });
    });
  });
}

}  // namespace seqgraph::kernels
