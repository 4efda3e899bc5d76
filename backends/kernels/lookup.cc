// Ops that look rows up by ids, and the gradient of their tables.

#include <algorithm>
#include <limits>

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/packed_loops.h"
#include "backends/kernels/packed_once.h"
#include "backends/kernels/parallel.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {

MadeKernel MakeEmbedding(const KernelContext& context) {
  const Shape& table = context.input_shape(1);
  const int64_t n = context.input_size(0), width = table[1].size();
  constexpr int64_t kIds = 1024;  // in a block
  const WeightFormat format = PackedFormat(context, 1, /*axis=*/0);
  if (format != WeightFormat::kFloat32) {
    const int64_t rows = table[0].size();
    const PackedOnce once(context.program(), PackedTableBytes(format, rows, width), {1});
    const auto loop = [=, pool = context.pool()](const int32_t* ids, const KernelArgs& args) {
      const PackedWeights packed = once.Of(args);
      if (!packed.current) PackTable(format, In<float>(args, 1), rows, width, packed.memory);
      float* y = Out<float>(args, 0);
      ForBlocks(*pool, n, kIds, [&](int64_t first, int64_t count) {
        GatherPacked(format, packed.memory, rows, width, ids + first, count, y + first * width);
      });
    };
    return MakeLookup(context, rows, loop);
  }
  const auto loop = [=, pool = context.pool()](const int32_t* ids, const KernelArgs& args) {
    const float* rows = In<float>(args, 1);
    float* y = Out<float>(args, 0);
    ForBlocks(*pool, n, kIds, [&](int64_t first, int64_t count) {
      GatherRows(rows, width, ids + first, count, y + first * width);
    });
  };
  return MakeLookup(context, table[0].size(), loop);
}

MadeKernel MakeEmbeddingGrad(const KernelContext& context) {
  const Shape& table = context.output_shape(0);
  const int64_t n = context.input_size(0), rows = table[0].size(), width = table[1].size();
  const auto loop = [=, pool = context.pool()](const int32_t* ids, const KernelArgs& args) {
    ScatterAddRows(In<float>(args, 1), ids, n, width, rows, Out<float>(args, 0),
                   static_cast<float*>(args.scratch), *pool);
  };
  const int64_t scratch = ScatterAddScratch(n, width, rows) * static_cast<int64_t>(sizeof(float));
  return MakeLookup(context, rows, loop, scratch);
}

namespace {

// A kernel loop(indices, args) of indices, which are input 1 and choose along an axis of that
// extent, after they were checked and negative ones counted from its start.
template <typename Loop>
MadeKernel MakeOnIndices(const KernelContext& context, int64_t extent, Loop loop) {
  // Counted from the start they must be 32 bits too.
  if (extent > std::numeric_limits<int32_t>::max()) return MakeByDefinition(context);
  const int64_t n = context.input_size(1);
  const auto checked = [=](const KernelArgs& args) {
    const int32_t* given = In<int32_t>(args, 1);
    auto* indices = static_cast<int32_t*>(args.scratch);
    std::transform(given, given + n, indices,
                   [extent](int32_t i) { return i < 0 ? i + static_cast<int32_t>(extent) : i; });
    if (const int64_t bad = FindBadId(indices, n, extent); bad >= 0) {
      return InvalidArgument("indices, element ", bad, ", is ", given[bad], ", must be in [",
                             -extent, ", ", extent, ")");
    }
    if (args.outputs[0] != nullptr) loop(indices, args);
    return absl::OkStatus();
  };
  return MakeLoop(checked, n * static_cast<int64_t>(sizeof(int32_t)));
}

}  // namespace

MadeKernel MakeGather(const KernelContext& context) {
  const AxisExtents e(context.input_shape(0), context.attributes().GetInt("axis"));
  const auto loop = [e, n = context.input_size(1)](const int32_t* indices, const KernelArgs& args) {
    for (int64_t o = 0; o < e.outer; ++o) {
      GatherRows(In<float>(args, 0) + o * e.extent * e.inner, e.inner, indices, n,
                 Out<float>(args, 0) + o * n * e.inner);
    }
  };
  return MakeOnIndices(context, e.extent, loop);
}

MadeKernel MakeGatherGrad(const KernelContext& context) {
  const AxisExtents e(context.output_shape(0), context.attributes().GetInt("axis"));
  const auto loop = [e, n = context.input_size(1)](const int32_t* indices, const KernelArgs& args) {
    float* dx = Out<float>(args, 0);
    std::fill_n(dx, e.outer * e.extent * e.inner, 0.0f);
    for (int64_t o = 0; o < e.outer; ++o) {
      AddRows(In<float>(args, 0) + o * n * e.inner, e.inner, indices, /*id_stride=*/1, n, e.inner,
              dx + o * e.extent * e.inner);
    }
  };
  return MakeOnIndices(context, e.extent, loop);
}

}  // namespace seqgraph::kernels
