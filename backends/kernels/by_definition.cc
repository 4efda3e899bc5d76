// A kernel that is the op's own definition: for what is computed once a step, such as a power of
// its number, where no loop of ours would be faster.

#include <string>
#include <vector>

#include "backends/kernels/makers.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

class ByDefinition : public Kernel {
 public:
  explicit ByDefinition(const NodeContext& context)
      : op_(*context.node().op), attributes_(context.attributes()) {
    const auto add = [&](const std::vector<Value>& values, std::vector<TensorType>& types,
                         std::vector<ReferenceContext::Operand>& operands) {
      for (Value value : values) {
        types.push_back(value.present() ? context.function().type(value) : TensorType());
      }
      for (const TensorType& type : types) operands.push_back({nullptr, &type});
    };
    add(context.node().inputs, input_types_, inputs_);
    add(context.node().outputs, output_types_, outputs_);
  }

  std::string implementation() const override { return "definition"; }

  absl::Status Run(const KernelArgs& args) override {
    for (size_t i = 0; i < inputs_.size(); ++i) inputs_[i].data = const_cast<void*>(args.inputs[i]);
    for (size_t i = 0; i < outputs_.size(); ++i) outputs_[i].data = args.outputs[i];
    return op_.reference(DType::kFloat32)(ReferenceContext(inputs_, outputs_, attributes_));
  }

 private:
  const OpDef& op_;  // of a registry, which outlives every function
  const Attributes attributes_;
  std::vector<TensorType> input_types_, output_types_;
  std::vector<ReferenceContext::Operand> inputs_, outputs_;  // point at the types
};

}  // namespace

MadeKernel MakeByDefinition(const KernelContext& context) {
  return std::make_unique<ByDefinition>(context);
}

}  // namespace seqgraph::kernels
