#include "backends/simd/kernels.h"

#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

// op, version, claim, maker.
constexpr KernelDef kKernels[] = {
    {"Embedding", 1, ClaimAlways, MakeEmbedding},
    {"EmbeddingGrad", 1, ClaimAlways, MakeEmbeddingGrad},
    {"OneHot", 1, ClaimOneHot, MakeOneHot},
    {"Dense", 1, ClaimAlways, MakeDense},
    {"DenseGrad", 1, ClaimAlways, MakeDenseGrad},
    {"BCE", 1, ClaimAlways, MakeBce},
    {"BCEGrad", 1, ClaimAlways, MakeBceGrad},
    {"BCEWithLogits", 1, ClaimAlways, MakeBceWithLogits},
    {"BCEWithLogitsGrad", 1, ClaimAlways, MakeBceWithLogitsGrad},
    {"Sigmoid", 1, ClaimAlways, MakeSigmoid},
    {"SigmoidGrad", 1, ClaimAlways, MakeSigmoidGrad},
    {"Tanh", 1, ClaimAlways, MakeTanh},
    {"TanhGrad", 1, ClaimAlways, MakeTanhGrad},
    {"Relu", 1, ClaimAlways, MakeRelu},
    {"ReluGrad", 1, ClaimAlways, MakeReluGrad},
    {"Add", 1, ClaimAlways, MakeAdd},
    {"Subtract", 1, ClaimAlways, MakeSubtract},
    {"Multiply", 1, ClaimAlways, MakeMultiply},
    {"Scale", 1, ClaimAlways, MakeScale},
    {"FillLike", 1, ClaimAlways, MakeFillLike},
    {"Increment", 1, ClaimAlways, MakeIncrement},
};

}  // namespace

absl::Span<const KernelDef> Kernels() { return kKernels; }

}  // namespace seqgraph::simd
