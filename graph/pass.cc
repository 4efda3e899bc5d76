#include "graph/pass.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "graph/constant_subgraph.h"
#include "graph/function_cost.h"

namespace seqgraph {
namespace {

// Each pass makes a function simpler in its own sense, so a handful of rounds is enough; passes
// that undo each other must not hang the compiler.
constexpr int kMaxRounds = 64;
// Functions that are judged, each in one run of one pass. Beyond, matches stay as they are.
constexpr int kMaxTrials = 64;

// What a pass would make of a function.
struct Trial {
  Function function;                       // cleaned up
  std::optional<std::vector<int>> owners;  // of its nodes, where they were asked for
  std::vector<Firing> firings;
  std::vector<int> clean_up_counts;  // for each pass
};

class PassManager {
 public:
  PassManager(const OpRegistry& registry, const PassList& passes, const NodeOwners& owners)
      : registry_(registry), passes_(passes), owners_(owners), counts_(passes.size(), 0) {}

  absl::StatusOr<Function> Run(const Function& function) {
    current_ = function;
    for (PassStage stage : {PassStage::kSimplify, PassStage::kFuse}) {
      SEQ_RETURN_IF_ERROR(RunStage(stage));
    }
    return std::move(current_);
  }
  const std::vector<int>& counts() const { return counts_; }

 private:
  absl::Status RunStage(PassStage stage) {
    bool changed = true;
    for (int round = 0; changed; ++round) {
      if (round == kMaxRounds) return Restless(absl::StrCat(kMaxRounds, " rounds"));
      changed = false;
      for (size_t p = 0; p < passes_.size(); ++p) {
        if (passes_[p]->stage != stage) continue;
        SEQ_ASSIGN_OR_RETURN(const bool by_this, RunPass(p));
        changed |= by_this;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Restless(absl::string_view when) const {
    return Internal("function ", current_.name(), ": the rewrites did not come to rest after ",
                    when);
  }

  absl::StatusOr<bool> RunPass(size_t p) {
    const FunctionPass& pass = *passes_[p];
    if (pass.transform) {
      int count = 0;
      SEQ_ASSIGN_OR_RETURN(current_, pass.transform(current_, registry_, &count));
      counts_[p] += count;
      if (count > 0) owners_of_current_.reset();
      return count > 0;
    }
    if (pass.only_if_claimed && !owners_) return false;
    if (pass.only_if_cheaper && current_.has_symbolic_batch()) return false;
    bool changed = false;
    trials_ = 0;
    for (int sweep = 0;; ++sweep) {
      if (sweep == kMaxRounds) return Restless(absl::StrCat(kMaxRounds, " sweeps of ", pass.name));
      SEQ_ASSIGN_OR_RETURN(std::optional<Trial> trial, Choose(pass));
      if (!trial.has_value()) return changed;
      counts_[p] += static_cast<int>(trial->firings.size());
      for (size_t c = 0; c < counts_.size(); ++c) counts_[c] += trial->clean_up_counts[c];
      current_ = std::move(trial->function);
      owners_of_current_ = std::move(trial->owners);
      changed = true;
    }
  }

  // The first that may be: all matches, one, or two of them.
  absl::StatusOr<std::optional<Trial>> Choose(const FunctionPass& pass) {
    SEQ_ASSIGN_OR_RETURN(Trial all, Try(pass, {}));
    if (all.firings.empty()) return std::optional<Trial>();
    SEQ_ASSIGN_OR_RETURN(const bool good, IsAllowed(pass, all));
    if (good) return std::optional<Trial>(std::move(all));
    const std::vector<int> nodes = NotDrivenAway(all);
    const bool drives_away = nodes.size() < all.firings.size();
    if (drives_away) {
      if (nodes.empty()) return std::optional<Trial>();
      SEQ_ASSIGN_OR_RETURN(Trial rest, Try(pass, Only(nodes)));
      SEQ_ASSIGN_OR_RETURN(const bool rest_good, IsAllowed(pass, rest));
      if (rest_good && !rest.firings.empty()) return std::optional<Trial>(std::move(rest));
    }
    std::vector<std::vector<int>> choices;
    for (const int node : nodes) choices.push_back({node});
    if (choices.size() < 2) return std::optional<Trial>();
    const size_t singles = choices.size();
    // One rewrite alone makes no pairs.
    for (size_t a = 0; a < singles && singles > 2 && pass.rewrites.size() > 1; ++a) {
      for (size_t b = a + 1; b < singles; ++b) {
        choices.push_back({nodes[a], nodes[b]});
      }
    }
    int driven_away = 0;
    for (const std::vector<int>& choice : choices) {
      if (++trials_ > kMaxTrials) break;
      SEQ_ASSIGN_OR_RETURN(Trial some, Try(pass, Only(choice)));
      if (some.firings.empty()) continue;
      SEQ_ASSIGN_OR_RETURN(const bool some_good, IsAllowed(pass, some));
      if (some_good) return std::optional<Trial>(std::move(some));
      // Where the backends refuse what the pass makes of all matches, and then of two alone, they
      // know no such node.
      if (drives_away && NotDrivenAway(some).empty() && ++driven_away == 2) break;
    }
    return std::optional<Trial>();
  }

  // The names of all nodes that a trial has made.
  static std::set<absl::string_view> Emitted(const Trial& trial) {
    std::set<absl::string_view> emitted;
    for (const Firing& firing : trial.firings) {
      emitted.insert(firing.emitted.begin(), firing.emitted.end());
    }
    return emitted;
  }

  std::vector<bool> Only(const std::vector<int>& nodes) const {
    std::vector<bool> allowed(current_.nodes().size(), false);
    for (int n : nodes) allowed[n] = true;
    return allowed;
  }

  // The matches that may do with fewer others: all but those that make a node which goes to a later
  // backend than the matched one, for so it does alone. (A plugin that knows no fused op is so
  // asked about a few functions, and not about one for each match.) What later matches have made
  // of a node is not known.
  std::vector<int> NotDrivenAway(const Trial& all) const {
    std::map<absl::string_view, int> owners;
    for (size_t n = 0; all.owners.has_value() && n < all.owners->size(); ++n) {
      owners[all.function.nodes()[n].name] = (*all.owners)[n];
    }
    const std::set<absl::string_view> emitted = Emitted(all);
    std::vector<int> nodes;
    for (const Firing& firing : all.firings) {
      const std::string& matched = current_.nodes()[firing.node].name;
      bool driven_away = false;
      for (const std::string& name : firing.emitted) {
        const auto owner = owners.find(name);
        const bool is_gone = owners.count(matched) == 0 || emitted.count(matched) > 0;
        driven_away |=
            owner != owners.end() && is_gone && owner->second > (*owners_of_current_)[firing.node];
      }
      if (!driven_away) nodes.push_back(firing.node);
    }
    return nodes;
  }

  absl::StatusOr<Trial> Try(const FunctionPass& pass, const std::vector<bool>& allowed) {
    SEQ_ASSIGN_OR_RETURN(RewrittenOnce once,
                         RewriteOnce(current_, registry_, pass.rewrites, allowed));
    Trial trial{std::move(once.function), std::nullopt, std::move(once.firings),
                std::vector<int>(passes_.size(), 0)};
    if (trial.firings.empty()) return trial;
    for (size_t p = 0; p < passes_.size(); ++p) {
      if (!passes_[p]->cleans_up) continue;
      SEQ_ASSIGN_OR_RETURN(trial.function, passes_[p]->transform(trial.function, registry_,
                                                                 &trial.clean_up_counts[p]));
    }
    return trial;
  }

  absl::StatusOr<bool> IsAllowed(const FunctionPass& pass, Trial& trial) {
    if (pass.only_if_cheaper && EstimatedSeconds(trial.function) >= EstimatedSeconds(current_)) {
      return false;
    }
    return !pass.only_if_claimed || KeepsOwners(trial);
  }

  // Absent where a node has no backend; which one is said when the function is compiled.
  std::optional<std::vector<int>> OwnersOf(const Function& function) const {
    absl::StatusOr<std::vector<int>> owners = owners_(function);
    if (!owners.ok()) return std::nullopt;
    return *std::move(owners);
  }

  // Nodes are the same in both functions if they bear the same name and were not emitted.
  bool KeepsOwners(Trial& trial) {
    if (!owners_of_current_.has_value()) owners_of_current_ = OwnersOf(current_);
    const std::optional<std::vector<int>>& before = owners_of_current_;
    if (!before.has_value()) return false;
    const std::optional<std::vector<int>>& after = trial.owners = OwnersOf(trial.function);
    if (!after.has_value()) return false;
    const std::set<absl::string_view> emitted = Emitted(trial);
    std::map<absl::string_view, int> kept;  // owners of the nodes that were there
    for (size_t n = 0; n < after->size(); ++n) {
      const std::string& name = trial.function.nodes()[n].name;
      if (emitted.count(name) == 0) kept[name] = (*after)[n];
    }
    int earliest_gone = std::numeric_limits<int>::max();
    for (size_t n = 0; n < before->size(); ++n) {
      const auto found = kept.find(current_.nodes()[n].name);
      if (found == kept.end()) {
        earliest_gone = std::min(earliest_gone, (*before)[n]);
      } else if (found->second > (*before)[n]) {
        return false;
      }
    }
    for (size_t n = 0; n < after->size(); ++n) {
      if (emitted.count(trial.function.nodes()[n].name) > 0 && (*after)[n] > earliest_gone) {
        return false;
      }
    }
    return true;
  }

  const OpRegistry& registry_;
  const PassList& passes_;
  const NodeOwners& owners_;
  Function current_;
  std::optional<std::vector<int>> owners_of_current_;  // where they were asked for
  std::vector<int> counts_;
  int trials_ = 0;
};

}  // namespace

absl::StatusOr<Function> RunPasses(const Function& function, const OpRegistry& registry,
                                   const PassList& passes, const NodeOwners& owners,
                                   std::vector<RewriteCount>* counts) {
  PassManager manager(registry, passes, owners);
  SEQ_ASSIGN_OR_RETURN(Function result, manager.Run(function));
  if (counts != nullptr) {
    counts->clear();
    for (size_t p = 0; p < passes.size(); ++p) {
      counts->push_back({passes[p]->name, manager.counts()[p]});
    }
  }
  return result;
}

double EstimatedSeconds(const Function& function) {
  // One core: a product of small matrices, memory beyond the first cache, a call of a kernel.
  constexpr double kFlopsPerSecond = 3.2e10, kBytesPerSecond = 1.6e10, kSecondsPerNode = 5e-8;
  // What stays the same is computed once for many calls (CompiledFunction), but perhaps not many.
  constexpr double kCallsWithSameVariables = 8;
  const std::vector<OpCost> costs = NodeCosts(function);
  const std::vector<bool> constant = ConstantSubgraph(function);
  double seconds = 0;
  for (size_t n = 0; n < costs.size(); ++n) {
    const double once = costs[n].flops / kFlopsPerSecond +
                        static_cast<double>(costs[n].bytes()) / kBytesPerSecond + kSecondsPerNode;
    seconds += constant[n] ? once / kCallsWithSameVariables : once;
  }
  return seconds;
}

absl::StatusOr<PassList> SelectPasses(const PassList& all, absl::string_view text) {
  std::set<absl::string_view> chosen;
  bool first = true;
  for (absl::string_view item : absl::StrSplit(text, ',')) {
    item = absl::StripAsciiWhitespace(item);
    const bool without = absl::ConsumePrefix(&item, "-");
    // What begins with a minus takes away from all.
    const bool everything = item == "all" && !without;
    if (everything || (first && without)) {
      for (const FunctionPass* pass : all) chosen.insert(pass->name);
    }
    first = false;
    if (everything || (item == "none" && !without)) {
      if (!everything) chosen.clear();
      continue;
    }
    const auto found = std::find_if(
        all.begin(), all.end(), [item](const FunctionPass* pass) { return pass->name == item; });
    if (found == all.end()) {
      return InvalidArgument(
          "unknown pass \"", item, "\": expected all, none, or names with commas between, a minus ",
          "before those to leave out; there are ",
          absl::StrJoin(all, ", ", [](std::string* out, const FunctionPass* pass) {
            absl::StrAppend(out, pass->name);
          }));
    }
    if (without) {
      chosen.erase((*found)->name);
    } else {
      chosen.insert((*found)->name);
    }
  }
  PassList selected;
  for (const FunctionPass* pass : all) {
    if (chosen.count(pass->name) > 0) selected.push_back(pass);
  }
  return selected;
}

}  // namespace seqgraph
