#include "graph/cost.h"

#include <algorithm>

namespace seqgraph {
namespace {

double Size(const std::optional<TensorType>& type) {
  return type.has_value() ? static_cast<double>(type->shape.num_elements()) : 0;
}

int64_t Bytes(const std::optional<TensorType>& type) {
  return type.has_value() ? type->num_bytes() : 0;
}

}  // namespace

OpCost& OpCost::operator+=(const OpCost& other) {
  flops += other.flops;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  return *this;
}

bool CostContext::uses_any_output() const {
  return std::any_of(outputs_.begin(), outputs_.end(),
                     [](const std::optional<TensorType>& type) { return type.has_value(); });
}

double CostContext::input_size(int i) const { return Size(inputs_[i]); }
double CostContext::output_size(int i) const { return Size(outputs_[i]); }
int64_t CostContext::input_bytes(int i) const { return Bytes(inputs_[i]); }
int64_t CostContext::output_bytes(int i) const { return Bytes(outputs_[i]); }

OpCost CostContext::Moving(double flops) const {
  OpCost cost = Moving(flops, {});
  for (const std::optional<TensorType>& input : inputs_) cost.bytes_read += Bytes(input);
  return cost;
}

OpCost CostContext::Moving(double flops, std::initializer_list<int> inputs_read) const {
  OpCost cost{.flops = flops};
  for (int i : inputs_read) cost.bytes_read += input_bytes(i);
  for (const std::optional<TensorType>& output : outputs_) cost.bytes_written += Bytes(output);
  return cost;
}

OpCost CostContext::OneFlopEach() const {
  double elements = 0;
  for (const std::optional<TensorType>& output : outputs_) elements += Size(output);
  return Moving(elements);
}

}  // namespace seqgraph
