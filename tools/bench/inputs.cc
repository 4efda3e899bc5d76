#include "tools/bench/inputs.h"

#include <algorithm>
#include <limits>

#include "base/status_macros.h"
#include "graph/tensor.h"
#include "training/model_builder.h"

namespace seqgraph::bench {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// What one node allows for the ids that it reads as its first input.
int64_t LimitOf(const Function& function, const Node& node) {
  if (node.op->name() == "OneHot") return node.attributes.GetInt("depth");
  if (node.op->name() == "EmbeddingGrad") return node.attributes.GetInt("rows");
  if (node.op->name() == "Embedding") return function.type(node.inputs[1]).shape[0].size();
  return kNoLimit;
}

Tensor Draw(SampleSource& source, const ValueInfo& info, const Shape& shape, int64_t limit) {
  switch (info.type.dtype) {
    case DType::kInt32:
      return source.Indices(shape, limit);
    case DType::kInt64:
      return Tensor::Zeros({DType::kInt64, shape}).value();
    case DType::kFloat32:
    case DType::kFloat64:
      break;
  }
  const Tensor reals = info.name == kLabels ? source.Indices(shape, 2) : source.Reals(shape);
  return reals.Cast(info.type.dtype);
}

}  // namespace

int64_t IdLimit(const Function& function, Value input) {
  int64_t limit = kNoLimit;
  for (const Node& node : function.nodes()) {
    if (!node.inputs.empty() && node.inputs[0] == input) {
      limit = std::min(limit, LimitOf(function, node));
    }
  }
  return limit == kNoLimit ? 1 : std::min<int64_t>(limit, std::numeric_limits<int32_t>::max());
}

absl::Status FillInputs(const Function& function, CompiledFunction& compiled) {
  SampleSource source(kSeed);
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const Value input = function.inputs()[i];
    const int index = compiled.FindInput(function.info(input).name);
    if (index < 0) continue;
    const Shape shape = function.type(input).shape.Bind(compiled.batch());
    SEQ_RETURN_IF_ERROR(compiled.SetInput(
        index, Draw(source, function.info(input), shape, IdLimit(function, input))));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::bench
