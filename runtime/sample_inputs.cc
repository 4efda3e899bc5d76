#include "runtime/sample_inputs.h"

#include <algorithm>
#include <random>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

template <typename T, typename Draw>
void Fill(void* elements, int64_t n, Draw draw) {
  T* out = static_cast<T*>(elements);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(draw());
}

}  // namespace

void FillInputs(CompiledFunction& compiled, uint64_t seed) {
  std::mt19937_64 rng(seed);
  const auto unit = [&rng] { return static_cast<double>(rng() >> 40) * 0x1p-24; };
  const Function& function = compiled.function();
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const Value value = function.inputs()[i];
    const TensorType& type = function.type(value);
    const int64_t n = type.shape.num_elements();
    void* elements = compiled.input(static_cast<int>(i));
    const uint64_t limit =
        static_cast<uint64_t>(std::max<int64_t>(IndexLimit(function, value).value_or(2), 1));
    const auto index = [&rng, limit] { return rng() % limit; };
    if (type.dtype == DType::kFloat32) Fill<float>(elements, n, unit);
    if (type.dtype == DType::kFloat64) Fill<double>(elements, n, unit);
    if (type.dtype == DType::kInt32) Fill<int32_t>(elements, n, index);
    if (type.dtype == DType::kInt64) Fill<int64_t>(elements, n, index);
  }
}

absl::StatusOr<VariableStore> CopyVariables(const Function& function,
                                            const VariableStore& variables) {
  VariableStore copy;
  for (const VariableRead& read : function.variables()) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, variables.Get(read.def.name));
    SEQ_RETURN_IF_ERROR(copy.Add(variable->def, variable->value));
  }
  return copy;
}

}  // namespace seqgraph
