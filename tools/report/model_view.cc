#include "tools/report/model_view.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "runtime/storage_plan.h"
#include "training/model_builder.h"

namespace seqgraph::tools {
namespace {

constexpr int kMostLevels = 6;

// A folder of nodes, or a node.
struct FlameNode {
  double ns = 0;
  std::string detail;
  std::vector<std::pair<std::string, std::unique_ptr<FlameNode>>> children;

  // The last child, where it has that name: what ran one after the other stays so.
  FlameNode& Child(const std::string& name) {
    if (children.empty() || children.back().first != name) {
      children.emplace_back(name, std::make_unique<FlameNode>());
    }
    return *children.back().second;
  }
};

void AddSpans(const FlameNode& node, const std::string& name, double begin, double all, int depth,
              std::vector<FlameSpan>& spans) {
  constexpr double kSmallest = 0.0005;  // half a pixel of a thousand
  const double share = all > 0 ? node.ns / all : 0;
  if (share < kSmallest) return;
  spans.push_back({name,
                   node.detail.empty() ? absl::StrFormat("%.4f ms", node.ns * 1e-6) : node.detail,
                   begin, share, depth});
  double at = begin;
  for (const auto& [child_name, child] : node.children) {
    AddSpans(*child, child_name, at, all, depth + 1, spans);
    at += all > 0 ? child->ns / all : 0;
  }
}

// The mean of each node's time over the recorded calls of a function, and of the calls themselves.
std::pair<std::vector<double>, double> MeanTimes(const Profile& profile, int number, size_t nodes,
                                                 int64_t& calls) {
  std::vector<double> times(nodes);
  double whole = 0;
  calls = 0;
  for (const Profile::Call& call : profile.calls()) {
    if (call.function != number || call.nodes.size() != nodes) continue;
    ++calls;
    whole += static_cast<double>(call.end_ns - call.begin_ns);
    for (size_t n = 0; n < nodes; ++n) {
      times[n] += static_cast<double>(call.nodes[n].end_ns - call.nodes[n].begin_ns);
    }
  }
  for (double& time : times) time /= static_cast<double>(std::max<int64_t>(calls, 1));
  return {std::move(times), whole / static_cast<double>(std::max<int64_t>(calls, 1))};
}

std::vector<OpTime> OpTimesOf(const std::vector<ProfiledNode>& nodes,
                              const std::vector<double>& times, double whole) {
  struct Sum {
    int64_t calls = 0;
    double ns = 0, flops = 0;
  };
  std::map<std::string, Sum> by_op;
  double in_nodes = 0;
  for (size_t n = 0; n < nodes.size(); ++n) {
    Sum& sum = by_op[nodes[n].op];
    ++sum.calls;
    sum.ns += times[n];
    sum.flops += nodes[n].cost.flops;
    in_nodes += times[n];
  }
  std::vector<OpTime> ops;
  for (const auto& [op, sum] : by_op) {
    ops.push_back({op, sum.calls, sum.ns * 1e-6, whole > 0 ? sum.ns / whole : 0,
                   sum.ns > 0 ? sum.flops / sum.ns : 0});
  }
  std::stable_sort(ops.begin(), ops.end(), [](auto& a, auto& b) { return a.ms > b.ms; });
  const double rest = whole - in_nodes;
  ops.push_back({"(dispatch)", 1, rest * 1e-6, whole > 0 ? rest / whole : 0, 0});
  return ops;
}

}  // namespace

StepProfile StepProfileOf(const Profile& profile, const std::string& function) {
  StepProfile step;
  step.function = function;
  for (size_t f = 0; f < profile.functions().size(); ++f) {
    const Profile::FunctionInfo& info = profile.functions()[f];
    if (info.name != function) continue;
    int64_t calls = 0;
    const auto [times, whole] = MeanTimes(profile, static_cast<int>(f), info.nodes.size(), calls);
    if (calls == 0 || whole * 1e-6 <= step.ms) continue;
    step.batch = info.batch;
    step.calls = calls;
    step.ms = whole * 1e-6;
    FlameNode root;
    root.ns = whole;
    for (size_t n = 0; n < info.nodes.size(); ++n) {
      const ProfiledNode& node = info.nodes[n];
      const std::vector<std::string> path =
          absl::StrSplit(node.node, absl::MaxSplits('/', kMostLevels));
      FlameNode* at = &root;
      for (const std::string& part : path) {
        at = &at->Child(part);
        at->ns += times[n];
      }
      at->detail = absl::StrFormat("%s (%s, %s: %s): %.4f ms; %s", node.node, node.op, node.backend,
                                   node.implementation, times[n] * 1e-6, node.shapes);
    }
    step.spans.clear();
    AddSpans(root, absl::StrCat(function, ", batch ", info.batch), 0, whole, 0, step.spans);
    step.ops = OpTimesOf(info.nodes, times, whole);
  }
  return step;
}

absl::Status ProfileSteps(ModelRunner& runner, const Examples& examples, int64_t batch,
                          int64_t steps) {
  const int64_t most = std::min(batch, examples.rows);
  SEQ_ASSIGN_OR_RETURN(DataPass pass, DataPass::Create(runner, kTrainStep, examples, most, ""));
  SEQ_RETURN_IF_ERROR(pass.Begin(0));
  const int64_t whole = std::max<int64_t>(1, examples.rows / most);
  for (int64_t step = 0; step < steps; ++step) {
    SEQ_RETURN_IF_ERROR(pass.Run(step % whole).status());
  }
  return absl::OkStatus();
}

MemoryPicture MemoryPictureOf(const CompiledFunction& compiled) {
  const Function& function = compiled.function();
  const StoragePlan plan = PlanStorage(function, {}, 0, compiled.constant_nodes());
  MemoryPicture picture;
  picture.function = function.name();
  picture.batch = compiled.batch();
  picture.nodes = static_cast<int>(function.nodes().size());
  picture.arena = plan.arena_bytes;
  picture.live_bound = plan.live_bound;
  picture.scratch = compiled.memory().scratch;
  picture.persistent = compiled.memory().persistent;
  picture.exact = plan.arena_bytes == compiled.memory().values;
  for (const ArenaBuffer& buffer : plan.buffers) {
    picture.buffers.push_back({buffer.value < 0
                                   ? "a variable's content"
                                   : function.values()[static_cast<size_t>(buffer.value)].name,
                               buffer.offset, buffer.bytes, buffer.first, buffer.last});
  }
  return picture;
}

}  // namespace seqgraph::tools
