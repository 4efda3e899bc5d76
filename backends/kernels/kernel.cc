#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

Claim ClaimFloat32(const NodeContext& context) {
  const Node& node = context.node();
  for (const auto* operands : {&node.inputs, &node.outputs}) {
    for (Value value : *operands) {
      if (!value.present() || context.function().type(value).dtype != DType::kFloat64) continue;
      return Claim::No(ClaimReason::kUnsupportedType, "float64 (float32 is there)");
    }
  }
  return Claim::Yes();
}

}  // namespace seqgraph::kernels
