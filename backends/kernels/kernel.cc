#include "backends/kernels/kernel.h"

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {

Claim ClaimFloat32(const NodeContext& context) {
  const Node& node = context.node();
  const auto check = [&](TypeRule rule, Value value) {
    if (!value.present()) return Claim::Yes();
    const DType dtype = context.function().type(value).dtype;
    const bool fits = dtype == DType::kFloat32 || (node.op->moves() && dtype == DType::kInt32);
    const bool other = rule == TypeRule::kNumber && !fits;
    if (!other && dtype != DType::kFloat64) return Claim::Yes();
    return Claim::No(ClaimReason::kUnsupportedType,
                     absl::StrCat(DTypeName(dtype), " (float32 is there)"));
  };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Claim claim = check(node.op->inputs()[i].type, node.inputs[i]);
    if (!claim.claimed()) return claim;
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Claim claim = check(node.op->outputs()[i].type, node.outputs[i]);
    if (!claim.claimed()) return claim;
  }
  return Claim::Yes();
}

}  // namespace seqgraph::kernels
