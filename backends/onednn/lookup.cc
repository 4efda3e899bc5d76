// Embedding and EmbeddingGrad: copies and sums of table rows, straight from and to the
// recurrence's time-major layout where the value is ours alone.

#include "backends/kernels/ids.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/layout_loops.h"

namespace seqgraph::onednn {
using kernels::Ids;
using kernels::MakeLookup;

int64_t EmbeddingRowWidth(const NodeContext& context, const std::vector<Layout>&) {
  return context.input_shape(1)[1].size();
}

MadeKernel MakeEmbedding(KernelContext& context) {
  const Shape& table = context.input_shape(1);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t width = table[1].size();
  const Layout layout = context.output_layout(0);
  if (!layout.time_major()) {
    return MakeLookup<FindBadId>(ids, 0,
                                 [width, n = ids.count](const int32_t* i, const KernelArgs& args) {
                                   GatherRows(In<float>(args, 1), width, i, n, Out<float>(args, 0));
                                 });
  }
  const int64_t batch = ids.shape[0].size();
  const int64_t time = ids.shape[1].size();
  return MakeLookup<FindBadId>(ids, 0, [=](const int32_t* i, const KernelArgs& args) {
    GatherTimeMajor(In<float>(args, 1), width, i, batch, time, layout.row_width,
                    Out<float>(args, 0));
  });
}

MadeKernel MakeEmbeddingGrad(KernelContext& context) {
  const Shape& table = context.output_shape(0);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t rows = table[0].size();
  const int64_t width = table[1].size();
  const Layout layout = context.input_layout(1);
  if (!layout.time_major()) {
    return MakeLookup<FindBadId>(
        ids, 0, [rows, width, n = ids.count](const int32_t* i, const KernelArgs& args) {
          ScatterAddRows(In<float>(args, 1), i, n, width, rows, Out<float>(args, 0));
        });
  }
  const int64_t batch = ids.shape[0].size();
  const int64_t time = ids.shape[1].size();
  return MakeLookup<FindBadId>(ids, 0, [=](const int32_t* i, const KernelArgs& args) {
    ScatterAddTimeMajor(In<float>(args, 1), layout.row_width, i, batch, time, width, rows,
                        Out<float>(args, 0));
  });
}

}  // namespace seqgraph::onednn
