// Embedding, EmbeddingGrad and OneHot: copies and sums of table rows, straight from and to the
// recurrence's time-major layout where the value is ours alone.

#include <cstring>
#include <string>

#include "backends/kernels/ids.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/layout_loops.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
namespace {

// Ids with their shape, and how many rows they choose from.
struct Ids {
  Shape shape;
  int64_t count;
  int64_t rows;

  absl::Status Check(const int32_t* ids) const {
    const int64_t bad = FindBadId(ids, count, rows);
    if (bad < 0) return absl::OkStatus();
    return kernels::BadIdError(ids, bad, shape, rows);
  }
};

// A function of checked ids.
template <typename Loop>
class LookupKernel : public Kernel {
 public:
  LookupKernel(Ids ids, Loop loop) : ids_(std::move(ids)), loop_(std::move(loop)) {}
  std::string implementation() const override { return "loops"; }
  absl::Status Run(const KernelArgs& args) override {
    const int32_t* ids = In<int32_t>(args, 0);
    SEQ_RETURN_IF_ERROR(ids_.Check(ids));
    loop_(ids, args);
    return absl::OkStatus();
  }

 private:
  const Ids ids_;
  const Loop loop_;
};

template <typename Loop>
std::unique_ptr<Kernel> MakeLookup(Ids ids, Loop loop) {
  return std::make_unique<LookupKernel<Loop>>(std::move(ids), std::move(loop));
}

}  // namespace

Claim ClaimOneHot(const NodeContext& context) {
  if (context.attributes().GetDType("dtype") == DType::kFloat32) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedType, "dtype float64 (float32 is there)");
}

int64_t EmbeddingRowWidth(const NodeContext& context, const std::vector<Layout>&) {
  return context.input_shape(1)[1].size();
}

MadeKernel MakeEmbedding(KernelContext& context) {
  const Shape& table = context.input_shape(1);
  const Ids ids{context.input_shape(0), context.input_size(0), table[0].size()};
  const int64_t width = table[1].size();
  const Layout layout = context.output_layout(0);
  if (!layout.time_major()) {
    return MakeLookup(ids, [width, n = ids.count](const int32_t* i, const KernelArgs& args) {
      if (args.outputs[0] == nullptr) return;
      GatherRows(In<float>(args, 1), width, i, n, Out<float>(args, 0));
    });
  }
  const int64_t batch = ids.shape[0].size();
  const int64_t time = ids.shape[1].size();
  return MakeLookup(ids, [=](const int32_t* i, const KernelArgs& args) {
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
    return MakeLookup(ids, [rows, width, n = ids.count](const int32_t* i, const KernelArgs& args) {
      if (args.outputs[0] == nullptr) return;
      ScatterAddRows(In<float>(args, 1), i, n, width, rows, Out<float>(args, 0));
    });
  }
  const int64_t batch = ids.shape[0].size();
  const int64_t time = ids.shape[1].size();
  return MakeLookup(ids, [=](const int32_t* i, const KernelArgs& args) {
    if (args.outputs[0] == nullptr) return;
    ScatterAddTimeMajor(In<float>(args, 1), layout.row_width, i, batch, time, width, rows,
                        Out<float>(args, 0));
  });
}

MadeKernel MakeOneHot(KernelContext& context) {
  const int64_t depth = context.attributes().GetInt("depth");
  const Ids ids{context.input_shape(0), context.input_size(0), depth};
  return MakeLookup(ids, [depth, n = ids.count](const int32_t* i, const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    std::memset(y, 0, n * depth * sizeof(float));
    for (int64_t k = 0; k < n; ++k) y[k * depth + i[k]] = 1.0f;
  });
}

}  // namespace seqgraph::onednn
