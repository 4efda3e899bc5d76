#pragma once

// ONNX models that tests make by hand.

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/onnx/node_export.h"
#include "serialization/onnx/onnx.pb.h"
#include "serialization/onnx/onnx_reader.h"
#include "tests/testing.h"

namespace seqgraph::onnx {

/// An ONNX model that grows. Extents are numbers, symbols, or "" for one that says nothing.
class Maker {
 public:
  explicit Maker(int64_t opset = 17);

  onnx_proto::ModelProto& model() { return model_; }

  Maker& Input(const std::string& name, const std::vector<std::string>& extents,
               int32_t type = onnx_proto::TensorProto::FLOAT);
  Maker& Initializer(const std::string& name, const Tensor& content);
  /// Named "my_Add" for an Add.
  onnx_proto::NodeProto* Node(const std::string& op, const std::vector<std::string>& inputs,
                              const std::vector<std::string>& outputs);
  Maker& Output(const std::string& name);

  absl::StatusOr<Model> Read(const OnnxReadOptions& options = {}) const;

 private:
  onnx_proto::ModelProto model_;
};

/// Adds an attribute that is a graph, for its nodes. (Other attributes: node_export.h.)
onnx_proto::GraphProto* AddGraph(onnx_proto::NodeProto* node, const char* name);

Tensor Floats(const Shape& shape, std::initializer_list<float> values);
Tensor Ints(std::initializer_list<int64_t> values);

/// The results of `predict` on the reference, for these inputs and batch.
absl::StatusOr<std::vector<Tensor>> Predict(Model& model, const std::vector<Tensor>& inputs,
                                            int64_t batch);

/// Matches a tensor with these elements.
MATCHER_P(Holds, values, "") {
  const Tensor real = arg.Cast(DType::kFloat64);
  const auto elements = real.template Elements<double>();
  return testing::ExplainMatchResult(testing::ElementsAreArray(values),
                                     std::vector<double>(elements.begin(), elements.end()),
                                     result_listener);
}
using Values = std::vector<double>;

}  // namespace seqgraph::onnx
