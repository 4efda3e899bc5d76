#include "graph/error_bound.h"

#include <algorithm>

#include "graph/op_def.h"

namespace seqgraph {

BoundRule ExactBound() {
  return [](const BoundContext&, int) { return ErrorBound{0, 0, "exact"}; };
}

double BoundContext::Largest(int input) const {
  return has_input(input) ? LargestFiniteMagnitude(*inputs_[input]) : 0;
}

double BoundContext::Largest(absl::string_view input) const {
  const int i = op_.FindInput(input);
  return i < 0 ? 0 : Largest(i);
}

double BoundContext::LargestOutput(int o) const { return LargestFiniteMagnitude(*exact_[o]); }

double BoundContext::LargestOperand(int o) const {
  double largest = LargestOutput(o);
  for (const Tensor* input : inputs_) {
    if (input == nullptr || !IsReal(input->dtype())) continue;
    largest = std::max(largest, LargestFiniteMagnitude(*input));
  }
  return largest;
}

}  // namespace seqgraph
