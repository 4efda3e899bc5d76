// Embedding and EmbeddingGrad where the sequence is in the recurrence's time-major layout.

#include <algorithm>

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/makers.h"
#include "backends/onednn/kernel_makers.h"

namespace seqgraph::onednn {

int64_t EmbeddingRowWidth(const NodeContext& context, const std::vector<Layout>&) {
  return context.input_shape(1)[1].size();
}

MadeKernel MakeEmbedding(KernelContext& context) {
  if (!context.output_layout(0).time_major()) return kernels::MakeEmbedding(context);
  const Shape &ids = context.input_shape(0), &table = context.input_shape(1);
  const int64_t batch = ids[0].size(), time = ids[1].size(), width = table[1].size();
  const auto loop = [=](const int32_t* i, const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    for (int64_t t = 0; t < time; ++t, y += batch * width) {
      kernels::GatherRows(In<float>(args, 1), width, i + t, batch, y, /*id_stride=*/time);
    }
  };
  return kernels::MakeLookup(context, table[0].size(), loop);
}

MadeKernel MakeEmbeddingGrad(KernelContext& context) {
  const Layout layout = context.input_layout(1);
  if (!layout.time_major()) return kernels::MakeEmbeddingGrad(context);
  const Shape &ids = context.input_shape(0), &table = context.output_shape(0);
  const int64_t batch = ids[0].size(), time = ids[1].size(), width = table[1].size();
  const auto loop = [=, size = context.output_size(0)](const int32_t* i, const KernelArgs& args) {
    const float* dy = In<float>(args, 1);
    std::fill_n(Out<float>(args, 0), size, 0.0f);
    for (int64_t t = 0; t < time; ++t, dy += batch * layout.row_width) {
      kernels::AddRows(dy, layout.row_width, i + t, /*id_stride=*/time, batch, width,
                       Out<float>(args, 0));
    }
  };
  return kernels::MakeLookup(context, table[0].size(), loop);
}

}  // namespace seqgraph::onednn
