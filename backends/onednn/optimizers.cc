// SGDUpdate, RMSPropUpdate and AdamUpdate on loops of our own.

#include "backends/kernels/optimizer_updates.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {
namespace {

constexpr kernels::OptimizerLoops kLoops = {.sgd = SgdUpdate,
                                            .sgd_momentum = SgdMomentumUpdate,
                                            .rmsprop = RmsPropUpdate,
                                            .rmsprop_general = RmsPropGeneralUpdate,
                                            .adam = AdamUpdate};

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

}  // namespace seqgraph::onednn
