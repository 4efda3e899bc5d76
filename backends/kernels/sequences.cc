// Masks, and what pools the steps of a sequence.

#include <algorithm>
#include <cmath>

#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "base/status_macros.h"
#include "graph/dropout_bits.h"

namespace seqgraph::kernels {
namespace {

// [batch, time, width] whose steps a mask may leave out.
struct Sequence {
  explicit Sequence(const Shape& shape)
      : batch(shape[0].size()), time(shape[1].size()), width(shape[2].size()) {}

  // Calls step(offset of the step's elements) for the steps of row n that count, in order; gives
  // their number.
  template <typename F>
  int64_t ForEachStep(const int32_t* mask, int64_t n, F step) const {
    int64_t count = 0;
    for (int64_t i = n * time; i < (n + 1) * time; ++i) {
      if (mask != nullptr && mask[i] == 0) continue;
      ++count;
      step(i * width);
    }
    return count;
  }
  int64_t size() const { return batch * time * width; }

  int64_t batch, time, width;
};

}  // namespace

MadeKernel MakeSequenceMask(const KernelContext& context) {
  const int64_t time = context.attributes().GetInt("time");
  return MakeLoop([time, batch = context.input_size(0)](const KernelArgs& args) {
    const int32_t* lengths = In<int32_t>(args, 0);
    int32_t* mask = Out<int32_t>(args, 0);
    for (int64_t n = 0; n < batch; ++n) {
      if (lengths[n] < 0 || lengths[n] > time) {
        return InvalidArgument("lengths[", n, "] is ", lengths[n], ", must be in [0, ", time, "]");
      }
      if (mask == nullptr) continue;
      int32_t* row = mask + n * time;
      std::fill(std::fill_n(row, lengths[n], 1), row + time, 0);
    }
    return absl::OkStatus();
  });
}

MadeKernel MakeZeroMasked(const KernelContext& context) {
  const int64_t steps = context.input_size(1);
  const int64_t width = steps == 0 ? 0 : context.input_size(0) / steps;
  return MakeLoop([steps, width](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    const int32_t* mask = In<int32_t>(args, 1);
    float* y = Out<float>(args, 0);
    for (int64_t i = 0; i < steps && y != nullptr; ++i, x += width, y += width) {
      if (mask[i] == 0) {
        std::fill_n(y, width, 0.0f);
      } else if (y != x) {
        std::copy_n(x, width, y);
      }
    }
  });
}

MadeKernel MakeDropoutMask(const KernelContext& context) {
  const double rate = context.attributes().GetFloat("rate");
  const int64_t stream = context.attributes().GetInt("stream");
  const uint64_t threshold = DropoutThreshold(rate);
  const float kept = static_cast<float>(1 / (1 - rate));
  return MakeLoop([=, n = context.output_size(0)](const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    const DropoutBits bits(*In<int64_t>(args, 0), *In<int64_t>(args, 1), stream);
    for (int64_t i = 0; i < n; i += 4) {
      const PhiloxCounter numbers = bits.Block(i / 4);
      const int64_t end = std::min<int64_t>(i + 4, n);
      for (int64_t j = i; j < end; ++j) y[j] = numbers[j - i] < threshold ? 0.0f : kept;
    }
  });
}

MadeKernel MakeAveragePooling(const KernelContext& context) {
  return MakeLoop([s = Sequence(context.input_shape(0))](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    for (int64_t n = 0; n < s.batch && y != nullptr; ++n, y += s.width) {
      std::fill_n(y, s.width, 0.0f);
      const int64_t count = s.ForEachStep(In<int32_t>(args, 1), n, [&](int64_t at) {
        for (int64_t j = 0; j < s.width; ++j) y[j] += x[at + j];
      });
      const auto terms = static_cast<float>(std::max<int64_t>(count, 1));
      for (int64_t j = 0; j < s.width; ++j) y[j] /= terms;
    }
  });
}

MadeKernel MakeAveragePoolingGrad(const KernelContext& context) {
  return MakeLoop([s = Sequence(context.output_shape(0))](const KernelArgs& args) {
    const float* dy = In<float>(args, 0);
    const int32_t* mask = In<int32_t>(args, 2);
    float* dx = Out<float>(args, 0);
    if (dx == nullptr) return;
    std::fill_n(dx, s.size(), 0.0f);
    for (int64_t n = 0; n < s.batch; ++n, dy += s.width) {
      const auto count = static_cast<float>(s.ForEachStep(mask, n, [](int64_t) {}));
      s.ForEachStep(mask, n, [&](int64_t at) {
        for (int64_t j = 0; j < s.width; ++j) dx[at + j] = dy[j] / count;
      });
    }
  });
}

MadeKernel MakeMaxPooling(const KernelContext& context) {
  return MakeLoop([s = Sequence(context.input_shape(0))](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    for (int64_t n = 0; n < s.batch && y != nullptr; ++n, y += s.width) {
      bool first = true;
      const int64_t count = s.ForEachStep(In<int32_t>(args, 1), n, [&](int64_t at) {
        for (int64_t j = 0; j < s.width; ++j) {
          const float value = x[at + j];
          // A NaN stays: nothing is above it, and it is not below anything.
          if (first || (!(value <= y[j]) && !std::isnan(y[j]))) y[j] = value;
        }
        first = false;
      });
      if (count == 0) std::fill_n(y, s.width, 0.0f);
    }
  });
}

MadeKernel MakeMaxPoolingGrad(const KernelContext& context) {
  const Sequence s(context.output_shape(0));
  const auto loop = [s](const KernelArgs& args) {
    const float *x = In<float>(args, 0), *y = In<float>(args, 1), *dy = In<float>(args, 2);
    const int32_t* mask = In<int32_t>(args, 3);
    float* dx = Out<float>(args, 0);
    if (dx == nullptr) return;
    std::fill_n(dx, s.size(), 0.0f);
    auto* ties = static_cast<int64_t*>(args.scratch);  // steps that share a maximum share dy
    for (int64_t n = 0; n < s.batch; ++n, y += s.width, dy += s.width) {
      std::fill_n(ties, s.width, 0);
      s.ForEachStep(mask, n, [&](int64_t at) {
        for (int64_t j = 0; j < s.width; ++j) ties[j] += x[at + j] == y[j];
      });
      s.ForEachStep(mask, n, [&](int64_t at) {
        for (int64_t j = 0; j < s.width; ++j) {
          if (x[at + j] == y[j]) dx[at + j] = dy[j] / static_cast<float>(ties[j]);
        }
      });
    }
  };
  return MakeLoop(loop, s.width * static_cast<int64_t>(sizeof(int64_t)));
}

}  // namespace seqgraph::kernels
