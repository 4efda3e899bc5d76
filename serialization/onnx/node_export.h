#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "serialization/onnx/onnx.pb.h"

namespace seqgraph::onnx {

/// A graph that grows: names of values, nodes, initializers.
struct MaskSteps;  // export_mask.h

class GraphExport {
 public:
  GraphExport(const Model& model, const Function& function, onnx_proto::GraphProto* graph);

  const Function& function() const { return function_; }
  const Model& model() const { return model_; }
  const std::vector<std::vector<int>>& consumers() const { return consumers_; }

  /// The name of a value in ONNX; empty for an absent one. The name of a variable: it becomes an
  /// initializer.
  std::string NameOf(Value value);
  /// A new name that begins like this.
  std::string Fresh(const std::string& prefix);
  /// An initializer with this content; its name begins like this.
  std::string Initializer(const Tensor& content, const std::string& prefix);
  std::string Ints(const std::vector<int64_t>& values, const std::string& prefix);

  /// A node with one output of that name, and still without one of its own.
  onnx_proto::NodeProto* Add(const std::string& op, const std::vector<std::string>& inputs,
                             const std::string& output);

  /// Gives every node a name of its own: that which it has, else that of its first output.
  void NameNodes();

  /// What StepsOf wrote for a mask; null before.
  std::shared_ptr<MaskSteps>& mask_steps(Value mask) { return mask_steps_[mask.index]; }

  /// The content of a variable; Unimplemented if the value is none.
  absl::StatusOr<Tensor> Content(Value value) const;

 private:
  const Model& model_;
  const Function& function_;
  onnx_proto::GraphProto* graph_;
  std::vector<std::vector<int>> consumers_;
  std::vector<std::string> names_;  // by value; of variables once they are initializers
  absl::flat_hash_set<std::string> taken_;
  std::map<int, std::shared_ptr<MaskSteps>> mask_steps_;  // by value
};

class NodeExport;

struct ExporterRow {
  const char* op;  ///< ours
  /// Gives the last node that it adds; null if none is needed.
  absl::StatusOr<onnx_proto::NodeProto*> (*write)(NodeExport&);
  // Where it is for several ops: ONNX's operator, and an attribute here and there.
  const char* onnx = nullptr;
  const char* attribute = nullptr;
  const char* onnx_attribute = nullptr;
};

/// What an exporter sees of one of our nodes.
class NodeExport {
 public:
  NodeExport(GraphExport& graph, const ExporterRow& row, const Node& node)
      : graph_(graph), row_(row), node_(node) {}

  GraphExport& graph() { return graph_; }
  const ExporterRow& row() const { return row_; }
  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  bool has_input(int i) const { return node_.inputs[i].present(); }
  std::string input(int i) { return graph_.NameOf(node_.inputs[i]); }
  std::string output(int i) { return graph_.NameOf(node_.outputs[i]); }
  const TensorType& input_type(int i) const { return graph_.function().type(node_.inputs[i]); }
  const TensorType& output_type(int i) const { return graph_.function().type(node_.outputs[i]); }
  /// True if a node reads output i, or it is a result.
  bool uses_output(int i) const;
  /// A new name for something on the way, after the node.
  std::string Between(const std::string& what) { return graph_.Fresh(node_.name + "/" + what); }
  /// A node on the way; gives the name of its output.
  std::string Emit(const std::string& op, const std::vector<std::string>& inputs) {
    std::string name = Between(op);
    graph_.Add(op, inputs, name);
    return name;
  }
  /// A node that gives output 0.
  onnx_proto::NodeProto* Write(const std::string& op, const std::vector<std::string>& inputs) {
    return graph_.Add(op, inputs, output(0));
  }
  /// Initializers that belong to the node.
  std::string Initializer(const Tensor& content, const std::string& what) {
    return graph_.Initializer(content, node_.name + "/" + what);
  }
  std::string Ints(const std::vector<int64_t>& values, const std::string& what) {
    return graph_.Ints(values, node_.name + "/" + what);
  }

 private:
  GraphExport& graph_;
  const ExporterRow& row_;
  const Node& node_;
};

/// "Tanh" for "tanh".
std::string OnnxActivation(const std::string& activation);

// Each adds an attribute and gives the node.
onnx_proto::NodeProto* SetInt(onnx_proto::NodeProto* node, const char* name, int64_t value);
onnx_proto::NodeProto* SetFloat(onnx_proto::NodeProto* node, const char* name, double value);
onnx_proto::NodeProto* SetInts(onnx_proto::NodeProto* node, const char* name,
                               const std::vector<int64_t>& values);
onnx_proto::NodeProto* SetString(onnx_proto::NodeProto* node, const char* name,
                                 const std::string& value);
onnx_proto::NodeProto* SetStrings(onnx_proto::NodeProto* node, const char* name,
                                  const std::vector<std::string>& values);
onnx_proto::NodeProto* SetTensor(onnx_proto::NodeProto* node, const char* name,
                                 const Tensor& value);

absl::Span<const ExporterRow> PlainExporters();
absl::Span<const ExporterRow> RecurrentExporters();
absl::Span<const ExporterRow> WindowExporters();

}  // namespace seqgraph::onnx
