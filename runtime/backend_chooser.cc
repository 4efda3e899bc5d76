#include "runtime/backend_chooser.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "base/status_macros.h"
#include "base/trace.h"
#include "graph/function_cost.h"
#include "graph/op_def.h"
#include "runtime/profile.h"
#include "runtime/sample_inputs.h"

namespace seqgraph {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One way to compile the function, with what was measured.
struct Variant {
  std::string first;  // the backend that was asked first
  std::unique_ptr<CompiledFunction> compiled;
  std::vector<double> node_seconds;  // the fastest; 0 where outputs are kept between calls
  double whole = std::numeric_limits<double>::infinity();

  const std::vector<Node>& nodes() const { return compiled->function().nodes(); }
};

// Runs the function for about that long, at least 3 times; the first call, which pays for pages and
// packing, does not count.
absl::Status MeasureNodes(Variant& variant, double seconds) {
  FillInputs(*variant.compiled);
  const size_t nodes = variant.nodes().size();
  variant.node_seconds.assign(nodes, std::numeric_limits<double>::infinity());
  const Trace clock;
  NodeTimer timer(clock);
  timer.Reserve(nodes);
  SEQ_RETURN_IF_ERROR(variant.compiled->Run(&timer));
  const Clock::time_point start = Clock::now();
  for (int run = 0; run < 3 || SecondsSince(start) < seconds; ++run) {
    timer.Clear();
    SEQ_RETURN_IF_ERROR(variant.compiled->Run(&timer));
    for (size_t n = 0; n < nodes; ++n) {
      const auto& [begin, end] = timer.times()[n];
      variant.node_seconds[n] =
          std::min(variant.node_seconds[n], static_cast<double>(end - begin) * 1e-9);
    }
  }
  return absl::OkStatus();
}

// Times whole calls, the variants in turn, so that what else the machine does hits all alike.
absl::Status MeasureWhole(std::vector<Variant*> variants, double seconds) {
  const Clock::time_point start = Clock::now();
  for (int round = 0; round < 3 || SecondsSince(start) < seconds * variants.size(); ++round) {
    for (Variant* variant : variants) {
      const Clock::time_point call = Clock::now();
      SEQ_RETURN_IF_ERROR(variant->compiled->Run());
      variant->whole = std::min(variant->whole, SecondsSince(call));
    }
  }
  return absl::OkStatus();
}

// Disjoint sets of small numbers.
class DisjointSets {
 public:
  int Add() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int Find(int i) const { return parent_[i] == i ? i : Find(parent_[i]); }
  void Join(int a, int b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<int> parent_;
};

// Puts the nodes of all variants into groups that take one backend.
class Grouping {
 public:
  explicit Grouping(const std::vector<Variant>& variants) : variants_(variants) {
    for (const Variant& variant : variants) {
      for (const Node& node : variant.nodes()) {
        if (key_.count(node.name) == 0) key_[node.name] = sets_.Add();
      }
    }
    JoinWhatDiffers();
  }

  // `other` must go where `name` goes.
  void Tie(const std::string& name, const std::string& other) {
    sets_.Join(key_.at(name), key_.at(other));
  }

  std::vector<MeasuredGroup> Groups() const {
    std::map<int, MeasuredGroup> groups;
    std::vector<int> order;
    std::set<std::string> seen;
    for (const Variant& variant : variants_) {
      for (const Node& node : variant.nodes()) {
        const int group = sets_.Find(key_.at(node.name));
        if (groups.count(group) == 0) order.push_back(group);
        if (seen.insert(node.name).second) groups[group].nodes.push_back(node.name);
      }
    }
    std::vector<MeasuredGroup> result;
    for (int group : order) {
      MeasuredGroup& g = groups[group];
      for (const Variant& variant : variants_) g.times.push_back({variant.first, 0});
      for (size_t v = 0; v < variants_.size(); ++v) {
        for (size_t n = 0; n < variants_[v].nodes().size(); ++n) {
          if (sets_.Find(key_.at(variants_[v].nodes()[n].name)) != group) continue;
          g.times[v].seconds += variants_[v].node_seconds[n];
        }
      }
      result.push_back(std::move(g));
    }
    return result;
  }

 private:
  // Nodes that are not the same op in all variants: what passes have made of them for one backend
  // stands against what they have left for another.
  void JoinWhatDiffers() {
    std::map<std::string, std::pair<std::string, size_t>> ops;  // name -> op, how often
    std::set<std::string> differ;
    for (const Variant& variant : variants_) {
      for (const Node& node : variant.nodes()) {
        auto& [op, count] =
            ops.emplace(node.name, std::make_pair(node.op->name(), 0)).first->second;
        ++count;
        if (op != node.op->name()) differ.insert(node.name);
      }
    }
    for (const auto& [name, entry] : ops) {
      if (entry.second != variants_.size()) differ.insert(name);
    }
    for (const std::string& name : differ) Tie(name, *differ.begin());
  }

  const std::vector<Variant>& variants_;
  std::map<std::string, int> key_;
  DisjointSets sets_;
};

// Nodes that a backend takes only together are one group.
void TieClaims(const Variant& variant, Grouping& grouping) {
  const std::vector<NodeAssignment>& assignments = variant.compiled->assignments();
  for (const NodeAssignment& assignment : assignments) {
    for (const int other : assignment.together) {
      grouping.Tie(assignment.node, assignments[other].node);
    }
  }
}

// Sends every node where it went in the variant.
void PreferAsIn(const Variant& variant, BackendPreferences& preferences) {
  for (const NodeAssignment& assignment : variant.compiled->assignments()) {
    preferences[assignment.node] = assignment.backend;
  }
}

// Sends the nodes of each group where they went in the variant that was fastest for it.
BackendPreferences PreferFastest(const std::vector<Variant>& variants,
                                 std::vector<MeasuredGroup>& groups) {
  BackendPreferences preferences;
  for (MeasuredGroup& group : groups) {
    const auto fastest = absl::c_min_element(
        group.times,
        [](const TimedBackend& a, const TimedBackend& b) { return a.seconds < b.seconds; });
    group.chosen = fastest->backend;
    for (const std::string& name : group.nodes) preferences[name] = fastest->backend;
    const Variant& variant = variants[fastest - group.times.begin()];
    for (const NodeAssignment& assignment : variant.compiled->assignments()) {
      if (absl::c_linear_search(group.nodes, assignment.node)) {
        preferences[assignment.node] = assignment.backend;
      }
    }
  }
  return preferences;
}

// The measurement of one function.
class Chooser {
 public:
  Chooser(const Function& function, const OpRegistry& registry, const CompileOptions& options,
          const MeasureOptions& measure)
      : function_(function), registry_(registry), options_(options), measure_(measure) {}

  absl::StatusOr<BackendChoice> Choose(const VariableStore& variables) {
    SEQ_ASSIGN_OR_RETURN(variables_, CopyVariables(function_, variables));
    SEQ_RETURN_IF_ERROR(CompileVariants());
    BackendChoice choice;
    if (variants_.size() > 1) {
      SEQ_RETURN_IF_ERROR(MeasureVariants(choice));
    } else {
      PreferAsIn(variants_.front(), choice.preferences);
      choice.whole = {{variants_.front().first, 0}};
    }
    return choice;
  }

 private:
  absl::StatusOr<Variant> Compile(const CompileOptions& options, const std::string& first) {
    Variant variant;
    variant.first = first;
    SEQ_ASSIGN_OR_RETURN(variant.compiled,
                         CompiledFunction::Compile(function_, registry_, &variables_, options));
    return variant;
  }

  absl::Status CompileVariants() {
    for (size_t b = 0; b < options_.backends.size(); ++b) {
      const std::string& name = options_.backends[b]->info().name;
      if (!variants_.empty() && absl::c_linear_search(measure_.only_small, name) && !IsSmall()) {
        continue;
      }
      CompileOptions options = options_;
      std::rotate(options.backends.begin(), options.backends.begin() + b,
                  options.backends.begin() + b + 1);
      absl::StatusOr<Variant> variant = Compile(options, name);
      if (variant.ok()) {
        variants_.push_back(*std::move(variant));
      } else if (b == 0) {
        return variant.status();
      }
    }
    return absl::OkStatus();
  }

  bool IsSmall() const {
    return FunctionCost(variants_.front().compiled->function()).flops <= measure_.small_flops;
  }

  absl::Status MeasureVariants(BackendChoice& choice) {
    std::vector<Variant*> whole;
    for (Variant& variant : variants_) {
      SEQ_RETURN_IF_ERROR(MeasureNodes(variant, measure_.seconds));
      whole.push_back(&variant);
    }
    Grouping grouping(variants_);
    for (const Variant& variant : variants_) TieClaims(variant, grouping);
    choice.groups = grouping.Groups();
    CompileOptions options = options_;
    options.preferences = PreferFastest(variants_, choice.groups);
    SEQ_ASSIGN_OR_RETURN(Variant mixed, Compile(options, "mixed"));
    FillInputs(*mixed.compiled);
    SEQ_RETURN_IF_ERROR(mixed.compiled->Run());
    whole.push_back(&mixed);
    SEQ_RETURN_IF_ERROR(MeasureWhole(whole, measure_.seconds));
    for (const Variant* variant : whole) choice.whole.push_back({variant->first, variant->whole});
    const Variant& best = **absl::c_min_element(
        whole, [](const Variant* a, const Variant* b) { return a->whole < b->whole; });
    if (&best == &mixed) {
      choice.preferences = std::move(options.preferences);
    } else {
      PreferAsIn(best, choice.preferences);
      for (MeasuredGroup& group : choice.groups) group.chosen = best.first;
    }
    return absl::OkStatus();
  }

  const Function& function_;
  const OpRegistry& registry_;
  const CompileOptions& options_;
  const MeasureOptions& measure_;
  VariableStore variables_;
  std::vector<Variant> variants_;
};

}  // namespace

absl::StatusOr<BackendChoice> ChooseByMeasuring(const Function& function,
                                                const OpRegistry& registry,
                                                const VariableStore& variables,
                                                const CompileOptions& options,
                                                const MeasureOptions& measure) {
  if (options.backends.empty()) return InvalidArgument("no backend is given");
  return Chooser(function, registry, options, measure).Choose(variables);
}

}  // namespace seqgraph
