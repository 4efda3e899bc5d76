#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// Builds a Function and checks it while building.
///
///   FunctionBuilder g("predict", registry);
///   Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), 100}});
///   Value table = g.Variable("embedding/embeddings", {500, 16}, Initializer::Uniform(0.05));
///   g.Result("embedded", ops::Embedding(g, tokens, table));
///   SEQ_ASSIGN_OR_RETURN(Function predict, std::move(g).Build());
///
/// The first mistake is kept and reported by status() and Build(); calls after it do nothing and
/// return absent values, so a graph is written without a check after each line.
class FunctionBuilder {
 public:
  /// `registry` must outlive the function.
  FunctionBuilder(std::string name, const OpRegistry& registry);
  /// Starts from a copy of `function`, all of whose values keep their index, under a new name.
  FunctionBuilder(std::string name, const OpRegistry& registry, const Function& function);

  FunctionBuilder(FunctionBuilder&&) noexcept;
  ~FunctionBuilder();

  /// Declares an input. The name must be new.
  Value Input(std::string name, TensorType type);

  /// Reads a variable. Declaring one name again gives the same value; with another type,
  /// initializer or role, or not as trainable, it is an error.
  Value Variable(VariableDef def);
  /// A trainable float32 weight.
  Value Variable(std::string name, Shape shape, Initializer initializer);

  /// Adds a node and gives its outputs, one for each that the op defines. Attributes that are left
  /// out take their defaults. An empty name becomes the op's in lower_snake_case; a name in use
  /// gets "_1", "_2", ... appended. Absent inputs are allowed where the op says optional; trailing
  /// ones may be left out.
  std::vector<Value> AddNode(absl::string_view op, absl::Span<const Value> inputs,
                             Attributes attributes = {}, std::string name = "");
  /// As AddNode, for operands that are called as the op calls them: `operand` gives the value of an
  /// input by its name, and `attributes` may be more than the op has.
  std::vector<Value> AddNodeByNames(absl::string_view op,
                                    absl::FunctionRef<Value(absl::string_view)> operand,
                                    const Attributes& attributes, std::string name = "");

  /// Names a value that a call returns.
  void Result(std::string name, Value value);
  /// Stores `value` in the variable when the call ends. The variable must have been read.
  void Update(std::string variable, Value value);

  /// The name for nodes that are added without one; empty: the op's in lower_snake_case. What is
  /// emitted on behalf of another node (its gradient) bears that node's name. Set it for a while
  /// by ScopedDefaultName.
  void set_default_name(std::string name) { default_name_ = std::move(name); }
  const std::string& default_name() const { return default_name_; }

  const absl::Status& status() const { return status_; }
  /// Keeps the first error: for op builders that check more than the schema says.
  void Fail(absl::Status status);
  const OpRegistry& registry() const { return registry_; }
  /// The function so far.
  const Function& function() const { return function_; }
  const TensorType& type(Value value) const;

  /// The function, or the first mistake. A function without results and updates is a mistake.
  absl::StatusOr<Function> Build() &&;

 private:
  Value AddValue(std::string name, TensorType type, Origin origin, int source, int output);
  std::string UniqueName(std::set<std::string>& taken, std::string name);
  absl::StatusOr<std::vector<Value>> TryAddNode(absl::string_view op,
                                                absl::Span<const Value> inputs,
                                                const Attributes& attributes,
                                                const std::string& name);
  bool Present(Value value) const;
  void FindConsumers();

  const OpRegistry& registry_;
  Function function_;
  absl::Status status_;
  std::string default_name_;
  std::set<std::string> value_names_;
  std::set<std::string> node_names_;
};

/// Sets the default name of a builder, and the one that it had before when it goes out of scope.
class ScopedDefaultName {
 public:
  ScopedDefaultName(FunctionBuilder& builder, std::string name)
      : builder_(builder), before_(builder.default_name()) {
    builder.set_default_name(std::move(name));
  }
  ~ScopedDefaultName() { builder_.set_default_name(before_); }
  ScopedDefaultName(const ScopedDefaultName&) = delete;
  ScopedDefaultName& operator=(const ScopedDefaultName&) = delete;

 private:
  FunctionBuilder& builder_;
  const std::string before_;
};

/// "RNNCell" -> "rnn_cell", "BCEWithLogits" -> "bce_with_logits".
std::string SnakeCase(absl::string_view camel_case);

}  // namespace seqgraph
