#include "tools/graph_test/error_bound.h"

#include <algorithm>

#include "graph/node_bounds.h"

namespace seqgraph {
namespace {

double Magnitude(const Tensor& tensor) {
  return IsReal(tensor.dtype()) ? LargestFiniteMagnitude(tensor) : 0;
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
  return GraphErrorBound(function, scale, real);
}

}  // namespace seqgraph
