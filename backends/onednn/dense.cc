// Dense and DenseGrad on oneDNN's matrix product.

#include "backends/kernels/dense.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/packed_once.h"
#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/executable.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/run_guard.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
namespace {

using dnnl::memory;
using kernels::GemmShape;

class Matmul : public kernels::MatrixProduct {
 public:
  // Throws dnnl::error.
  Matmul(const GemmShape& shape, bool a_transposed, bool b_transposed)
      : shape_(shape), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    using tag = memory::format_tag;
    const auto desc = [](int64_t m, int64_t n, bool transposed) {
      return memory::desc({m, n}, memory::data_type::f32, transposed ? tag::ba : tag::ab);
    };
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const memory::desc a = desc(shape.rows, shape.inner, a_transposed);
    const memory::desc b = desc(shape.inner, shape.columns, b_transposed);
    const memory::desc c = desc(shape.rows, shape.columns, false);
    const auto pd = compat::MakeMatmul(engine_, attr, a, b, c);
    implementation_ = absl::StrCat("matmul:", pd.impl_info_str());
    scratch_bytes_ = static_cast<int64_t>(pd.scratchpad_desc().get_size());
    executable_.set_primitive(dnnl::matmul(pd));
    executable_.Bind(DNNL_ARG_SRC, a, engine_);
    executable_.Bind(DNNL_ARG_WEIGHTS, b, engine_);
    executable_.Bind(DNNL_ARG_DST, c, engine_);
    executable_.Bind(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc(), engine_);
  }

  std::string implementation() const override { return implementation_; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }

  absl::Status Run(const float* a, const float* b, const float* bias, float* c,
                   void* scratch) override {
    executable_.Set(DNNL_ARG_SRC, a);
    executable_.Set(DNNL_ARG_WEIGHTS, b);
    executable_.Set(DNNL_ARG_DST, c);
    executable_.Set(DNNL_ARG_SCRATCHPAD, scratch);
    SEQ_RETURN_IF_ERROR(executable_.Run(stream_, "a matrix product"));
    if (bias != nullptr) kernels::AddRowLoop(c, bias, shape_.rows, shape_.columns, c);
    return absl::OkStatus();
  }

 private:
  const GemmShape shape_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  Executable executable_;
  std::string implementation_;
  int64_t scratch_bytes_ = 0;
};

auto MatmulOn(int threads) {
  return [threads](const GemmShape& shape, bool a_transposed,
                   bool b_transposed) -> absl::StatusOr<std::unique_ptr<kernels::MatrixProduct>> {
    const ThreadCountGuard guard(threads);
    SEQ_RETURN_IF_ERROR(RoomForPrimitives());
    try {
      return std::make_unique<Matmul>(shape, a_transposed, b_transposed);
    } catch (const dnnl::error& e) {
      return CannotMake(e, absl::StrCat("matrix product [", shape.rows, ", ", shape.inner, "] x [",
                                        shape.inner, ", ", shape.columns, "]"));
    }
  };
}

}  // namespace

Claim ClaimDense(const NodeContext& context) {
  const GemmShape z = kernels::DenseShape(context);
  const auto fits = [](int64_t extent) { return extent >= 1 && extent <= INT32_MAX; };
  if (z.columns > 1 && fits(z.rows) && fits(z.inner) && fits(z.columns)) {
    return kernels::ClaimFloatWeights(context);
  }
  return Claim::No(ClaimReason::kUnsupportedShape, "no matrix product for oneDNN");
}

MadeKernel MakeDense(KernelContext& context) {
  return kernels::MakeDenseOn(MatmulOn(context.threads()), context);
}

MadeKernel MakeDenseGrad(KernelContext& context) {
  return kernels::MakeDenseGradOn(MatmulOn(context.threads()), context);
}

}  // namespace seqgraph::onednn
