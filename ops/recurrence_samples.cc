#include "ops/recurrence_samples.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "ops/recurrence.h"

namespace seqgraph::ops {

Tensor RunRNNCellSample(const OpSample& sample, double* kink_distance) {
  std::vector<ReferenceContext::Operand> operands(7);  // without masks
  for (size_t i = 0; i < 5; ++i) {
    const std::optional<Tensor>& input = sample.inputs[i];
    if (input.has_value()) operands[i] = {const_cast<void*>(input->data()), &input->type()};
  }
  Attributes attributes = sample.attributes;
  attributes.Set("reverse", false);
  const Recurrence<double> r(ReferenceContext(operands, {}, attributes), 5, 6);
  Tensor sequence = *Tensor::Zeros({DType::kFloat64, Shape{r.batch(), r.time(), r.units()}});
  std::vector<double> state(r.units()), z(r.units());
  *kink_distance = 1;
  const TensorView<double> view{sequence.Elements<double>().data(), sequence.shape()};
  for (int64_t n = 0; n < r.batch(); ++n) {
    RunForward(r, n, view, state.data(), [&](int64_t t, double* h) {
      ProjectInput(r, n, t, z.data());
      AddRecurrent(r, n, h, 0, 1, z.data());
      if (r.b) AddVector(r.b.data, r.units(), z.data());
      for (int64_t j = 0; j < r.units(); ++j) {
        *kink_distance = std::min(*kink_distance, std::abs(z[j]));
        h[j] = Activate(r.activation, z[j]);
      }
    });
  }
  return sequence;
}

}  // namespace seqgraph::ops
