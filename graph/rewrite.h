#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/function_builder.h"

namespace seqgraph {

/// What one sweep of rewrites knows of the old function, and has done to it so far.
struct SweepState {
  explicit SweepState(const Function& function);

  std::vector<std::vector<int>> consumers;  ///< Function::Consumers()
  std::vector<bool> leaves;                 ///< for each value: it is a result or an update
  std::vector<bool> dropped;                ///< for each node: by a rewrite at an earlier one
  std::vector<int> just_dropped;            ///< by the rewrite that is being applied
};

/// What a rewrite rule sees at one node: the old function to match on, the builder of the new one
/// to emit into, and the new value of each old one that comes before.
class RewriteContext {
 public:
  RewriteContext(const Function& source, const Node& node, FunctionBuilder& builder,
                 std::vector<Value>& new_values, SweepState& sweep)
      : source_(source), node_(node), builder_(builder), new_values_(new_values), sweep_(sweep) {}

  const Function& source() const { return source_; }
  const Node& node() const { return node_; }
  FunctionBuilder& builder() { return builder_; }
  const FunctionBuilder& builder() const { return builder_; }
  /// The value of the new function that stands for `old`; absent for an absent one.
  Value Mapped(Value old) const { return old.present() ? new_values_[old.index] : Value{}; }
  /// The node of the old function that computes `old`; null if none does, or one of another op.
  const Node* Producer(Value old, absl::string_view op) const;
  /// The nodes of the old function that read `old`.
  const std::vector<int>& Consumers(Value old) const { return sweep_.consumers[old.index]; }
  /// True if `old` is a result or an update.
  bool Leaves(Value old) const { return sweep_.leaves[old.index]; }
  /// True if the node is the only reader of `old`, which is neither result nor update: it dies with
  /// the node.
  bool OnlyReader(Value old) const { return !Leaves(old) && Consumers(old).size() == 1; }
  /// Lets `replacement`, a value of the same type, stand for output i of the node. A rule that
  /// returns true must have replaced every output that is used (checked), but for those that only
  /// nodes read which it dropped.
  void ReplaceOutput(int i, Value replacement) {
    new_values_[node_.outputs[i].index] = replacement;
  }
  /// Emits the node once more, with the same name and attributes, and other values for the inputs
  /// named: its outputs.
  std::vector<Value> Copy(
      std::initializer_list<std::pair<absl::string_view, Value>> changed_inputs);
  /// Drops a later node of the old function together with this one. All its outputs that are used
  /// must get a replacement too (checked).
  void ReplaceLater(const Node& later, int i, Value replacement);

 private:
  const Function& source_;
  const Node& node_;
  FunctionBuilder& builder_;
  std::vector<Value>& new_values_;
  SweepState& sweep_;
};

/// Replaces nodes by others that compute the same values (within the op's numerical bounds).
struct Rewrite {
  std::string name;  ///< lower_snake_case
  std::string rule;  ///< one line: "RNNCell(OneHot(i), w) = RNNCell(Embedding(i, w))"
  /// True if the node matched and its outputs are replaced; false leaves it as it is.
  std::function<absl::StatusOr<bool>(RewriteContext&)> apply;
  /// Ops, of which the second reads what the first computes, that it looks for: random functions of
  /// tests have them side by side.
  std::vector<std::pair<std::string, std::string>> chains = {};
};

/// How often each rewrite fired.
struct RewriteCount {
  std::string name;
  int count = 0;
};

/// Where a rewrite fired, and the names of the nodes that it emitted there.
struct Firing {
  int rewrite = 0;
  int node = 0;
  std::vector<std::string> emitted;
};

struct RewrittenOnce {
  Function function;  ///< with what is now dead
  std::vector<Firing> firings;
};

/// One sweep: applies the first of the rewrites that matches at each node that `allowed` is true
/// for (empty: at all).
absl::StatusOr<RewrittenOnce> RewriteOnce(const Function& function, const OpRegistry& registry,
                                          absl::Span<const Rewrite> rewrites,
                                          const std::vector<bool>& allowed = {});

/// Applies the rewrites, in order, at each node, again and again until none matches, and drops what
/// is then dead. Names, inputs, variables, results and updates stay. Fails with Internal if they do
/// not come to rest.
absl::StatusOr<Function> ApplyRewrites(const Function& function, const OpRegistry& registry,
                                       absl::Span<const Rewrite> rewrites,
                                       std::vector<RewriteCount>* counts = nullptr);

/// Without the nodes that no result and no update depends on, and without the variables that are
/// then not read. Inputs stay: they are the function's signature.
absl::StatusOr<Function> EliminateDeadCode(const Function& function, const OpRegistry& registry);

/// With the batch set to `batch` (>= 1), so that every shape is static.
absl::StatusOr<Function> BindBatch(const Function& function, const OpRegistry& registry,
                                   int64_t batch);

/// With every real value (variables, inputs and results too) of type `real`: the same mathematics
/// in double is the oracle for float.
absl::StatusOr<Function> WithRealType(const Function& function, const OpRegistry& registry,
                                      DType real);

}  // namespace seqgraph
