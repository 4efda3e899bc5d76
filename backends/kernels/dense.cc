// Dense: y = act(x w + b).  DenseGrad: dx = dz w^T, dw = x^T dz, db = sum of dz over the rows.
// x [rows, features] stands for any number of leading extents.

#include <algorithm>
#include <memory>
#include <string>

#include "backends/kernels/dense_extents.h"
#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/gemm.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/parallel.h"
#include "backends/kernels/reduction_loops.h"

namespace seqgraph::kernels {
namespace {

constexpr int64_t kFloat = sizeof(float);

class DenseKernel : public Kernel {
 public:
  explicit DenseKernel(const KernelContext& context)
      : e_(DenseExtentsOf(context)),
        activation_(LoopOf(ParseActivation(context.attributes().GetString("activation")))),
        pool_(context.pool()) {}

  std::string implementation() const override { return "gemm"; }
  int64_t scratch_bytes() const override { return MultiplyScratch(Product()) * kFloat; }

  absl::Status Run(const KernelArgs& args) override {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return absl::OkStatus();
    Multiply(Product(), RowMajor(In<float>(args, 0), e_.features),
             RowMajor(In<float>(args, 1), e_.units), In<float>(args, 2), y,
             static_cast<float*>(args.scratch), *pool_);
    if (activation_ != nullptr) {
      ForBlocks(*pool_, e_.rows * e_.units,
                [&](int64_t i, int64_t size) { activation_(y + i, size, y + i); });
    }
    return absl::OkStatus();
  }

 private:
  GemmShape Product() const { return {e_.rows, e_.features, e_.units}; }

  const DenseExtents e_;
  const UnaryLoop activation_;
  const std::shared_ptr<ThreadPool> pool_;
};

class DenseGradKernel : public Kernel {
 public:
  explicit DenseGradKernel(const KernelContext& context)
      : e_(DenseExtentsOf(context)), pool_(context.pool()) {}

  std::string implementation() const override { return "gemm"; }
  int64_t scratch_bytes() const override {
    return std::max(MultiplyScratch(Dx()), MultiplyScratch(Dw())) * kFloat;
  }

  absl::Status Run(const KernelArgs& args) override {
    const float* x = In<float>(args, 0);
    const float* w = In<float>(args, 1);
    const float* dz = In<float>(args, 2);
    float* scratch = static_cast<float*>(args.scratch);
    if (float* dx = Out<float>(args, 0); dx != nullptr) {
      Multiply(Dx(), RowMajor(dz, e_.units), Transposed(w, e_.units), nullptr, dx, scratch, *pool_);
    }
    if (float* dw = Out<float>(args, 1); dw != nullptr) {
      Multiply(Dw(), Transposed(x, e_.features), RowMajor(dz, e_.units), nullptr, dw, scratch,
               *pool_);
    }
    if (float* db = Out<float>(args, 2); db != nullptr) SumRowsLoop(dz, e_.rows, e_.units, db);
    return absl::OkStatus();
  }

 private:
  GemmShape Dx() const { return {e_.rows, e_.units, e_.features}; }
  GemmShape Dw() const { return {e_.features, e_.rows, e_.units}; }

  const DenseExtents e_;
  const std::shared_ptr<ThreadPool> pool_;
};

}  // namespace

MadeKernel MakeDense(const KernelContext& context) {
  return std::make_unique<DenseKernel>(context);
}
MadeKernel MakeDenseGrad(const KernelContext& context) {
  return std::make_unique<DenseGradKernel>(context);
}

}  // namespace seqgraph::kernels
