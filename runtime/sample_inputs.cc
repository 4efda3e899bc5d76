#include "runtime/sample_inputs.h"

#include <algorithm>
#include <limits>
#include <random>

#include "absl/strings/string_view.h"

namespace seqgraph {
namespace {

// An op that takes indices as operand `index`, below an extent of operand `table` or, without such
// an operand, below an attribute.
struct IndexRule {
  const char* op;
  int index;
  int table;              // -1: the attribute
  int axis;               // of the table; -1: its last
  const char* attribute;  // null: the table
};

constexpr IndexRule kIndexRules[] = {
    {"Embedding", 0, 1, 0, nullptr},     {"EmbeddingGrad", 0, -1, 0, "rows"},
    {"LookupRNNCell", 0, 1, 0, nullptr}, {"LookupRNNCellGrad", 0, 1, 0, nullptr},
    {"OneHot", 0, -1, 0, "depth"},
};

int64_t LimitOf(const Function& function, const Node& node, const IndexRule& rule) {
  if (rule.attribute != nullptr) return node.attributes.GetInt(rule.attribute);
  const Shape& table = function.type(node.inputs[rule.table]).shape;
  return table[rule.axis < 0 ? table.rank() + rule.axis : rule.axis].size();
}

template <typename T, typename Draw>
void Fill(void* elements, int64_t n, Draw draw) {
  T* out = static_cast<T*>(elements);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(draw());
}

}  // namespace

int64_t IndexLimit(const Function& function, Value input) {
  int64_t limit = std::numeric_limits<int64_t>::max();
  for (const Node& node : function.nodes()) {
    for (const IndexRule& rule : kIndexRules) {
      if (node.op->name() != rule.op || node.inputs[rule.index] != input) continue;
      limit = std::min(limit, LimitOf(function, node, rule));
    }
  }
  return limit == std::numeric_limits<int64_t>::max() ? 2 : limit;
}

void FillInputs(CompiledFunction& compiled, uint64_t seed) {
  std::mt19937_64 rng(seed);
  const auto unit = [&rng] { return static_cast<double>(rng() >> 40) * 0x1p-24; };
  const Function& function = compiled.function();
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const Value value = function.inputs()[i];
    const TensorType& type = function.type(value);
    const int64_t n = type.shape.num_elements();
    void* elements = compiled.input(static_cast<int>(i));
    const uint64_t limit = static_cast<uint64_t>(std::max<int64_t>(IndexLimit(function, value), 1));
    const auto index = [&rng, limit] { return rng() % limit; };
    if (type.dtype == DType::kFloat32) Fill<float>(elements, n, unit);
    if (type.dtype == DType::kFloat64) Fill<double>(elements, n, unit);
    if (type.dtype == DType::kInt32) Fill<int32_t>(elements, n, index);
    if (type.dtype == DType::kInt64) Fill<int64_t>(elements, n, index);
  }
}

}  // namespace seqgraph
