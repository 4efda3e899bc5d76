// Dense: y = act(x w + b).  DenseGrad: dx = dz w^T, dw = x^T dz, db = sum of dz over the rows.

#include "backends/kernels/dense.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/packed_loops.h"
#include "backends/kernels/packed_once.h"
#include "backends/kernels/parallel.h"
#include "backends/kernels/pieces.h"
#include "backends/kernels/reduction_loops.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {
namespace {

using OwnedProduct = std::unique_ptr<MatrixProduct>;

class DenseKernel : public Kernel {
 public:
  DenseKernel(OwnedProduct product, const KernelContext& context)
      : product_(std::move(product)),
        activation_(LoopOf(ParseActivation(context.attributes().GetString("activation")))),
        size_(context.output_size(0)),
        pool_(context.pool()) {}

  std::string implementation() const override { return product_->implementation(); }
  int64_t scratch_bytes() const override { return product_->scratch_bytes(); }

  absl::Status Run(const KernelArgs& args) override {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return absl::OkStatus();
    SEQ_RETURN_IF_ERROR(
        product_->Run(In<float>(args, 0), In<float>(args, 1), In<float>(args, 2), y, args.scratch));
    if (activation_ != nullptr) {
      ForBlocks(*pool_, size_, [&](int64_t i, int64_t n) { activation_(y + i, n, y + i); });
    }
    return absl::OkStatus();
  }

 private:
  const OwnedProduct product_;
  const UnaryLoop activation_;
  const int64_t size_;
  const std::shared_ptr<ThreadPool> pool_;
};

// By weights in fewer bits, which are packed once.
class PackedDenseKernel : public Kernel {
 public:
  PackedDenseKernel(WeightFormat format, const KernelContext& context)
      : format_(format),
        shape_(DenseShape(context)),
        activation_(LoopOf(ParseActivation(context.attributes().GetString("activation")))),
        packed_(context.program(), PackedMatrixBytes(format, shape_.inner, shape_.columns), {1}),
        pool_(context.pool()) {}

  std::string implementation() const override {
    return absl::StrCat("packed panels, ", WeightFormatName(format_), " weights");
  }
  int64_t scratch_bytes() const override {
    return MultiplyPackedScratch(shape_) * static_cast<int64_t>(sizeof(float));
  }

  absl::Status Run(const KernelArgs& args) override {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return absl::OkStatus();
    const PackedWeights w = packed_.Of(args);
    if (!w.current) {
      PackMatrix(format_, In<float>(args, 1), shape_.inner, shape_.columns, w.memory);
    }
    MultiplyPacked(shape_, In<float>(args, 0), format_, w.memory, In<float>(args, 2), y,
                   static_cast<float*>(args.scratch), *pool_);
    if (activation_ != nullptr) {
      ForBlocks(*pool_, shape_.rows * shape_.columns,
                [&](int64_t i, int64_t n) { activation_(y + i, n, y + i); });
    }
    return absl::OkStatus();
  }

 private:
  const WeightFormat format_;
  const GemmShape shape_;
  const UnaryLoop activation_;
  const PackedOnce packed_;
  const std::shared_ptr<ThreadPool> pool_;
};

class DenseGradKernel : public Kernel {
 public:
  DenseGradKernel(OwnedProduct dx, OwnedProduct dw, const GemmShape& shape)
      : dx_(std::move(dx)), dw_(std::move(dw)), shape_(shape) {}

  std::string implementation() const override { return dw_->implementation(); }
  int64_t scratch_bytes() const override {
    return std::max(dx_->scratch_bytes(), dw_->scratch_bytes());
  }

  absl::Status Run(const KernelArgs& args) override {
    const float* x = In<float>(args, 0);
    const float* w = In<float>(args, 1);
    const float* dz = In<float>(args, 2);
    if (float* dx = Out<float>(args, 0); dx != nullptr) {
      SEQ_RETURN_IF_ERROR(dx_->Run(dz, w, nullptr, dx, args.scratch));
    }
    if (float* dw = Out<float>(args, 1); dw != nullptr) {
      SEQ_RETURN_IF_ERROR(dw_->Run(x, dz, nullptr, dw, args.scratch));
    }
    if (float* db = Out<float>(args, 2); db != nullptr) {
      SumRowsLoop(dz, shape_.rows, shape_.columns, db);
    }
    return absl::OkStatus();
  }

 private:
  const OwnedProduct dx_, dw_;
  const GemmShape shape_;
};

// Multiply, on the pool.
class Gemm : public MatrixProduct {
 public:
  Gemm(const GemmShape& shape, bool a_transposed, bool b_transposed,
       std::shared_ptr<ThreadPool> pool)
      : shape_(shape),
        a_transposed_(a_transposed),
        b_transposed_(b_transposed),
        pool_(std::move(pool)) {}

  std::string implementation() const override { return "gemm"; }
  int64_t scratch_bytes() const override {
    return MultiplyScratch(shape_) * static_cast<int64_t>(sizeof(float));
  }
  absl::Status Run(const float* a, const float* b, const float* bias, float* c,
                   void* scratch) override {
    Multiply(shape_, a_transposed_ ? Transposed(a, shape_.rows) : RowMajor(a, shape_.inner),
             b_transposed_ ? Transposed(b, shape_.inner) : RowMajor(b, shape_.columns), bias, c,
             static_cast<float*>(scratch), *pool_);
    return absl::OkStatus();
  }

 private:
  const GemmShape shape_;
  const bool a_transposed_, b_transposed_;
  const std::shared_ptr<ThreadPool> pool_;
};

auto GemmOn(const KernelContext& context) {
  return [&](const GemmShape& shape, bool a_transposed, bool b_transposed) {
    return std::make_unique<Gemm>(shape, a_transposed, b_transposed, context.pool());
  };
}

}  // namespace

GemmShape DenseShape(const NodeContext& context) {
  const Shape& w = context.input_shape(1);
  GemmShape shape{1, w[0].size(), w[1].size()};
  const Shape& x = context.input_shape(0);
  for (int d = 0; d + 1 < x.rank(); ++d) shape.rows *= x[d].size();
  return shape;
}

MadeKernel MakeDenseOn(ProductMaker make_product, const KernelContext& context) {
  SEQ_ASSIGN_OR_RETURN(OwnedProduct product, make_product(DenseShape(context), false, false));
  return std::make_unique<DenseKernel>(std::move(product), context);
}

MadeKernel MakeDenseGradOn(ProductMaker make_product, const KernelContext& context) {
  const GemmShape z = DenseShape(context);
  SEQ_ASSIGN_OR_RETURN(OwnedProduct dx, make_product({z.rows, z.columns, z.inner}, false, true));
  SEQ_ASSIGN_OR_RETURN(OwnedProduct dw, make_product({z.inner, z.rows, z.columns}, true, false));
  return std::make_unique<DenseGradKernel>(std::move(dx), std::move(dw), z);
}

MadeKernel MakeDense(const KernelContext& context) {
  const WeightFormat format = PackedFormat(context, 1, /*axis=*/1);
  constexpr int64_t kNarrow = 8;  // columns that would be padded to twice as many and more
  if (format != WeightFormat::kFloat32 && DenseShape(context).columns > kNarrow) {
    return std::make_unique<PackedDenseKernel>(format, context);
  }
  return MakeDenseOn(GemmOn(context), context);
}
MadeKernel MakeDenseGrad(const KernelContext& context) {
  return MakeDenseGradOn(GemmOn(context), context);
}

// A product of matrices for each index of the axes in front. The products are cut into at most 16
// parts with scratch of their own.
MadeKernel MakeMatMul(const KernelContext& context) {
  const Shape &a = context.input_shape(0), &b = context.input_shape(1);
  const GemmShape z{a[a.rank() - 2].size(), a.back().size(), b.back().size()};
  int64_t products = 1;
  for (int d = 0; d + 2 < a.rank(); ++d) products *= a[d].size();
  const int64_t parts = std::min<int64_t>(products, 16), scratch = RoundUp(MultiplyScratch(z), 16);
  const auto loop = [=, pool = context.pool()](const KernelArgs& args) {
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    const auto part = [&](int64_t p) {
      for (int64_t i = products * p / parts; i < products * (p + 1) / parts; ++i) {
        Multiply(z, RowMajor(In<float>(args, 0) + i * z.rows * z.inner, z.inner),
                 RowMajor(In<float>(args, 1) + i * z.inner * z.columns, z.columns), nullptr,
                 y + i * z.rows * z.columns, static_cast<float*>(args.scratch) + p * scratch,
                 *pool);
      }
    };
    constexpr int64_t kWorthwhile = 1 << 18;  // operations for which a thread is worth waking up
    if (parts > 1 && products * z.rows * z.inner * z.columns >= kWorthwhile) {
      pool->ParallelFor(parts, part);
    } else {
      for (int64_t p = 0; p < parts; ++p) part(p);
    }
  };
  return MakeLoop(loop, parts * scratch * static_cast<int64_t>(sizeof(float)));
}

}  // namespace seqgraph::kernels
