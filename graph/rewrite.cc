#include "graph/rewrite.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/function_copy.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// True if somebody in the new function will ask for what stands for the value.
bool StillRead(const SweepState& sweep, Value value) {
  if (sweep.leaves[value.index]) return true;
  for (int reader : sweep.consumers[value.index]) {
    if (!sweep.dropped[reader]) return true;
  }
  return false;
}

// An output that is used and left without a replacement would silently become an absent input of
// its readers; one of another type, another function.
absl::Status CheckReplaced(const Node& node, const Rewrite& rewrite, const RewriteContext& context,
                           const SweepState& sweep) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Value old = node.outputs[i];
    const Value replacement = context.Mapped(old);
    if (!replacement.present()
            ? !StillRead(sweep, old)
            : context.builder().type(replacement) == context.source().type(old)) {
      continue;
    }
    return Internal(
        "rewrite ", rewrite.name, " at node ", node.name, " gives ",
        replacement.present() ? context.builder().type(replacement).ToString() : "nothing",
        " for output ", node.op->outputs()[i].name, ", which is ",
        context.source().type(old).ToString());
  }
  return absl::OkStatus();
}

// One sweep over all nodes.
class Sweep {
 public:
  Sweep(const Function& source, const OpRegistry& registry, absl::Span<const Rewrite> rewrites)
      : source_(source),
        rewrites_(rewrites),
        copy_(source, registry),
        state_(source),
        dropped_by_(source.nodes().size(), -1) {}

  absl::StatusOr<RewrittenOnce> Run(const std::vector<bool>& allowed) && {
    copy_.AddSignature();
    RewrittenOnce result;
    for (size_t n = 0; n < source_.nodes().size(); ++n) {
      if (state_.dropped[n]) {
        SEQ_RETURN_IF_ERROR(CheckDropped(n));
        continue;
      }
      bool applied = false;
      if (allowed.empty() || allowed[n]) {
        SEQ_ASSIGN_OR_RETURN(applied, ApplyAt(static_cast<int>(n), result.firings));
      }
      if (!applied) copy_.AddNode(source_.nodes()[n]);
    }
    SEQ_ASSIGN_OR_RETURN(result.function, std::move(copy_).Finish());
    return result;
  }

 private:
  absl::StatusOr<bool> ApplyAt(int n, std::vector<Firing>& firings) {
    const Node& node = source_.nodes()[n];
    RewriteContext context(source_, node, copy_.builder(), copy_.new_values(), state_);
    for (size_t r = 0; r < rewrites_.size(); ++r) {
      const size_t before = copy_.builder().function().nodes().size();
      const ScopedDefaultName scope(copy_.builder(), node.name);
      absl::StatusOr<bool> applied = rewrites_[r].apply(context);
      if (!applied.ok()) {
        return Annotate(applied.status(),
                        absl::StrCat("rewrite ", rewrites_[r].name, " at node ", node.name));
      }
      if (!*applied) continue;
      for (const int d : state_.just_dropped) dropped_by_[d] = static_cast<int>(r);
      state_.just_dropped.clear();
      SEQ_RETURN_IF_ERROR(CheckReplaced(node, rewrites_[r], context, state_));
      Firing firing{static_cast<int>(r), n, {}};
      const std::vector<Node>& nodes = copy_.builder().function().nodes();
      for (size_t e = before; e < nodes.size(); ++e) firing.emitted.push_back(nodes[e].name);
      firings.push_back(std::move(firing));
      return true;
    }
    return false;
  }

  absl::Status CheckDropped(size_t n) {
    const Node& node = source_.nodes()[n];
    const RewriteContext context(source_, node, copy_.builder(), copy_.new_values(), state_);
    return CheckReplaced(node, rewrites_[dropped_by_[n]], context, state_);
  }

  const Function& source_;
  const absl::Span<const Rewrite> rewrites_;
  FunctionCopy copy_;
  SweepState state_;
  std::vector<int> dropped_by_;  // for each node which rewrite dropped it
};

}  // namespace

SweepState::SweepState(const Function& function)
    : consumers(function.Consumers()),
      leaves(function.values().size(), false),
      dropped(function.nodes().size(), false) {
  for (const auto* leaving : {&function.results(), &function.updates()}) {
    for (const NamedValue& named : *leaving) leaves[named.value.index] = true;
  }
}

std::vector<Value> RewriteContext::Copy(
    std::initializer_list<std::pair<absl::string_view, Value>> changed_inputs) {
  std::vector<Value> inputs;
  for (const Value input : node_.inputs) inputs.push_back(Mapped(input));
  for (const auto& [name, value] : changed_inputs) inputs[node_.op->FindInput(name)] = value;
  return builder_.AddNode(node_.op->name(), inputs, node_.attributes, node_.name);
}

const Node* RewriteContext::Producer(Value old, absl::string_view op) const {
  const Node* node = old.present() ? source_.producer(old) : nullptr;
  return node != nullptr && node->op->name() == op ? node : nullptr;
}

void RewriteContext::ReplaceLater(const Node& later, int i, Value replacement) {
  const int n = source_.info(later.outputs[i]).source;
  SEQ_CHECK(n > source_.info(node_.outputs[0]).source);
  if (!sweep_.dropped[n]) sweep_.just_dropped.push_back(n);
  sweep_.dropped[n] = true;
  new_values_[later.outputs[i].index] = replacement;
}

absl::StatusOr<RewrittenOnce> RewriteOnce(const Function& function, const OpRegistry& registry,
                                          absl::Span<const Rewrite> rewrites,
                                          const std::vector<bool>& allowed) {
  return Sweep(function, registry, rewrites).Run(allowed);
}

absl::StatusOr<Function> ApplyRewrites(const Function& function, const OpRegistry& registry,
                                       absl::Span<const Rewrite> rewrites,
                                       std::vector<RewriteCount>* counts) {
  // Each rule makes a function simpler in its own sense, so a handful of sweeps is enough; rules
  // that undo each other must not hang the compiler.
  constexpr int kMaxSweeps = 64;
  std::vector<int> total(rewrites.size(), 0);
  SEQ_ASSIGN_OR_RETURN(Function current, EliminateDeadCode(function, registry));
  bool changed = true;
  for (int sweep = 0; changed; ++sweep) {
    if (sweep == kMaxSweeps) {
      return Internal("function ", function.name(), ": the rewrites did not come to rest after ",
                      kMaxSweeps, " sweeps");
    }
    SEQ_ASSIGN_OR_RETURN(RewrittenOnce swept, RewriteOnce(current, registry, rewrites));
    for (const Firing& firing : swept.firings) ++total[firing.rewrite];
    changed = !swept.firings.empty();
    SEQ_ASSIGN_OR_RETURN(current, EliminateDeadCode(swept.function, registry));
  }
  if (counts != nullptr) {
    counts->clear();
    for (size_t r = 0; r < rewrites.size(); ++r) counts->push_back({rewrites[r].name, total[r]});
  }
  return current;
}

absl::StatusOr<Function> EliminateDeadCode(const Function& function, const OpRegistry& registry) {
  std::vector<bool> live(function.values().size(), false);
  for (const NamedValue& result : function.results()) live[result.value.index] = true;
  std::set<absl::string_view> updated;
  for (const NamedValue& update : function.updates()) {
    live[update.value.index] = true;
    updated.insert(update.name);
  }
  for (const VariableRead& read : function.variables()) {
    if (updated.contains(read.def.name)) live[read.value.index] = true;
  }
  std::vector<bool> live_nodes(function.nodes().size(), false);
  for (int n = static_cast<int>(function.nodes().size()) - 1; n >= 0; --n) {
    const Node& node = function.nodes()[n];
    for (Value output : node.outputs) live_nodes[n] = live_nodes[n] || live[output.index];
    if (!live_nodes[n]) continue;
    for (Value input : node.inputs) {
      if (input.present()) live[input.index] = true;
    }
  }
  FunctionCopy copy(function, registry);
  for (Value input : function.inputs()) copy.AddInput(input, function.type(input));
  for (const VariableRead& read : function.variables()) {
    if (live[read.value.index]) copy.AddVariable(read, read.def);
  }
  for (size_t n = 0; n < function.nodes().size(); ++n) {
    if (live_nodes[n]) copy.AddNode(function.nodes()[n]);
  }
  return std::move(copy).Finish();
}

absl::StatusOr<Function> BindBatch(const Function& function, const OpRegistry& registry,
                                   int64_t batch) {
  if (batch < 1) {
    return InvalidArgument("function ", function.name(), ": the batch must be at least 1, got ",
                           batch);
  }
  FunctionCopy copy(function, registry);
  for (Value input : function.inputs()) {
    const TensorType& type = function.type(input);
    copy.AddInput(input, {type.dtype, type.shape.Bind(batch)});
  }
  for (const VariableRead& read : function.variables()) copy.AddVariable(read, read.def);
  for (const Node& node : function.nodes()) copy.AddNode(node);
  return std::move(copy).Finish();
}

absl::StatusOr<Function> WithRealType(const Function& function, const OpRegistry& registry,
                                      DType real) {
  const auto convert = [real](DType dtype) { return IsReal(dtype) ? real : dtype; };
  FunctionCopy copy(function, registry);
  for (Value input : function.inputs()) {
    const TensorType& type = function.type(input);
    copy.AddInput(input, {convert(type.dtype), type.shape});
  }
  for (const VariableRead& read : function.variables()) {
    VariableDef def = read.def;
    def.type.dtype = convert(def.type.dtype);
    copy.AddVariable(read, std::move(def));
  }
  for (const Node& node : function.nodes()) copy.AddNode(node, CastReals(node.attributes, real));
  return std::move(copy).Finish();
}

}  // namespace seqgraph
