#include "tools/diff/report.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "graph/compare.h"
#include "graph/op_def.h"

namespace seqgraph::diff {
namespace {

// The implementation, and by whom where that is not the second.
std::string Runner(const NodeRecord& record, const LockstepOptions& options) {
  if (record.backend == options.second->info().name) return record.implementation;
  return absl::StrCat(record.implementation, " (", record.backend, ")");
}

// Which nodes the second leaves to the rest; nothing if it takes all.
std::string RestText(const LockstepResult& result, const LockstepOptions& options) {
  const std::string& second = options.second->info().name;
  std::map<std::string, std::set<std::string>> ops;  // by backend
  int64_t count = 0;
  for (const NodeRecord& record : result.nodes) {
    if (record.backend == second) continue;
    ops[record.backend].insert(record.op);
    ++count;
  }
  if (count == 0) return "";
  std::vector<std::string> by_backend;
  for (const auto& [backend, names] : ops) {
    by_backend.push_back(absl::StrCat(backend, " runs them: ", absl::StrJoin(names, ", ")));
  }
  return absl::StrCat(second, " does not take ", count, " of ", result.nodes.size(), " nodes; ",
                      absl::StrJoin(by_backend, "; "), "\n");
}

std::string NodesText(const LockstepResult& result, const LockstepOptions& options) {
  size_t name = 4, op = 2;
  for (const NodeRecord& record : result.nodes) {
    if (record.compared == 0) continue;
    name = std::max(name, record.node.size());
    op = std::max(op, record.op.size());
  }
  std::string text = absl::StrFormat("%-*s  %-*s  %18s  %12s  %s\n", name, "node", op, "op",
                                     "measured / allowed", "difference", "implementation");
  for (const NodeRecord& record : result.nodes) {
    if (record.compared == 0) continue;
    absl::StrAppendFormat(&text, "%-*s  %-*s  %18.3g  %12.3g  %s\n", name, record.node, op,
                          record.op, record.ratio, record.difference, Runner(record, options));
  }
  return text;
}

std::string GrowthText(const LockstepResult& result) {
  std::string text;
  for (const auto& [node, growth] : result.growth) {
    absl::StrAppendFormat(&text,
                          "%s: one step multiplies an error by at most %.4g (spectral norm of u); "
                          "roundings of all steps together grow %.4g times as much as with an "
                          "orthogonal u (at the actual states)\n",
                          node, growth.spectral_norm, growth.amplification);
  }
  return text;
}

std::string StepsText(const LockstepResult& result, const LockstepOptions& options) {
  std::string text;
  for (size_t i = 0; i < result.steps.size(); ++i) {
    const StepRecord& step = result.steps[i];
    absl::StrAppend(&text, "after step ", i + 1, ":");
    for (const auto& [name, values] : step.scalars) {
      absl::StrAppendFormat(&text, " %s %.9g (%s) %.9g (%s);", name, values.first,
                            options.first->info().name, values.second, options.second->info().name);
    }
    if (!step.variable.empty()) {
      absl::StrAppendFormat(&text, " variables differ by at most %.3g of their largest element, %s",
                            step.difference, step.variable);
    }
    text += "\n";
  }
  return text;
}

std::string FaultText(const LockstepResult& result, const LockstepOptions& options) {
  const Fault& fault = *result.fault;
  const Node& node = result.function.nodes()[fault.node];
  if (fault.damage.has_value()) {
    return absl::StrFormat("WRITES OUTSIDE ITS BUFFERS in step %d: node %s (%s, %s) %s\n",
                           fault.step + 1, node.name, node.op->name(),
                           Runner(result.nodes[fault.node], options), fault.damage->ToString());
  }
  if (!fault.overwritten.empty()) {
    const Value value = result.function.FindValue(fault.overwritten);
    return absl::StrFormat(
        "WRITES PAST ITS OUTPUTS in step %d: node %s (%s) changed %s%s, which is none of them, "
        "from %.9g to %.9g\n",
        fault.step + 1, node.name, node.op->name(), fault.overwritten,
        IndexText(fault.element, result.function.type(value).shape), fault.first, fault.second);
  }
  const TensorType& type = result.function.type(node.outputs[fault.output]);
  const double allowed = fault.bound.absolute();
  std::string text = absl::StrFormat(
      "BEYOND ITS BOUND in step %d: node %s (%s), output %s%s\n", fault.step + 1, node.name,
      node.op->name(), node.op->outputs()[fault.output].name, IndexText(fault.element, type.shape));
  absl::StrAppendFormat(&text,
                        "  %s: %.9g\n  %s: %.9g (%s)\n  exact, from the same inputs: %.17g\n",
                        options.first->info().name, fault.first, options.second->info().name,
                        fault.second, Runner(result.nodes[fault.node], options), fault.exact);
  absl::StrAppendFormat(&text, "  measured / allowed: %.3g / %.3g = %.3g\n  allowed: %s, of %.6g\n",
                        fault.measured, allowed, fault.measured / allowed, fault.bound.formula,
                        fault.bound.scale);
  if (fault.group.size() > 1) {
    absl::StrAppend(&text, "  one of ",
                    absl::StrJoin(fault.group, ", ",
                                  [&](std::string* out, int n) {
                                    out->append(result.function.nodes()[n].name);
                                  }),
                    ": what they pass on to each other is private to the backend\n");
  }
  return text;
}

}  // namespace

std::string ReportText(const LockstepResult& result, const LockstepOptions& options) {
  std::string text = absl::StrCat(RestText(result, options), NodesText(result, options));
  if (!result.opaque_values.empty()) {
    absl::StrAppend(&text, "not seen, for they are private to the backend: ",
                    absl::StrJoin(result.opaque_values, ", "), "\n");
  }
  absl::StrAppend(&text, GrowthText(result), StepsText(result, options));
  if (result.fault.has_value()) absl::StrAppend(&text, FaultText(result, options));
  return text;
}

std::string CaseText(const LockstepResult& result, const LockstepOptions& options,
                     const MinimalCase& found, const std::string& path) {
  const Node& last = result.function.nodes()[found.nodes.back()];
  const std::string what = found.nodes.size() == 1
                               ? absl::StrCat("node ", last.name, " (", last.op->name(), ") alone")
                               : absl::StrCat(found.nodes.size(), " nodes up to ", last.name, " (",
                                              last.op->name(), ")");
  std::vector<std::string> backends = {options.second->info().name};
  for (int n : found.nodes) {
    const std::string& backend = result.nodes[n].backend;
    if (std::find(backends.begin(), backends.end(), backend) == backends.end()) {
      backends.push_back(backend);
    }
  }
  return absl::StrCat("  guilty: ", what,
                      found.two_calls ? ", in the second of two calls, after variables changed: a "
                                        "copy of them is stale?"
                                      : "",
                      "\nWrote a case of ", found.elements, " numbers that shows it: ", path,
                      "\n  seqgraph test ", path, " --backend=", absl::StrJoin(backends, ","),
                      "\n");
}

}  // namespace seqgraph::diff
