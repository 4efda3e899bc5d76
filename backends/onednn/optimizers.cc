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

void InOneBlock(int64_t n, absl::FunctionRef<void(int64_t, int64_t)> f) { f(0, n); }

}  // namespace

MadeKernel MakeSgdUpdate(KernelContext& context) {
  return kernels::MakeSgdUpdate(context, kLoops, InOneBlock);
}
MadeKernel MakeRmsPropUpdate(KernelContext& context) {
  return kernels::MakeRmsPropUpdate(context, kLoops, InOneBlock);
}
MadeKernel MakeAdamUpdate(KernelContext& context) {
  return kernels::MakeAdamUpdate(context, kLoops, InOneBlock);
}

}  // namespace seqgraph::onednn
