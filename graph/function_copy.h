#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/function_builder.h"

namespace seqgraph {

/// Copies a function node by node into a new one of the same name, leaving room for changes on the
/// way: what transforms functions is made of it.
class FunctionCopy {
 public:
  /// `source` and `registry` must outlive the copy.
  FunctionCopy(const Function& source, const OpRegistry& registry)
      : source_(source), builder_(source.name(), registry), new_values_(source.values().size()) {}

  FunctionBuilder& builder() { return builder_; }
  /// For each value of the source the one that stands for it; absent until it is known.
  std::vector<Value>& new_values() { return new_values_; }
  /// The same for the inputs of a node; absent for absent ones.
  std::vector<Value> MappedInputs(const Node& node) const;

  void AddInput(Value input, TensorType type);
  void AddVariable(const VariableRead& read, VariableDef def);
  /// All inputs and variables, as they are.
  void AddSignature();
  /// The node on the new values of its inputs. With another definition of the attributes where a
  /// change asks for it.
  void AddNode(const Node& node, const Attributes& attributes);
  void AddNode(const Node& node) { AddNode(node, node.attributes); }

  /// With the results and updates of the source.
  absl::StatusOr<Function> Finish() &&;

 private:
  const Function& source_;
  FunctionBuilder builder_;
  std::vector<Value> new_values_;
};

/// The value if a node computes it, else a copy: an input or a variable as a result that has memory
/// of its own, so that states that are handed on to each other can be stored in any order. Absent
/// where the value is.
Value AsComputed(FunctionBuilder& builder, Value value);

}  // namespace seqgraph
