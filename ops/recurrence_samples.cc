#include "ops/recurrence_samples.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "ops/recurrence.h"

namespace seqgraph::ops {

Tensor RunRNNCellSample(const OpSample& sample, double* kink_distance) {
  std::vector<ReferenceContext::Operand> operands(5);
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::optional<Tensor>& input = sample.inputs[i];
    if (input.has_value()) operands[i] = {const_cast<void*>(input->data()), &input->type()};
  }
  const Recurrence<double> r(ReferenceContext(operands, {}, sample.attributes));
  std::vector<double> sequence(r.batch() * r.time() * r.units());
  *kink_distance = 1;
  for (int64_t n = 0; n < r.batch(); ++n) {
    const double* h = r.h0_row(n);
    for (int64_t t = 0; t < r.time(); ++t) {
      double* next = sequence.data() + (n * r.time() + t) * r.units();
      PreActivation(r, n, t, h, next);
      for (int64_t j = 0; j < r.units(); ++j) {
        *kink_distance = std::min(*kink_distance, std::abs(next[j]));
        next[j] = Activate(r.activation, next[j]);
      }
      h = next;
    }
  }
  return Tensor::Of<double>(Shape{r.batch(), r.time(), r.units()}, sequence);
}

}  // namespace seqgraph::ops
