#include "tools/graph_test/error_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace seqgraph {
namespace {

constexpr double kElementaryRoundings = 8;

double Roundings(const Function& function) {
  double count = 0;
  for (const Node& node : function.nodes()) {
    count += kElementaryRoundings;
    for (const std::vector<Value>* operands : {&node.inputs, &node.outputs}) {
      for (const Value value : *operands) {
        if (value.present()) count += function.type(value).shape.num_elements();
      }
    }
  }
  return count;
}

// The largest finite magnitude of the real elements.
double Magnitude(const Tensor& tensor) {
  if (!IsReal(tensor.dtype())) return 0;
  const Tensor exact = tensor.Cast(DType::kFloat64);
  double largest = 0;
  for (const double x : exact.Elements<double>()) {
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  }
  return largest;
}

}  // namespace

double GraphErrorBound(const Function& function, const GraphTestCase& test, DType real) {
  double scale = 1;
  for (const GraphTestCase::Tensors* tensors :
       {&test.inputs, &test.results, &test.updates, &test.gradients, &test.gradient_weights}) {
    for (const auto& [name, tensor] : *tensors) scale = std::max(scale, Magnitude(tensor));
  }
  for (const Variable& variable : test.variables.all()) {
    if (function.FindVariable(variable.def.name) == nullptr) continue;
    scale = std::max(scale, Magnitude(variable.value));
  }
  const double unit_roundoff = real == DType::kFloat64 ? std::numeric_limits<double>::epsilon() / 2
                                                       : std::numeric_limits<float>::epsilon() / 2;
  return Roundings(function) * unit_roundoff * scale;
}

}  // namespace seqgraph
