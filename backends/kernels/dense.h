#pragma once

// Kernels of Dense and DenseGrad on any matrix product.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/kernels/gemm.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// A product of matrices of fixed extents, which was made for them.
class MatrixProduct {
 public:
  virtual ~MatrixProduct() = default;
  /// For people, as Kernel::implementation.
  virtual std::string implementation() const = 0;
  virtual int64_t scratch_bytes() const = 0;
  /// c = a b, plus `bias` in each row (null: none).
  virtual absl::Status Run(const float* a, const float* b, const float* bias, float* c,
                           void* scratch) = 0;
};

/// Makes the product of that shape, where either factor may lie transposed in memory.
using ProductMaker = absl::FunctionRef<absl::StatusOr<std::unique_ptr<MatrixProduct>>(
    const GemmShape& shape, bool a_transposed, bool b_transposed)>;

/// Of a Dense or DenseGrad node: x is [rows, features], where rows stands for any number of leading
/// extents, and w is [features, units].
GemmShape DenseShape(const NodeContext& context);

MadeKernel MakeDenseOn(ProductMaker make_product, const KernelContext& context);
MadeKernel MakeDenseGradOn(ProductMaker make_product, const KernelContext& context);

}  // namespace seqgraph::kernels
