#include "runtime/node_by_definition.h"

#include <algorithm>
#include <array>

namespace seqgraph {
namespace {

// Inputs and outputs of an op: no op has half as many.
constexpr size_t kMostOperands = 48;

}  // namespace

NodeByDefinition::NodeByDefinition(const Function& function, int node)
    : node_(&function.nodes()[node]) {
  for (Value input : node_->inputs) {
    inputs_.push_back({nullptr, input.present() ? &function.type(input) : nullptr});
  }
  for (Value output : node_->outputs) outputs_.push_back({nullptr, &function.type(output)});
  SEQ_CHECK(inputs_.size() + outputs_.size() <= kMostOperands);
  real_ = ReferenceContext(inputs_, outputs_, node_->attributes).real();
}

absl::Status NodeByDefinition::Run(const KernelArgs& args) const {
  // Copies, for several threads may be here at once.
  std::array<Operand, kMostOperands> operands;
  const absl::Span<Operand> inputs(operands.data(), inputs_.size());
  const absl::Span<Operand> outputs(operands.data() + inputs_.size(), outputs_.size());
  std::copy(inputs_.begin(), inputs_.end(), inputs.begin());
  std::copy(outputs_.begin(), outputs_.end(), outputs.begin());
  // Reference computations read inputs through const views only.
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].data = const_cast<void*>(args.inputs[i]);
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i].data = args.outputs[i];
  return node_->op->reference(real_)(ReferenceContext(inputs, outputs, node_->attributes));
}

}  // namespace seqgraph
