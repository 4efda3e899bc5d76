#include "runtime/profile.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_cost.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

std::string Shapes(const Function& function, const Node& node, const std::vector<bool>& used) {
  std::string text;
  const auto append = [&](Value value) {
    absl::StrAppend(&text, text.empty() || text.back() == ' ' ? "" : ", ",
                    function.type(value).ToString());
  };
  for (Value input : node.inputs) {
    if (input.present()) append(input);
  }
  text += " -> ";
  for (Value output : node.outputs) {
    if (used[output.index]) append(output);
  }
  return text;
}

}  // namespace

std::vector<int64_t> LiveBytes(const CompiledFunction& compiled) {
  const auto nodes = static_cast<int>(compiled.function().nodes().size());
  // What comes with a node, and what goes before it; then summed up.
  std::vector<int64_t> live(static_cast<size_t>(nodes) + 1);
  for (const ArenaBuffer& buffer : compiled.buffers()) {
    const int first = std::clamp(buffer.first, 0, nodes);
    live[first] += buffer.bytes;
    live[std::clamp(buffer.last + 1, first, nodes)] -= buffer.bytes;
  }
  for (int n = 1; n < nodes; ++n) live[n] += live[n - 1];
  live.resize(nodes);
  return live;
}

std::vector<ProfiledNode> DescribeNodes(const CompiledFunction& compiled) {
  const Function& function = compiled.function();
  const std::vector<bool> used = function.UsedValues();
  const std::vector<int64_t> live = LiveBytes(compiled);
  std::vector<ProfiledNode> nodes;
  for (size_t n = 0; n < function.nodes().size(); ++n) {
    const Node& node = function.nodes()[n];
    const NodeAssignment& assignment = compiled.assignments()[n];
    const bool kept = compiled.constant_nodes()[n];
    nodes.push_back({node.name, node.op->name(), assignment.backend,
                     absl::StrCat(assignment.implementation, kept ? " (kept between calls)" : ""),
                     Shapes(function, node, used), kept ? OpCost() : NodeCost(function, node, used),
                     live[n]});
  }
  return nodes;
}

int Profile::AddFunction(const CompiledFunction& function) {
  functions_.push_back({function.function().name(), function.batch(), DescribeNodes(function)});
  timer_.Reserve(functions_.back().nodes.size());
  return static_cast<int>(functions_.size()) - 1;
}

absl::Status Profile::Run(int number, CompiledFunction& function) {
  FunctionInfo& info = functions_[number];
  const bool record = info.calls >= options_.warm_up && info.recorded < options_.calls &&
                      node_times_ + info.nodes.size() <= kMaxNodeTimes;
  ++info.calls;
  if (!record) return function.Run();
  timer_.Clear();
  const int64_t begin = trace_.Now();
  SEQ_RETURN_IF_ERROR(function.Run(&timer_));
  calls_.push_back({number, begin, trace_.Now(), timer_.times()});
  ++info.recorded;
  node_times_ += info.nodes.size();
  return absl::OkStatus();
}

}  // namespace seqgraph
