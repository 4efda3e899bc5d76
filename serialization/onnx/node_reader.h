#pragma once

// Reads the nodes of a graph, one after the other, and of the graphs within: the branch that is
// taken, the body of a loop as often as it runs.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "serialization/onnx/graph_import.h"
#include "serialization/onnx/onnx.pb.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {

/// Operands by name, those of the graphs around too.
struct Scope {
  const Scope* outer = nullptr;
  absl::flat_hash_map<std::string, Operand> values;

  const Operand* Find(const std::string& name) const;
};

/// A name as it is shown and used for nodes and variables: no control characters, not too long.
std::string Shown(absl::string_view name);

/// InvalidArgument for no name, one that is too long, or that is there.
absl::Status Define(Scope& scope, const std::string& name, Operand operand);

/// The operator's name, behind its domain if that is not the default one: "com.microsoft:Gelu".
std::string KeyOf(absl::string_view domain, absl::string_view op);

/// True if the operator is known, in whatever opset.
bool KnowsOperator(absl::string_view op);

class NodeReader {
 public:
  NodeReader(GraphImport& graph, ExternalData external)
      : graph_(graph), external_(std::move(external)) {}

  /// Of the default domain.
  void set_opset(int64_t opset) { opset_ = opset; }
  /// Those that the model defines itself; `model` must outlive the reader.
  void SetFunctions(const onnx_proto::ModelProto& model);

  /// Numbers with axes are weights, unless only shapes come of them; scalars are constants. What is
  /// of a type that graphs do not have is refused where a node reads it.
  absl::Status ReadInitializers(const onnx_proto::GraphProto& graph, Scope& scope);
  absl::Status ReadNodes(const onnx_proto::GraphProto& graph, Scope& scope, int depth = 0);
  absl::StatusOr<Operand> Lookup(const std::string& name, const Scope& scope) const;
  /// True for an initializer that was refused.
  bool IsRefused(const std::string& name) const { return refused_.contains(name); }

 private:
  // A graph within a node, with its initializers.
  struct Body {
    const onnx_proto::GraphProto* graph;
    Scope scope;
  };

  absl::Status ReadNode(const onnx_proto::NodeProto& node, const std::string& name, Scope& scope,
                        int depth);
  absl::Status ReadCall(const onnx_proto::NodeProto& node,
                        const onnx_proto::FunctionProto& function, Scope& scope, int depth);
  absl::Status ReadIf(const onnx_proto::NodeProto& node, Scope& scope, int depth);
  absl::Status ReadLoop(const onnx_proto::NodeProto& node, Scope& scope, int depth);
  absl::Status ReadScan(const onnx_proto::NodeProto& node, Scope& scope, int depth);
  absl::StatusOr<Body> BodyOf(const onnx_proto::NodeProto& node, absl::string_view attribute,
                              const Scope& scope, int depth);
  // The outputs of one run.
  absl::StatusOr<std::vector<Operand>> Run(const Body& body, absl::Span<const Operand> inputs,
                                           int depth);
  absl::StatusOr<std::vector<Operand>> Inputs(const onnx_proto::NodeProto& node,
                                              const Scope& scope) const;
  // One of two results of a type.
  absl::StatusOr<Operand> Select(const Operand& condition, const Operand& a, const Operand& b);
  // Along a new axis.
  absl::StatusOr<Operand> Stack(std::vector<Operand> parts, int64_t axis);

  GraphImport& graph_;
  ExternalData external_;
  int64_t opset_ = 0;
  int64_t nodes_ = 0, tensors_ = 0;
  // By KeyOf; null: there are several.
  absl::flat_hash_map<std::string, const onnx_proto::FunctionProto*> functions_;
  absl::flat_hash_map<std::string, absl::Status> refused_;  // initializers, by name
};

}  // namespace seqgraph::onnx
