#ifndef SEQGRAPH_BACKENDS_KERNELS_FUSED_ELEMENTWISE_H_
#define SEQGRAPH_BACKENDS_KERNELS_FUSED_ELEMENTWISE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/loop_kernel.h"

namespace seqgraph::kernels {

/// A backend's loops over n floats, whose result may be the memory of an operand.
struct ElementwiseLoops {
  using Unary = void (*)(const float* x, int64_t n, float* y);
  using Binary = void (*)(const float* a, const float* b, int64_t n, float* y);

  Unary abs, sqrt, relu, sigmoid, tanh;
  Binary add, subtract, multiply, divide, maximum, relu_grad, sigmoid_grad, tanh_grad;
  void (*scale)(const float* x, float factor, int64_t n, float* y);
};

/// A kernel of an op that a program may hold (OpDef::Fusable), alone: the loop for it.
std::unique_ptr<Kernel> MakeElementwise(const NodeContext& context, const ElementwiseLoops& loops,
                                        BlockLoop for_blocks);

/// A kernel of FusedElementwise: runs its program block by block in the first cache, each
/// instruction by the loop for it.
absl::StatusOr<std::unique_ptr<Kernel>> MakeFusedElementwise(const NodeContext& context,
                                                             const ElementwiseLoops& loops);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_FUSED_ELEMENTWISE_H_
