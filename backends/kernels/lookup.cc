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
  const int64_t depth = context.attributes().GetInt("depth");
  const Ids ids{context.input_shape(0), context.input_size(0), depth};
  return MakeLookup(ids, 0, [depth, n = ids.count](const int32_t* i, const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    std::fill_n(y, n * depth, 0.0f);
    for (int64_t k = 0; k < n; ++k) y[k * depth + i[k]] = 1.0f;
  });
}

MadeKernel MakeEmbedding(const KernelContext& context) {
  const Shape& table = context.input_shape(1);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t width = table[1].size();
  return MakeLookup(ids, 0, [=, pool = context.pool()](const int32_t* i, const KernelArgs& args) {
    const float* rows = In<float>(args, 1);
    float* y = Out<float>(args, 0);
    constexpr int64_t kIds = 1024;  // in a block
    ForBlocks(*pool, ids.count, kIds, [&](int64_t first, int64_t count) {
      GatherRows(rows, width, i + first, count, y + first * width);
    });
  });
}

MadeKernel MakeEmbeddingGrad(const KernelContext& context) {
  const Shape& table = context.output_shape(0);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t rows = table[0].size(), width = table[1].size();
  const int64_t scratch =
      ScatterAddScratch(ids.count, width, rows) * static_cast<int64_t>(sizeof(float));
  return MakeLookup(ids, scratch,
                    [=, pool = context.pool()](const int32_t* i, const KernelArgs& args) {
                      ScatterAddRows(In<float>(args, 1), i, ids.count, width, rows,
                                     Out<float>(args, 0), static_cast<float*>(args.scratch), *pool);
                    });
}

}  // namespace seqgraph::kernels
