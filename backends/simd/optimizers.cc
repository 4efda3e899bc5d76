// SGDUpdate, RMSPropUpdate and AdamUpdate on vector loops.

#include "backends/kernels/optimizer_loops.h"
#include "backends/kernels/optimizer_updates.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::OptimizerLoops kLoops = {.sgd = kernels::SgdLoop,
                                            .sgd_momentum = kernels::SgdMomentumLoop,
                                            .rmsprop = kernels::RmsPropLoop,
                                            .rmsprop_general = kernels::RmsPropGeneralLoop,
                                            .adam = kernels::AdamLoop};

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
