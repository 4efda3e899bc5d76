// The passes that any function can be cleaned up by, whatever its ops.

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_copy.h"
#include "graph/op_def.h"
#include "graph/pass.h"

namespace seqgraph {
namespace {

// All that decides what a node computes: op, version, attributes (whose keys tell -0 from 0),
// inputs.
std::string KeyOf(const Node& node, const std::vector<Value>& inputs) {
  std::string key = absl::StrCat(node.op->name(), " ", node.op->version());
  for (Value input : inputs) absl::StrAppend(&key, " ", input.index);
  for (const auto& [name, value] : node.attributes.entries()) {
    const std::string text = AttributeKey(value);
    absl::StrAppend(&key, " ", name, "=", text.size(), ":", text);
  }
  return key;
}

absl::StatusOr<Function> MergeEqualNodes(const Function& function, const OpRegistry& registry,
                                         int* count) {
  FunctionCopy copy(function, registry);
  copy.AddSignature();
  std::map<std::string, const Node*> first;
  int merged = 0;
  for (const Node& node : function.nodes()) {
    const auto [entry, is_new] = node.op->pure()
                                     ? first.emplace(KeyOf(node, copy.MappedInputs(node)), &node)
                                     : std::make_pair(first.end(), true);
    if (is_new) {
      copy.AddNode(node);
      continue;
    }
    ++merged;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      copy.new_values()[node.outputs[o].index] = copy.new_values()[entry->second->outputs[o].index];
    }
  }
  if (merged == 0) return function;
  *count += merged;
  return std::move(copy).Finish();
}

}  // namespace

FunctionPass DeadCode() {
  return {.name = "dead_code",
          .rule = "a node that no result and no update depends on goes",
          .cleans_up = true,
          .transform = [](const Function& function, const OpRegistry& registry,
                          int* count) -> absl::StatusOr<Function> {
            SEQ_ASSIGN_OR_RETURN(Function live, EliminateDeadCode(function, registry));
            *count += static_cast<int>(function.nodes().size() - live.nodes().size());
            return live;
          }};
}

FunctionPass CommonSubexpressions() {
  return {.name = "common_subexpressions",
          .rule = "f(x), f(x) = y, y with y = f(x)",
          .cleans_up = true,
          .transform = MergeEqualNodes};
}

}  // namespace seqgraph
