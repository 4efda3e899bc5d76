// SGDUpdate, RMSPropUpdate and AdamUpdate on vector loops.

#include "backends/kernels/optimizer_updates.h"
#include "backends/simd/kernel_makers.h"
#include "backends/simd/optimizer_loops.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::OptimizerLoops kLoops = {.sgd = SgdLoop,
                                            .sgd_momentum = SgdMomentumLoop,
                                            .rmsprop = RmsPropLoop,
                                            .rmsprop_general = RmsPropGeneralLoop,
                                            .adam = AdamLoop};

}  // namespace

MadeKernel MakeSgdUpdate(KernelContext& context) {
  return kernels::MakeSgdUpdate(context, kLoops, context.for_blocks());
}
MadeKernel MakeRmsPropUpdate(KernelContext& context) {
  return kernels::MakeRmsPropUpdate(context, kLoops, context.for_blocks());
}
MadeKernel MakeAdamUpdate(KernelContext& context) {
  return kernels::MakeAdamUpdate(context, kLoops, context.for_blocks());
}

}  // namespace seqgraph::simd
