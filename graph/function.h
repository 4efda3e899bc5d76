#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "graph/attributes.h"
#include "graph/shape.h"

namespace seqgraph {

class OpDef;  // graph/op_def.h

/// Names a value of one function: an input, the content of a variable, or an output of a node.
/// A default-constructed Value is absent (an optional input that is not given).
struct Value {
  int index = -1;

  constexpr bool present() const { return index >= 0; }
  friend constexpr bool operator==(Value a, Value b) { return a.index == b.index; }
  friend constexpr bool operator!=(Value a, Value b) { return a.index != b.index; }
  friend constexpr bool operator<(Value a, Value b) { return a.index < b.index; }
};

/// How a variable starts, and what it is for. Formulas: training/initializers.h.
struct Initializer {
  enum class Kind { kZeros, kConstant, kUniform, kGlorotUniform, kOrthogonal };
  Kind kind = Kind::kZeros;
  double value = 0;  ///< kConstant: the value; kUniform: drawn from [-value, value)

  static Initializer Zeros() { return {}; }
  static Initializer Constant(double value) { return {Kind::kConstant, value}; }
  static Initializer Uniform(double limit) { return {Kind::kUniform, limit}; }
  static Initializer GlorotUniform() { return {Kind::kGlorotUniform, 0}; }
  static Initializer Orthogonal() { return {Kind::kOrthogonal, 0}; }

  friend bool operator==(const Initializer&, const Initializer&) = default;
};

enum class VariableRole {
  kWeight,     ///< part of the model; trained if `trainable`
  kOptimizer,  ///< state of the optimizer: slots, counters, the learning rate
};

/// Declares a variable: state that outlives one call and that several functions share by name.
struct VariableDef {
  std::string name;  ///< path-like: "embedding/embeddings"
  TensorType type;   ///< static shape
  Initializer initializer;
  VariableRole role = VariableRole::kWeight;
  bool trainable = true;

  friend bool operator==(const VariableDef&, const VariableDef&) = default;
};

/// Where a value comes from.
enum class Origin { kInput, kVariable, kNode };

struct ValueInfo {
  std::string name;  ///< unique in the function
  TensorType type;
  Origin origin = Origin::kInput;
  int source = 0;  ///< index into inputs(), variables() or nodes()
  int output = 0;  ///< kNode: which output of the node
};

struct Node {
  std::string name;  ///< unique among the function's nodes
  const OpDef* op = nullptr;
  Attributes attributes;       ///< complete
  std::vector<Value> inputs;   ///< one for each of op->inputs(), absent ones included
  std::vector<Value> outputs;  ///< one for each of op->outputs(), always present
};

/// The oldest compatible version of the node's op that has all that the node uses: inputs that are
/// there, attributes that differ from their default. Files and plugins get the node as one of that
/// version, so that what knows no other can read all that it understands, and refuses the rest.
int NodeVersion(const Node& node);

struct VariableRead {
  VariableDef def;
  Value value;  ///< the content when the call begins
};

struct NamedValue {
  std::string name;
  Value value;
};

/// A static, typed graph of ops: inputs and variables in, results and variable updates out. Nodes
/// are in topological order. Immutable; made by FunctionBuilder, which checks everything.
class Function {
 public:
  Function();
  Function(const Function&);
  Function(Function&&) noexcept;
  Function& operator=(const Function&);
  Function& operator=(Function&&) noexcept;
  ~Function();

  const std::string& name() const { return name_; }
  const std::vector<ValueInfo>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  /// In the order of declaration; their names are values' names.
  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<VariableRead>& variables() const { return variables_; }
  /// What a call returns, by name.
  const std::vector<NamedValue>& results() const { return results_; }
  /// New contents of variables (by variable name), stored when the call ends.
  const std::vector<NamedValue>& updates() const { return updates_; }

  const ValueInfo& info(Value value) const { return values_[value.index]; }
  const TensorType& type(Value value) const { return values_[value.index].type; }
  /// The node that computes the value, or null.
  const Node* producer(Value value) const;
  /// Absent if there is none of that name.
  Value FindValue(absl::string_view name) const;
  Value FindResult(absl::string_view name) const;
  const VariableRead* FindVariable(absl::string_view name) const;
  /// For each value the indices of the nodes that read it, ascending; a node that reads it twice is
  /// listed once.
  const std::vector<std::vector<int>>& Consumers() const { return consumers_; }
  /// For each value: true if a node reads it or it is a result or an update.
  std::vector<bool> UsedValues() const;
  /// True if some shape still has the symbolic batch.
  bool has_symbolic_batch() const;

 private:
  friend class FunctionBuilder;
  friend class FunctionTestPeer;  // breaks functions, for tests of the verifier
  std::string name_;
  std::vector<ValueInfo> values_;
  std::vector<Node> nodes_;
  std::vector<Value> inputs_;
  std::vector<VariableRead> variables_;
  std::vector<NamedValue> results_;
  std::vector<NamedValue> updates_;
  std::vector<std::vector<int>> consumers_;
};

/// How many values the elements of an integer value may take, by what the nodes that read it index
/// (InputDef::below); the smallest of them, nullopt where nothing tells.
std::optional<int64_t> IndexLimit(const Function& function, Value value);

}  // namespace seqgraph
