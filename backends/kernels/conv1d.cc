// Conv1D: y = b + the sum over places i and channels c of x[n, s stride - pad_before + i dilation,
// c] w[i, c, f].  Conv1DGrad: dx, dw, db.
//
// Without groups the windows of some rows of y are copied side by side, as the rows of a matrix
// a[rows, width channels], and y = a w, dw = a^T dy, d_a = dy w^T are matrix products; d_a is added
// up where a came from. With groups the products are small: plain loops over the filters of one.

#include <algorithm>
#include <memory>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/gemm.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/parallel.h"
#include "backends/kernels/reduction_loops.h"
#include "graph/windows.h"

namespace seqgraph::kernels {
namespace {

struct Convolution {
  explicit Convolution(const NodeContext& context)
      : windows(context.input_shape(1)[0].size(), context.attributes()),
        batch(context.input_shape(0)[0].size()),
        time(context.input_shape(0)[1].size()),
        channels(context.input_shape(0)[2].size()),
        filters(context.input_shape(1)[2].size()),
        groups(context.attributes().GetInt("groups")),
        steps(windows.Count(time)) {}

  int64_t rows() const { return batch * steps; }
  int64_t columns() const { return windows.width * channels; }
  int64_t input_size() const { return batch * time * channels; }

  // Rows of the matrix that are made at a time: as many as make a few hundred KB.
  int64_t rows_at_once() const {
    constexpr int64_t kFloats = 1 << 17, kLeast = 480;
    return std::min(rows(), std::max(kLeast, kFloats / std::max<int64_t>(columns(), 1)));
  }

  // The windows of the rows [first, first + count) of y, side by side.
  void Unfold(const float* x, int64_t first, int64_t count, float* a, ThreadPool& pool) const {
    constexpr int64_t kBlock = 32;
    ForBlocks(pool, count, kBlock, [&](int64_t begin, int64_t size) {
      for (int64_t r = begin; r < begin + size; ++r) {
        float* to = a + r * columns();
        const int64_t n = (first + r) / steps, s = (first + r) % steps;
        if (windows.Step(s, 0) < 0 || windows.Step(s, windows.width - 1) >= time) {
          std::fill_n(to, columns(), 0.0f);
        }
        windows.ForEachStep(s, time, [&](int64_t i, int64_t t) {
          std::copy_n(x + (n * time + t) * channels, channels, to + i * channels);
        });
      }
    });
  }

  // Adds the rows of d_a to dx.
  void Fold(const float* d_a, int64_t first, int64_t count, float* dx) const {
    for (int64_t r = 0; r < count; ++r, d_a += columns()) {
      const int64_t n = (first + r) / steps;
      windows.ForEachStep((first + r) % steps, time, [&](int64_t i, int64_t t) {
        float* to = dx + (n * time + t) * channels;
        AddLoop(to, d_a + i * channels, channels, to);
      });
    }
  }

  // Calls f(place, x's step, y's row) for the windows of row n of the batch; the step of padding is
  // -1.
  template <typename F>
  void ForEachPlace(int64_t n, F f) const {
    for (int64_t row = n * steps; row < (n + 1) * steps; ++row) {
      for (int64_t i = 0; i < windows.width; ++i) {
        const int64_t t = windows.Step(row % steps, i);
        f(i, t < 0 || t >= time ? -1 : n * time + t, row);
      }
    }
  }

  // Calls f(channel c, c's row of w[i], its group's first filter) for all channels, at place i.
  template <typename F>
  void ForEachChannel(int64_t i, F f) const {
    const int64_t width = channels / groups;
    for (int64_t c = 0; c < channels; ++c) {
      f(c, (i * width + c % width) * filters, c / width * (filters / groups));
    }
  }

  Windows windows;
  int64_t batch, time, channels, filters, groups, steps;
};

using Pool = std::shared_ptr<ThreadPool>;
constexpr int64_t kFloat = sizeof(float);

// Where scratch memory has the matrix: behind what products take.
int64_t Aligned(int64_t floats) { return (floats + 15) / 16 * 16; }

MadeKernel MakeProducts(const Convolution& conv, const Pool& pool) {
  const int64_t most = conv.rows_at_once(), columns = conv.columns();
  const auto shape_of = [=](int64_t rows) { return GemmShape{rows, columns, conv.filters}; };
  // The last rows may be fewer, and take more of scratch where they are cut into parts.
  const int64_t last = most == 0 ? 0 : conv.rows() % most;
  const int64_t product =
      Aligned(std::max(MultiplyScratch(shape_of(most)), MultiplyScratch(shape_of(last))));
  const auto run = [=](const KernelArgs& args) {
    const float *x = In<float>(args, 0), *w = In<float>(args, 1), *b = In<float>(args, 2);
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    auto* const scratch = static_cast<float*>(args.scratch);
    float* const a = scratch + product;
    for (int64_t first = 0; first < conv.rows(); first += most) {
      const int64_t rows = std::min(most, conv.rows() - first);
      conv.Unfold(x, first, rows, a, *pool);
      Multiply(shape_of(rows), RowMajor(a, columns), RowMajor(w, conv.filters), b,
               y + first * conv.filters, scratch, *pool);
    }
  };
  return MakeLoop(run, (product + most * columns) * kFloat);
}

MadeKernel MakeProductGradients(const Convolution& conv, const Pool& pool) {
  const int64_t most = conv.rows_at_once(), columns = conv.columns(), filters = conv.filters;
  const auto dw_shape = [=](int64_t rows) { return GemmShape{columns, rows, filters}; };
  const auto da_shape = [=](int64_t rows) { return GemmShape{rows, filters, columns}; };
  const int64_t last = most == 0 ? 0 : conv.rows() % most;
  int64_t product = 0;
  for (const int64_t rows : {most, last}) {
    product = std::max({product, MultiplyScratch(dw_shape(rows)), MultiplyScratch(da_shape(rows))});
  }
  product = Aligned(product);
  const int64_t matrix = Aligned(most * columns), weights = columns * filters;
  const auto run = [=](const KernelArgs& args) {
    const float *x = In<float>(args, 0), *w = In<float>(args, 1), *dy = In<float>(args, 2);
    float *dx = Out<float>(args, 0), *dw = Out<float>(args, 1), *db = Out<float>(args, 2);
    auto* const scratch = static_cast<float*>(args.scratch);
    float *const a = scratch + product, *const part = a + matrix;
    if (dx != nullptr) std::fill_n(dx, conv.input_size(), 0.0f);
    if (dw != nullptr) std::fill_n(dw, weights, 0.0f);
    for (int64_t first = 0; first < conv.rows() && (dx != nullptr || dw != nullptr);
         first += most) {
      const int64_t rows = std::min(most, conv.rows() - first);
      const float* const d_rows = dy + first * filters;
      if (dw != nullptr) {
        conv.Unfold(x, first, rows, a, *pool);
        Multiply(dw_shape(rows), Transposed(a, columns), RowMajor(d_rows, filters), nullptr, part,
                 scratch, *pool);
        AddLoop(dw, part, weights, dw);
      }
      if (dx != nullptr) {
        Multiply(da_shape(rows), RowMajor(d_rows, filters), Transposed(w, filters), nullptr, a,
                 scratch, *pool);
        conv.Fold(a, first, rows, dx);
      }
    }
    if (db != nullptr) SumRowsLoop(dy, conv.rows(), filters, db);
  };
  return MakeLoop(run, (product + matrix + weights) * kFloat);
}

MadeKernel MakeGroups(const Convolution& conv, const Pool& pool) {
  return MakeLoop([=](const KernelArgs& args) {
    const float *x = In<float>(args, 0), *w = In<float>(args, 1), *b = In<float>(args, 2);
    float* const y = Out<float>(args, 0);
    if (y == nullptr) return;
    const int64_t filters = conv.filters, per_group = filters / conv.groups;
    pool->ParallelFor(conv.batch, [&](int64_t n) {
      for (int64_t row = n * conv.steps; row < (n + 1) * conv.steps; ++row) {
        if (b != nullptr) std::copy_n(b, filters, y + row * filters);
        if (b == nullptr) std::fill_n(y + row * filters, filters, 0.0f);
      }
      conv.ForEachPlace(n, [&](int64_t i, int64_t step, int64_t row) {
        conv.ForEachChannel(i, [&](int64_t c, int64_t w_row, int64_t first) {
          const float factor = step < 0 ? 0.0f : x[step * conv.channels + c];
          float* const to = y + row * filters + first;
          for (int64_t j = 0; j < per_group; ++j) to[j] += factor * w[w_row + first + j];
        });
      });
    });
  });
}

MadeKernel MakeGroupGradients(const Convolution& conv, const Pool& pool) {
  return MakeLoop([=](const KernelArgs& args) {
    const float *x = In<float>(args, 0), *w = In<float>(args, 1), *dy = In<float>(args, 2);
    float *dx = Out<float>(args, 0), *dw = Out<float>(args, 1), *db = Out<float>(args, 2);
    const int64_t channels = conv.channels, filters = conv.filters;
    const int64_t per_group = filters / conv.groups;
    if (dx != nullptr) {
      std::fill_n(dx, conv.input_size(), 0.0f);
      pool->ParallelFor(conv.batch, [&](int64_t n) {
        conv.ForEachPlace(n, [&](int64_t i, int64_t step, int64_t row) {
          if (step < 0) return;
          conv.ForEachChannel(i, [&](int64_t c, int64_t w_row, int64_t first) {
            const float* const from = dy + row * filters + first;
            float sum = 0;
            for (int64_t j = 0; j < per_group; ++j) sum += from[j] * w[w_row + first + j];
            dx[step * channels + c] += sum;
          });
        });
      });
    }
    if (dw != nullptr) {
      std::fill_n(dw, conv.columns() / conv.groups * filters, 0.0f);
      for (int64_t n = 0; n < conv.batch; ++n) {
        conv.ForEachPlace(n, [&](int64_t i, int64_t step, int64_t row) {
          conv.ForEachChannel(i, [&](int64_t c, int64_t w_row, int64_t first) {
            const float factor = step < 0 ? 0.0f : x[step * channels + c];
            const float* const from = dy + row * filters + first;
            for (int64_t j = 0; j < per_group; ++j) dw[w_row + first + j] += factor * from[j];
          });
        });
      }
    }
    if (db != nullptr) SumRowsLoop(dy, conv.rows(), filters, db);
  });
}

}  // namespace

MadeKernel MakeConv1D(const KernelContext& context) {
  const Convolution conv(context);
  return (conv.groups == 1 ? MakeProducts : MakeGroups)(conv, context.pool());
}

MadeKernel MakeConv1DGrad(const KernelContext& context) {
  const Convolution conv(context);
  return (conv.groups == 1 ? MakeProductGradients : MakeGroupGradients)(conv, context.pool());
}

}  // namespace seqgraph::kernels
