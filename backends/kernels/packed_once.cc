#include "backends/kernels/packed_once.h"

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

// The node that rounds the input; null: none does.
const Node* RoundedBy(const NodeContext& context, int input) {
  if (!context.has_input(input)) return nullptr;
  const Node* node = context.function().producer(context.node().inputs[input]);
  return node != nullptr && node->op->name() == "RoundWeights" ? node : nullptr;
}

}  // namespace

WeightFormat PackedFormat(const NodeContext& context, int input, int64_t axis, int64_t few) {
  const Node* rounded = RoundedBy(context, input);
  if (rounded == nullptr || context.input_size(input) <= few) return WeightFormat::kFloat32;
  const WeightFormat format = ParseWeightFormat(rounded->attributes.GetString("format"));
  const bool has_axis = rounded->attributes.GetInt("axis") == axis;
  return has_axis || format == WeightFormat::kBf16 ? format : WeightFormat::kFloat32;
}

Claim ClaimFloatWeights(const NodeContext& context) {
  for (size_t i = 0; i < context.node().inputs.size(); ++i) {
    const int input = static_cast<int>(i);
    const Node* rounded = RoundedBy(context, input);
    if (rounded == nullptr || context.input_size(input) <= kFewWeights) continue;
    return Claim::No(ClaimReason::kUnsupportedType,
                     absl::StrCat(rounded->attributes.GetString("format"), " for ",
                                  context.node().op->inputs()[i].name, " (float32 is there)"));
  }
  return Claim::Yes();
}

PackedWeights PackedOnce::Of(const KernelArgs& args) const {
  auto* const of = reinterpret_cast<uint64_t*>(FloatsAt(args.persistent, offset_));
  bool current = true;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const int input = inputs_[i];
    const uint64_t version = args.versions[input];
    // 0: it may hold anything in each call.
    current = current && version == of[i] && (version != 0 || args.inputs[input] == nullptr);
    if (of[i] != version) of[i] = version;  // others may only read it
  }
  return {FloatsAt(args.persistent, offset_ + kVersions), current};
}

}  // namespace seqgraph::kernels
