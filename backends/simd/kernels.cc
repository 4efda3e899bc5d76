#include "backends/simd/kernels.h"

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/shared_rows.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

// op, version, claim, maker.
constexpr KernelDef kKernels[] = {
    {"RNNCell", 1, ClaimAlways, MakeRnnCell},
    {"RNNCellGrad", 1, ClaimAlways, MakeRnnCellGrad},
    {"LookupRNNCell", 1, ClaimAlways, MakeLookupRnnCell},
    {"LookupRNNCellGrad", 1, ClaimAlways, MakeLookupRnnCellGrad},
    {"Embedding", 1, ClaimAlways, MakeEmbedding},
    {"EmbeddingGrad", 1, ClaimAlways, MakeEmbeddingGrad},
    {"OneHot", 1, kernels::ClaimOneHot,
     kernels::Shared<kernels::MakeOneHot<kernels::FindBadId>, KernelContext>},
    {"Dense", 1, ClaimAlways, MakeDense},
    {"DenseGrad", 1, ClaimAlways, MakeDenseGrad},
    {"BCEWithLogits", 1, ClaimAlways, MakeBceWithLogits},
    {"BCEWithLogitsGrad", 1, ClaimAlways, MakeBceWithLogitsGrad},
    {"Sigmoid", 1, ClaimAlways, MakeElementwise},
    {"SigmoidGrad", 1, ClaimAlways, MakeElementwise},
    {"Tanh", 1, ClaimAlways, MakeElementwise},
    {"TanhGrad", 1, ClaimAlways, MakeElementwise},
    {"Relu", 1, ClaimAlways, MakeElementwise},
    {"ReluGrad", 1, ClaimAlways, MakeElementwise},
    {"Add", 1, ClaimAlways, MakeElementwise},
    {"Subtract", 1, ClaimAlways, MakeElementwise},
    {"Multiply", 1, ClaimAlways, MakeElementwise},
    {"Divide", 1, ClaimAlways, MakeElementwise},
    {"Maximum", 1, ClaimAlways, MakeElementwise},
    {"Abs", 1, ClaimAlways, MakeElementwise},
    {"Sqrt", 1, ClaimAlways, MakeElementwise},
    {"Scale", 1, ClaimAlways, MakeElementwise},
    {"FusedElementwise", 2, ClaimAlways, MakeFusedElementwise},
    {"ReduceSum", 1, ClaimAlways, MakeReduceSum},
    {"ReduceMean", 1, ClaimAlways, MakeReduceMean},
    {"SGDUpdate", 1, ClaimAlways, MakeSgdUpdate},
    {"RMSPropUpdate", 1, ClaimAlways, MakeRmsPropUpdate},
    {"AdamUpdate", 1, ClaimAlways, MakeAdamUpdate},
};

}  // namespace

absl::Span<const KernelDef> Kernels() {
  static const auto* const kAll = kernels::WithSharedRows<KernelDef>(kKernels);
  return *kAll;
}

}  // namespace seqgraph::simd
