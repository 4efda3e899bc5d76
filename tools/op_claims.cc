#include "tools/op_claims.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph::tools {
namespace {

constexpr int kSamples = 24;

// A function of one node, with inputs of the types of `inputs`, reals being float32.
absl::StatusOr<Function> Alone(const OpDef& op, const OpRegistry& registry,
                               const std::vector<std::optional<Tensor>>& inputs,
                               const Attributes& attributes) {
  FunctionBuilder g("claim", registry);
  std::vector<Value> values;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].has_value()) {
      values.push_back({});
      continue;
    }
    TensorType type = inputs[i]->type();
    if (IsReal(type.dtype)) type.dtype = DType::kFloat32;
    values.push_back(g.Input(op.inputs()[i].name, type));
  }
  const std::vector<Value> outputs = g.AddNode(op.name(), values, attributes);
  for (size_t i = 0; i < outputs.size(); ++i) g.Result(op.outputs()[i].name, outputs[i]);
  return std::move(g).Build();
}

absl::Status Ask(const Backend& backend, const OpRegistry& registry,
                 const std::vector<std::optional<Tensor>>& inputs, const Attributes& attributes,
                 OpClaims* claims) {
  SEQ_ASSIGN_OR_RETURN(const Function function, Alone(*claims->op, registry, inputs, attributes));
  const Claim claim = backend.ClaimFunction(function).nodes[0];
  ++claims->uses;
  claims->claimed += claim.claimed();
  claims->kernels += claim.has_kernel();
  if (claim.has_kernel()) return absl::OkStatus();
  std::string reason = absl::StrCat(ClaimReasonName(claim.reason), ": ", claim.text);
  if (std::find(claims->reasons.begin(), claims->reasons.end(), reason) == claims->reasons.end()) {
    claims->reasons.push_back(std::move(reason));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<OpClaims>> ClaimsOfAllOps(const Backend& backend,
                                                     const OpRegistry& registry) {
  std::vector<OpClaims> all;
  for (const OpDef* op : registry.All()) {
    OpClaims claims{.op = op};
    for (const OpExample& example : op->examples()) {
      SEQ_RETURN_IF_ERROR(Ask(backend, registry, example.inputs, example.attributes, &claims));
    }
    SampleSource source(/*seed=*/1);
    for (int i = 0; i < kSamples && op->sampler(); ++i) {
      const OpSample sample = op->sampler()(source);
      SEQ_RETURN_IF_ERROR(Ask(backend, registry, sample.inputs, sample.attributes, &claims));
    }
    all.push_back(std::move(claims));
  }
  return all;
}

absl::StatusOr<std::set<std::string>> OpsWithKernels(const Backend& backend,
                                                     const OpRegistry& registry) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<OpClaims> all, ClaimsOfAllOps(backend, registry));
  std::set<std::string> names;
  for (const OpClaims& claims : all) {
    if (claims.kernels > 0) names.insert(claims.op->name());
  }
  return names;
}

}  // namespace seqgraph::tools
