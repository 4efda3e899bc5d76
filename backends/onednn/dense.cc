// Dense: y = act(x w + b).  DenseGrad: dx = dz w^T, dw = x^T dz, db = sum of dz over the rows.
// x [rows, features] stands for any number of leading extents.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kernels/dense_extents.h"
#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/reduction_loops.h"
#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/executable.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/run_guard.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
namespace {

using dnnl::memory;

// c = a b on oneDNN, where either factor may lie transposed in memory.
class MatrixProduct {
 public:
  static absl::StatusOr<MatrixProduct> Create(int64_t rows, int64_t inner, int64_t cols,
                                              bool a_transposed, bool b_transposed, int threads) {
    using tag = memory::format_tag;
    const auto desc = [](int64_t m, int64_t n, bool transposed) {
      return memory::desc({m, n}, memory::data_type::f32, transposed ? tag::ba : tag::ab);
    };
    ThreadCountGuard guard(threads);
    try {
      MatrixProduct product;
      dnnl::primitive_attr attr;
      attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
      const memory::desc a = desc(rows, inner, a_transposed);
      const memory::desc b = desc(inner, cols, b_transposed);
      const memory::desc c = desc(rows, cols, false);
      const auto pd = compat::MakeMatmul(product.engine_, attr, a, b, c);
      product.implementation_ = absl::StrCat("matmul:", pd.impl_info_str());
      product.scratch_bytes_ = static_cast<int64_t>(pd.scratchpad_desc().get_size());
      product.executable_.set_primitive(dnnl::matmul(pd));
      product.executable_.Bind(DNNL_ARG_SRC, a, product.engine_);
      product.executable_.Bind(DNNL_ARG_WEIGHTS, b, product.engine_);
      product.executable_.Bind(DNNL_ARG_DST, c, product.engine_);
      product.executable_.Bind(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc(), product.engine_);
      return product;
    } catch (const dnnl::error& e) {
      return absl::UnimplementedError(absl::StrCat("oneDNN has no matrix product [", rows, ", ",
                                                   inner, "] x [", inner, ", ", cols,
                                                   "]: ", e.what()));
    }
  }

  absl::Status Run(const float* a, const float* b, float* c, void* scratch) {
    executable_.Set(DNNL_ARG_SRC, a);
    executable_.Set(DNNL_ARG_WEIGHTS, b);
    executable_.Set(DNNL_ARG_DST, c);
    executable_.Set(DNNL_ARG_SCRATCHPAD, scratch);
    return executable_.Run(stream_, "a matrix product");
  }

  const std::string& implementation() const { return implementation_; }
  int64_t scratch_bytes() const { return scratch_bytes_; }

 private:
  MatrixProduct() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  dnnl::engine engine_;
  dnnl::stream stream_;
  Executable executable_;
  std::string implementation_;
  int64_t scratch_bytes_ = 0;
};

class DenseKernel : public Kernel {
 public:
  DenseKernel(kernels::DenseExtents extents, kernels::UnaryLoop activation, MatrixProduct product,
              int threads)
      : e_(extents), activation_(activation), product_(std::move(product)), threads_(threads) {}

  std::string implementation() const override { return product_.implementation(); }
  int64_t scratch_bytes() const override { return product_.scratch_bytes(); }

  absl::Status Run(const KernelArgs& args) override {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return absl::OkStatus();
    ThreadCountGuard guard(threads_);
    SEQ_RETURN_IF_ERROR(product_.Run(In<float>(args, 0), In<float>(args, 1), y, args.scratch));
    const float* b = In<float>(args, 2);
    if (b != nullptr) kernels::AddRowLoop(y, b, e_.rows, e_.units, y);
    if (activation_ != nullptr) activation_(y, e_.rows * e_.units, y);
    return absl::OkStatus();
  }

 private:
  const kernels::DenseExtents e_;
  const kernels::UnaryLoop activation_;
  MatrixProduct product_;
  const int threads_;
};

class DenseGradKernel : public Kernel {
 public:
  DenseGradKernel(kernels::DenseExtents extents, MatrixProduct dx, MatrixProduct dw, int threads)
      : e_(extents), dx_(std::move(dx)), dw_(std::move(dw)), threads_(threads) {}

  std::string implementation() const override { return dw_.implementation(); }
  int64_t scratch_bytes() const override {
    return std::max(dx_.scratch_bytes(), dw_.scratch_bytes());
  }

  absl::Status Run(const KernelArgs& args) override {
    ThreadCountGuard guard(threads_);
    const float* dz = In<float>(args, 2);
    if (float* dx = Out<float>(args, 0); dx != nullptr) {
      SEQ_RETURN_IF_ERROR(dx_.Run(dz, In<float>(args, 1), dx, args.scratch));
    }
    if (float* dw = Out<float>(args, 1); dw != nullptr) {
      SEQ_RETURN_IF_ERROR(dw_.Run(In<float>(args, 0), dz, dw, args.scratch));
    }
    if (float* db = Out<float>(args, 2); db != nullptr) {
      kernels::SumRowsLoop(dz, e_.rows, e_.units, db);
    }
    return absl::OkStatus();
  }

 private:
  const kernels::DenseExtents e_;
  MatrixProduct dx_, dw_;
  const int threads_;
};

}  // namespace

Claim ClaimDense(const NodeContext& context) {
  const kernels::DenseExtents e = kernels::DenseExtentsOf(context);
  const auto fits = [](int64_t extent) { return extent >= 1 && extent <= INT32_MAX; };
  if (e.units > 1 && fits(e.rows) && fits(e.features) && fits(e.units)) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedShape, "no matrix product for oneDNN");
}

MadeKernel MakeDense(KernelContext& context) {
  const kernels::DenseExtents e = kernels::DenseExtentsOf(context);
  SEQ_ASSIGN_OR_RETURN(
      MatrixProduct product,
      MatrixProduct::Create(e.rows, e.features, e.units, false, false, context.threads()));
  return std::make_unique<DenseKernel>(
      e, kernels::LoopOf(ParseActivation(context.attributes().GetString("activation"))),
      std::move(product), context.threads());
}

MadeKernel MakeDenseGrad(KernelContext& context) {
  const kernels::DenseExtents e = kernels::DenseExtentsOf(context);
  const int threads = context.threads();
  SEQ_ASSIGN_OR_RETURN(MatrixProduct dx,
                       MatrixProduct::Create(e.rows, e.units, e.features, false, true, threads));
  SEQ_ASSIGN_OR_RETURN(MatrixProduct dw,
                       MatrixProduct::Create(e.features, e.rows, e.units, true, false, threads));
  return std::make_unique<DenseGradKernel>(e, std::move(dx), std::move(dw), threads);
}

}  // namespace seqgraph::onednn
