#include "runtime/node_by_definition.h"

namespace seqgraph {

NodeByDefinition::NodeByDefinition(const Function& function, int node)
    : node_(&function.nodes()[node]) {
  for (Value input : node_->inputs) {
    inputs_.push_back({nullptr, input.present() ? &function.type(input) : nullptr});
  }
  for (Value output : node_->outputs) outputs_.push_back({nullptr, &function.type(output)});
  real_ = ReferenceContext(inputs_, outputs_, node_->attributes).real();
}

absl::Status NodeByDefinition::Run(const KernelArgs& args) {
  // Reference computations read inputs through const views only.
  for (size_t i = 0; i < inputs_.size(); ++i) inputs_[i].data = const_cast<void*>(args.inputs[i]);
  for (size_t i = 0; i < outputs_.size(); ++i) outputs_[i].data = args.outputs[i];
  return node_->op->reference(real_)(ReferenceContext(inputs_, outputs_, node_->attributes));
}

}  // namespace seqgraph
