#include "backends/simd/kernels.h"

#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

// op, version, claim, maker.
constexpr KernelDef kKernels[] = {
    {"Sigmoid", 1, ClaimAlways, MakeSigmoid},   {"SigmoidGrad", 1, ClaimAlways, MakeSigmoidGrad},
    {"Tanh", 1, ClaimAlways, MakeTanh},         {"TanhGrad", 1, ClaimAlways, MakeTanhGrad},
    {"Relu", 1, ClaimAlways, MakeRelu},         {"ReluGrad", 1, ClaimAlways, MakeReluGrad},
    {"Add", 1, ClaimAlways, MakeAdd},           {"Subtract", 1, ClaimAlways, MakeSubtract},
    {"Multiply", 1, ClaimAlways, MakeMultiply}, {"Scale", 1, ClaimAlways, MakeScale},
    {"FillLike", 1, ClaimAlways, MakeFillLike}, {"Increment", 1, ClaimAlways, MakeIncrement},
};

}  // namespace

absl::Span<const KernelDef> Kernels() { return kKernels; }

}  // namespace seqgraph::simd
