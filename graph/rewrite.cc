#include "graph/rewrite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/status_macros.h"

namespace seqgraph {
namespace {

// Copies a function node by node into a new one, leaving room for changes on the way.
class FunctionCopy {
 public:
  FunctionCopy(const Function& source, const OpRegistry& registry)
      : source_(source), builder_(source.name(), registry), new_values_(source.values().size()) {}

  FunctionBuilder& builder() { return builder_; }
  std::vector<Value>& new_values() { return new_values_; }

  void AddInput(Value input, TensorType type) {
    new_values_[input.index] = builder_.Input(source_.info(input).name, std::move(type));
  }
  void AddVariable(const VariableRead& read, VariableDef def) {
    new_values_[read.value.index] = builder_.Variable(std::move(def));
  }
  void AddNode(const Node& node, const Attributes& attributes) {
    std::vector<Value> inputs;
    for (Value input : node.inputs) {
      inputs.push_back(input.present() ? new_values_[input.index] : Value{});
    }
    const std::vector<Value> outputs =
        builder_.AddNode(node.op->name(), inputs, attributes, node.name);
    for (size_t i = 0; i < node.outputs.size() && i < outputs.size(); ++i) {
      new_values_[node.outputs[i].index] = outputs[i];
    }
  }
  absl::StatusOr<Function> Finish() && {
    for (const NamedValue& result : source_.results()) {
      builder_.Result(result.name, new_values_[result.value.index]);
    }
    for (const NamedValue& update : source_.updates()) {
      builder_.Update(update.name, new_values_[update.value.index]);
    }
    return std::move(builder_).Build();
  }

 private:
  const Function& source_;
  FunctionBuilder builder_;
  std::vector<Value> new_values_;
};

void CopySignature(const Function& source, FunctionCopy& copy) {
  for (Value input : source.inputs()) copy.AddInput(input, source.type(input));
  for (const VariableRead& read : source.variables()) copy.AddVariable(read, read.def);
}

// An output that is used and left without a replacement would silently become an absent input of
// its readers; one of another type, another function.
absl::Status CheckReplaced(const Node& node, const Rewrite& rewrite, const RewriteContext& context,
                           const std::vector<bool>& used) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Value old = node.outputs[i];
    const Value replacement = context.Mapped(old);
    if (!replacement.present()
            ? !used[old.index]
            : context.builder().type(replacement) == context.source().type(old)) {
      continue;
    }
    return absl::InternalError(absl::StrCat(
        "rewrite ", rewrite.name, " at node ", node.name, " gives ",
        replacement.present() ? context.builder().type(replacement).ToString() : "nothing",
        " for output ", node.op->outputs()[i].name, ", which is ",
        context.source().type(old).ToString()));
  }
  return absl::OkStatus();
}

absl::Status ApplyAtNode(const Node& node, absl::Span<const Rewrite> rewrites,
                         const std::vector<bool>& used, RewriteContext& context, FunctionCopy& copy,
                         std::vector<int>& counts) {
  for (size_t r = 0; r < rewrites.size(); ++r) {
    copy.builder().set_default_name(node.name);
    absl::StatusOr<bool> applied = rewrites[r].apply(context);
    copy.builder().set_default_name("");
    if (!applied.ok()) {
      return Annotate(applied.status(),
                      absl::StrCat("rewrite ", rewrites[r].name, " at node ", node.name));
    }
    if (*applied) {
      ++counts[r];
      return CheckReplaced(node, rewrites[r], context, used);
    }
  }
  copy.AddNode(node, node.attributes);
  return absl::OkStatus();
}

// One pass over all nodes.
absl::StatusOr<Function> Sweep(const Function& source, const OpRegistry& registry,
                               absl::Span<const Rewrite> rewrites, std::vector<int>& counts) {
  FunctionCopy copy(source, registry);
  CopySignature(source, copy);
  const std::vector<std::vector<int>> consumers = source.Consumers();
  const std::vector<bool> used = source.UsedValues();
  for (const Node& node : source.nodes()) {
    RewriteContext context(source, node, copy.builder(), copy.new_values(), consumers);
    SEQ_RETURN_IF_ERROR(ApplyAtNode(node, rewrites, used, context, copy, counts));
  }
  SEQ_ASSIGN_OR_RETURN(Function swept, std::move(copy).Finish());
  return EliminateDeadCode(swept, registry);
}

}  // namespace

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
      return absl::InternalError(absl::StrCat("function ", function.name(),
                                              ": the rewrites did not come to rest after ",
                                              kMaxSweeps, " sweeps"));
    }
    const std::vector<int> before = total;
    SEQ_ASSIGN_OR_RETURN(current, Sweep(current, registry, rewrites, total));
    changed = total != before;
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
  for (const NamedValue& update : function.updates()) {
    live[update.value.index] = true;
    live[function.FindVariable(update.name)->value.index] = true;
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
    if (live_nodes[n]) copy.AddNode(function.nodes()[n], function.nodes()[n].attributes);
  }
  return std::move(copy).Finish();
}

absl::StatusOr<Function> BindBatch(const Function& function, const OpRegistry& registry,
                                   int64_t batch) {
  if (batch < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("function ", function.name(), ": the batch must be at least 1, got ", batch));
  }
  FunctionCopy copy(function, registry);
  for (Value input : function.inputs()) {
    const TensorType& type = function.type(input);
    copy.AddInput(input, {type.dtype, type.shape.Bind(batch)});
  }
  for (const VariableRead& read : function.variables()) copy.AddVariable(read, read.def);
  for (const Node& node : function.nodes()) copy.AddNode(node, node.attributes);
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
  for (const Node& node : function.nodes()) {
    Attributes attributes;
    for (const auto& [name, value] : node.attributes.entries()) {
      const DType* dtype = std::get_if<DType>(&value);
      attributes.Set(name, dtype != nullptr ? AttributeValue(convert(*dtype)) : value);
    }
    copy.AddNode(node, attributes);
  }
  return std::move(copy).Finish();
}

}  // namespace seqgraph
