#include "tools/bench/inputs.h"

#include <cstdint>

#include "base/status_macros.h"
#include "graph/op_def.h"
#include "graph/tensor.h"
#include "training/model_builder.h"

namespace seqgraph::bench {
namespace {

constexpr uint64_t kSeed = 1;

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

absl::Status FillInputs(const Function& function, CompiledFunction& compiled) {
  SampleSource source(kSeed);
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const Value input = function.inputs()[i];
    const int index = compiled.FindInput(function.info(input).name);
    if (index < 0) continue;
    const Shape shape = function.type(input).shape.Bind(compiled.batch());
    SEQ_RETURN_IF_ERROR(compiled.SetInput(
        index, Draw(source, function.info(input), shape, IndexLimit(function, input).value_or(1))));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::bench
