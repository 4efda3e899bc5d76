// Ops that look rows up by ids, and the gradient of their tables.

#include <algorithm>

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/parallel.h"

namespace seqgraph::kernels {

Claim ClaimOneHot(const NodeContext& context) {
  if (context.attributes().GetDType("dtype") == DType::kFloat32) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedType, "dtype float64 (float32 is there)");
}

// y[i, j] = 1 where j = ids[i], else 0.
MadeKernel MakeOneHot(const KernelContext& context) {
  const int64_t depth = context.attributes().GetInt("depth"), n = context.input_size(0);
  return MakeLookup(context, depth, [=](const int32_t* ids, const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    std::fill_n(y, n * depth, 0.0f);
    for (int64_t k = 0; k < n; ++k) y[k * depth + ids[k]] = 1.0f;
  });
}

MadeKernel MakeEmbedding(const KernelContext& context) {
  const Shape& table = context.input_shape(1);
  const int64_t n = context.input_size(0), width = table[1].size();
  const auto loop = [=, pool = context.pool()](const int32_t* ids, const KernelArgs& args) {
    const float* rows = In<float>(args, 1);
    float* y = Out<float>(args, 0);
    constexpr int64_t kIds = 1024;  // in a block
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

}  // namespace seqgraph::kernels
