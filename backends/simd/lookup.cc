// Embedding and EmbeddingGrad.

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/parallel.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
using kernels::FindBadId;
using kernels::Ids;
using kernels::MakeLookup;

MadeKernel MakeEmbedding(KernelContext& context) {
  const Shape& table = context.input_shape(1);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t width = table[1].size();
  return MakeLookup<FindBadId>(
      ids, 0, [=, pool = context.pool()](const int32_t* i, const KernelArgs& args) {
        const float* rows = In<float>(args, 1);
        float* y = Out<float>(args, 0);
        constexpr int64_t kIds = 1024;  // in a block
        kernels::ForBlocks(*pool, ids.count, kIds, [&](int64_t first, int64_t count) {
          kernels::GatherRows(rows, width, i + first, count, y + first * width);
        });
      });
}

MadeKernel MakeEmbeddingGrad(KernelContext& context) {
  const Shape& table = context.output_shape(0);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t rows = table[0].size(), width = table[1].size();
  const int64_t scratch =
      kernels::ScatterAddScratch(ids.count, width, rows) * static_cast<int64_t>(sizeof(float));
  return MakeLookup<FindBadId>(
      ids, scratch, [=, pool = context.pool()](const int32_t* i, const KernelArgs& args) {
        kernels::ScatterAddRows(In<float>(args, 1), i, ids.count, width, rows, Out<float>(args, 0),
                                static_cast<float*>(args.scratch), *pool);
      });
}

}  // namespace seqgraph::simd
