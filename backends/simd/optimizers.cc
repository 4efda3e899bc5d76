// SGDUpdate, RMSPropUpdate and AdamUpdate on vector loops.

#include "backends/kernels/optimizer_updates.h"
#include "backends/simd/kernel_makers.h"
#include "backends/simd/optimizer_loops.h"
#include "backends/simd/parallel.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::OptimizerLoops kLoops = {.sgd = SgdLoop,
                                            .sgd_momentum = SgdMomentumLoop,
                                            .rmsprop = RmsPropLoop,
                                            .rmsprop_general = RmsPropGeneralLoop,
                                            .adam = AdamLoop};

kernels::ForBlocks OnPool(const KernelContext& context) {
  return [pool = context.pool()](int64_t n, absl::FunctionRef<void(int64_t, int64_t)> f) {
    ForBlocks(*pool, n, f);
  };
}

}  // namespace

MadeKernel MakeSgdUpdate(KernelContext& context) {
  return kernels::MakeSgdUpdate(context, kLoops, OnPool(context));
}
MadeKernel MakeRmsPropUpdate(KernelContext& context) {
  return kernels::MakeRmsPropUpdate(context, kLoops, OnPool(context));
}
MadeKernel MakeAdamUpdate(KernelContext& context) {
  return kernels::MakeAdamUpdate(context, kLoops, OnPool(context));
}

}  // namespace seqgraph::simd
