#include "tests/onnx/model_maker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "serialization/onnx/tensor.h"
#include "training/model_runner.h"

namespace seqgraph::onnx {

using onnx_proto::AttributeProto;
using onnx_proto::NodeProto;

Maker::Maker(int64_t opset) {
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name("made");
}

Maker& Maker::Input(const std::string& name, const std::vector<std::string>& extents,
                    int32_t type) {
  auto* info = model_.mutable_graph()->add_input();
  info->set_name(name);
  auto* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape();
  for (const std::string& extent : extents) {
    auto* dim = tensor->mutable_shape()->add_dim();
    if (extent.empty()) continue;
    if ((extent[0] >= '0' && extent[0] <= '9') || extent[0] == '-') {
      dim->set_dim_value(std::stoll(extent));
    } else {
      dim->set_dim_param(extent);
    }
  }
  return *this;
}

Maker& Maker::Initializer(const std::string& name, const Tensor& content) {
  *model_.mutable_graph()->add_initializer() = TensorToOnnx(content, name);
  return *this;
}

NodeProto* Maker::Node(const std::string& op, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs) {
  NodeProto* node = model_.mutable_graph()->add_node();
  node->set_op_type(op);
  node->set_name(absl::StrCat("my_", op));
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  return node;
}

Maker& Maker::Output(const std::string& name) {
  model_.mutable_graph()->add_output()->set_name(name);
  return *this;
}

absl::StatusOr<Model> Maker::Read(const OnnxReadOptions& options) const {
  return ParseOnnx(model_.SerializeAsString(), AllOps(), options);
}

onnx_proto::GraphProto* AddGraph(NodeProto* node, const char* name) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::GRAPH);
  return attribute->mutable_g();
}

Tensor Floats(const Shape& shape, std::initializer_list<float> values) {
  return Tensor::Of<float>(shape, values);
}

Tensor Ints(std::initializer_list<int64_t> values) {
  return Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

absl::StatusOr<std::vector<Tensor>> Predict(Model& model, const std::vector<Tensor>& inputs,
                                            int64_t batch) {
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSIGN_OR_RETURN(CompiledFunction* const predict, runner.Compile("predict", batch));
  for (size_t i = 0; i < inputs.size(); ++i) {
    SEQ_RETURN_IF_ERROR(predict->SetInput(static_cast<int>(i), inputs[i]));
  }
  SEQ_RETURN_IF_ERROR(predict->Run());
  std::vector<Tensor> results;
  for (size_t i = 0; i < predict->function().results().size(); ++i) {
    results.push_back(predict->Result(static_cast<int>(i)));
  }
  return results;
}

}  // namespace seqgraph::onnx
