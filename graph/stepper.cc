#include "graph/stepper.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/function_copy.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

using Kind = TimeLayout::Kind;

}  // namespace

absl::StatusOr<StepFunction> Stepper::Run(absl::Span<const int> axes) {
  SEQ_RETURN_IF_ERROR(CheckUpdates());
  for (size_t i = 0; i < axes.size(); ++i) SEQ_RETURN_IF_ERROR(AddInput(i, axes[i]));
  for (const VariableRead& read : whole_.variables()) {
    values_[read.value.index] = builder_.Variable(read.def);
  }
  for (const Node& node : whole_.nodes()) SEQ_RETURN_IF_ERROR(Visit(node));
  return Finish();
}

absl::Status Stepper::AddInput(size_t i, int axis) {
  const Value input = whole_.inputs()[i];
  const ValueInfo& info = whole_.info(input);
  StepPort port{.name = info.name, .type = info.type, .time_axis = axis};
  TimeLayout& layout = layouts_[input.index];
  if (axis >= 0) {
    layout = TimeLayout::Steps(axis, info.type.shape[axis].size());
    port.type.shape = WithExtent(info.type.shape, axis, steps_);
  } else {
    layout.given = true;
    if (IsInitialState(input)) return absl::OkStatus();
  }
  values_[input.index] = builder_.Input(info.name, port.type);
  inputs_.push_back(std::move(port));
  return builder_.status();
}

absl::Status Stepper::CheckUpdates() const {
  for (const NamedValue& update : whole_.updates()) {
    if (IsInitialState(whole_.FindVariable(update.name)->value)) continue;
    return Unimplemented("it changes variable ", update.name,
                         ", which is not the state of a recurrent cell");
  }
  return absl::OkStatus();
}

bool Stepper::IsInitialState(Value value) const {
  bool found = false;
  for (const Node& node : whole_.nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != value) continue;
      const std::string& name = node.op->inputs()[i].name;
      if (!node.op->recurrence().has_value() || (name != "h0" && name != "c0")) return false;
      found = true;
    }
  }
  return found;
}

Shape Stepper::WithExtent(const Shape& shape, int axis, int64_t extent) {
  Shape changed;
  for (int i = 0; i < shape.rank(); ++i) changed.Append(i == axis ? Dim(extent) : shape[i]);
  return changed;
}

absl::Status Stepper::Visit(const Node& node) {
  bool steps = false;
  TimeLayout plain;
  for (Value input : node.inputs) {
    if (!input.present()) continue;
    const TimeLayout& layout = layouts_[input.index];
    steps = steps || layout.is_steps();
    plain.given = plain.given || layout.given;
    if (layout.kind == Kind::kEnd) plain.kind = Kind::kEnd;
  }
  StepContext context(*this, node);
  if (!node.op->pure()) return context.Refuse("draws other numbers in each call");
  if (!steps) return Copy(context, plain);
  if (!node.op->step_rule()) {
    return context.Refuse("takes the whole sequence at once; no rule says how it goes by steps");
  }
  const ScopedDefaultName scope(builder_, node.name);
  SEQ_RETURN_IF_ERROR(node.op->step_rule()(context));
  return Annotate(builder_.status(), absl::StrCat("node ", node.name, " step by step"));
}

absl::Status Stepper::Copy(StepContext& context, const TimeLayout& layout) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < context.node().inputs.size(); ++i) {
    const Value input = context.node().inputs[i];
    inputs.push_back(input.present() ? values_[input.index] : Value{});
    if (input.present() && !inputs.back().present()) {
      return context.Refuse("takes an initial state that is told once for something else");
    }
  }
  const std::vector<Value> outputs = context.Emit(inputs);
  SEQ_RETURN_IF_ERROR(builder_.status());
  for (size_t o = 0; o < outputs.size(); ++o) {
    context.SetOutput(static_cast<int>(o), outputs[o], layout);
  }
  return absl::OkStatus();
}

absl::StatusOr<StepFunction> Stepper::Finish() {
  StepFunction steps;
  std::set<std::string> names;
  for (const NamedValue& result : whole_.results()) names.insert(result.name);
  for (const NamedValue& result : whole_.results()) {
    const Value value = values_[result.value.index];
    const TimeLayout& layout = layouts_[result.value.index];
    if (layout.lead > 0 || layout.inner > 1) {
      return Unimplemented(
          "result ", result.name, " of function ", whole_.name(),
          layout.lead > 0 ? " begins with padding" : " has time and another axis in one",
          ", so that it cannot be told step by step");
    }
    builder_.Result(result.name, AsComputed(builder_, value));
    SEQ_RETURN_IF_ERROR(builder_.status());
    steps.results.push_back({.name = result.name,
                             .type = builder_.type(value),
                             .time_axis = layout.is_steps() ? layout.axis : -1,
                             .period = layout.period,
                             .delay = layout.delay});
  }
  for (size_t s = 0; s < states_.size(); ++s) {
    SEQ_CHECK(next_[s].present());
    std::string& next = states_[s].next;
    next = absl::StrCat(states_[s].name, "/next");
    while (!names.insert(next).second) next += "_";
    builder_.Result(next, AsComputed(builder_, next_[s]));
  }
  SEQ_ASSIGN_OR_RETURN(steps.function, std::move(builder_).Build());
  steps.inputs = std::move(inputs_);
  steps.states = std::move(states_);
  steps.steps = steps_;
  return steps;
}

absl::StatusOr<const Tensor*> Stepper::ContentOf(Value value) {
  if (const auto found = contents_.find(value.index); found != contents_.end()) {
    return &found->second;
  }
  const ValueInfo& info = whole_.info(value);
  if (info.origin == Origin::kVariable) {
    SEQ_ASSIGN_OR_RETURN(const Variable* variable, variables_.Get(info.name));
    return &variable->value;
  }
  SEQ_CHECK(info.origin == Origin::kNode);
  const Node& node = *whole_.producer(value);
  std::vector<const Tensor*> inputs;
  for (Value input : node.inputs) {
    inputs.push_back(nullptr);
    if (!input.present()) continue;
    SEQ_ASSIGN_OR_RETURN(inputs.back(), ContentOf(input));
  }
  SEQ_ASSIGN_OR_RETURN(OptionalTensors outputs, Evaluate(*node.op, node.attributes, inputs));
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (outputs[o].has_value()) contents_[node.outputs[o].index] = *std::move(outputs[o]);
  }
  return &contents_.at(value.index);
}

absl::StatusOr<bool> Stepper::SameAlong(Value value, int axis) {
  if (layouts_[value.index].given) return false;
  SEQ_ASSIGN_OR_RETURN(const Tensor* content, ContentOf(value));
  const AxisExtents extents(content->shape(), axis);
  const int64_t bytes = extents.inner * SizeOf(content->type().dtype);
  const char* data = static_cast<const char*>(content->data());
  for (int64_t outer = 0; outer < extents.outer; ++outer) {
    const char* first = data + outer * extents.extent * bytes;
    for (int64_t k = 1; k < extents.extent; ++k) {
      if (std::memcmp(first, first + k * bytes, bytes) != 0) return false;
    }
  }
  return true;
}

}  // namespace seqgraph
