#include "graph/function_copy.h"

#include <utility>

#include "graph/op_def.h"

namespace seqgraph {

std::vector<Value> FunctionCopy::MappedInputs(const Node& node) const {
  std::vector<Value> inputs;
  for (Value input : node.inputs) {
    inputs.push_back(input.present() ? new_values_[input.index] : Value{});
  }
  return inputs;
}

void FunctionCopy::AddInput(Value input, TensorType type) {
  new_values_[input.index] = builder_.Input(source_.info(input).name, std::move(type));
}

void FunctionCopy::AddVariable(const VariableRead& read, VariableDef def) {
  new_values_[read.value.index] = builder_.Variable(std::move(def));
}

void FunctionCopy::AddSignature() {
  for (Value input : source_.inputs()) AddInput(input, source_.type(input));
  for (const VariableRead& read : source_.variables()) AddVariable(read, read.def);
}

void FunctionCopy::AddNode(const Node& node, const Attributes& attributes) {
  const std::vector<Value> outputs =
      builder_.AddNode(node.op->name(), MappedInputs(node), attributes, node.name);
  for (size_t i = 0; i < node.outputs.size() && i < outputs.size(); ++i) {
    new_values_[node.outputs[i].index] = outputs[i];
  }
}

absl::StatusOr<Function> FunctionCopy::Finish() && {
  for (const NamedValue& result : source_.results()) {
    builder_.Result(result.name, new_values_[result.value.index]);
  }
  for (const NamedValue& update : source_.updates()) {
    builder_.Update(update.name, new_values_[update.value.index]);
  }
  return std::move(builder_).Build();
}

Value AsComputed(FunctionBuilder& builder, Value value) {
  if (!value.present() || builder.function().info(value).origin == Origin::kNode) return value;
  std::vector<int64_t> shape;
  for (const Dim dim : builder.type(value).shape.dims()) shape.push_back(dim.size());
  return builder.AddNode("Reshape", {value}, {{"shape", std::move(shape)}})[0];
}

}  // namespace seqgraph
