// Embedding, EmbeddingGrad and OneHot.

#include <cstring>
#include <utility>

#include "backends/kernels/ids.h"
#include "backends/simd/kernel_makers.h"
#include "backends/simd/lookup_loops.h"
#include "backends/simd/parallel.h"
#include "base/status_macros.h"

namespace seqgraph::simd {
namespace {

// Ids with their shape, and how many rows they choose from.
struct Ids {
  Shape shape;
  int64_t count;
  int64_t rows;

  absl::Status Check(const int32_t* ids) const {
    const int64_t bad = FindBadId(ids, count, rows);
    return bad < 0 ? absl::OkStatus() : kernels::BadIdError(ids, bad, shape, rows);
  }
};

// A function of checked ids.
template <typename Loop>
class LookupKernel : public Kernel {
 public:
  LookupKernel(Ids ids, int64_t scratch_bytes, Loop loop)
      : ids_(std::move(ids)), scratch_bytes_(scratch_bytes), loop_(std::move(loop)) {}
  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  absl::Status Run(const KernelArgs& args) override {
    const int32_t* ids = In<int32_t>(args, 0);
    SEQ_RETURN_IF_ERROR(ids_.Check(ids));
    if (args.outputs[0] != nullptr) loop_(ids, args);
    return absl::OkStatus();
  }

 private:
  const Ids ids_;
  const int64_t scratch_bytes_;
  const Loop loop_;
};

template <typename Loop>
std::unique_ptr<Kernel> MakeLookup(Ids ids, int64_t scratch_bytes, Loop loop) {
  return std::make_unique<LookupKernel<Loop>>(std::move(ids), scratch_bytes, std::move(loop));
}

}  // namespace

Claim ClaimOneHot(const NodeContext& context) {
  if (context.attributes().GetDType("dtype") == DType::kFloat32) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedType, "dtype float64 (float32 is there)");
}

MadeKernel MakeEmbedding(KernelContext& context) {
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

MadeKernel MakeEmbeddingGrad(KernelContext& context) {
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

MadeKernel MakeOneHot(KernelContext& context) {
  const int64_t depth = context.attributes().GetInt("depth");
  const Ids ids{context.input_shape(0), context.input_size(0), depth};
  return MakeLookup(ids, 0, [depth, n = ids.count](const int32_t* i, const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    std::memset(y, 0, n * depth * sizeof(float));
    for (int64_t k = 0; k < n; ++k) y[k * depth + i[k]] = 1.0f;
  });
}

}  // namespace seqgraph::simd
