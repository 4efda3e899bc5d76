#include <algorithm>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "graph/stepper.h"

namespace seqgraph {
namespace {

using Kind = TimeLayout::Kind;

// Of all states together, which are made before anything asks how much memory calls may take.
constexpr int64_t kMaxStateBytes = int64_t{1} << 31;

}  // namespace

FunctionBuilder& StepContext::builder() { return stepper_.builder_; }

const TensorType& StepContext::whole_input(int i) const {
  return stepper_.whole_.type(node_.inputs[i]);
}

const TensorType& StepContext::whole_output(int o) const {
  return stepper_.whole_.type(node_.outputs[o]);
}

const TimeLayout& StepContext::layout(int i) const {
  return stepper_.layouts_[node_.inputs[i].index];
}

Value StepContext::input(int i) const {
  return node_.inputs[i].present() ? stepper_.values_[node_.inputs[i].index] : Value{};
}

int64_t StepContext::steps(const TimeLayout& layout) {
  if (stepper_.steps_ % layout.period == 0) return stepper_.steps_ / layout.period;
  stepper_.period_ = std::lcm(stepper_.period_, layout.period);
  return 0;
}

int64_t StepContext::Extent(const Shape& whole, const TimeLayout& layout) {
  return whole[layout.axis].size() / layout.whole * steps(layout);
}

absl::StatusOr<Value> StepContext::SteadyAlong(int i, int axis, const TimeLayout& like) {
  const Shape& shape = whole_input(i).shape;
  if (axis < 0 || shape[axis] == Dim(1) || like.whole == 1) return input(i);
  SEQ_ASSIGN_OR_RETURN(const bool same, stepper_.SameAlong(node_.inputs[i], axis));
  if (!same) {
    return Refuse(absl::StrCat("input ", node_.op->inputs()[i].name,
                               " differs from step to step of the whole sequence"));
  }
  return Add("Slice", {input(i)},
             {{"axis", int64_t{axis}}, {"begin", int64_t{0}}, {"end", Extent(shape, like)}});
}

absl::StatusOr<Value> StepContext::Later(int i, int64_t later) {
  if (later == 0) return input(i);
  const TimeLayout& time = layout(i);
  const int64_t axis = time.axis, in = Extent(whole_input(i).shape, time);
  if (time.inner != 1 || in != steps(time)) return Refuse("time and another axis are one");
  TensorType type = builder().type(input(i));
  type.shape = Stepper::WithExtent(type.shape, time.axis, later);
  SEQ_ASSIGN_OR_RETURN(const Value state, State("later", type));
  const Value all = Add("Concat", {state, input(i)}, {{"axis", axis}});
  SetNext(state, Add("Slice", {all}, {{"axis", axis}, {"begin", in}, {"end", in + later}}));
  return Add("Slice", {all}, {{"axis", axis}, {"begin", int64_t{0}}, {"end", in}});
}

int64_t StepContext::lookahead() const { return stepper_.lookahead_; }

// The number of steps so far counts up to the delay, and then stays.
absl::StatusOr<Value> StepContext::HasBegun(const TimeLayout& layout, int64_t batch) {
  const int64_t n = steps(layout);
  const auto constant = [this](const TensorType& type, auto element) -> absl::StatusOr<Value> {
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Zeros(type));
    int64_t i = 0;
    for (float& x : tensor.Elements<float>()) x = static_cast<float>(element(i++));
    return Add("Constant", {}, {{"value", TensorAttribute(std::move(tensor))}});
  };
  const TensorType one{DType::kFloat32, {batch, 1}}, all{DType::kFloat32, {batch, n}};
  SEQ_ASSIGN_OR_RETURN(const Value before, State("begun", one));
  SEQ_ASSIGN_OR_RETURN(const Value more, constant(one, [n](int64_t) { return n; }));
  SEQ_ASSIGN_OR_RETURN(const Value most, constant(one, [&](int64_t) { return layout.delay; }));
  SetNext(before, Add("Minimum", {Add("Add", {before, more}), most}));
  SEQ_ASSIGN_OR_RETURN(const Value place, constant(all, [n](int64_t i) { return i % n + 1; }));
  SEQ_ASSIGN_OR_RETURN(const Value delay, constant(all, [&](int64_t) { return layout.delay; }));
  const Value wide = Add("BroadcastTo", {before}, {{"shape", std::vector<int64_t>{batch, n}}});
  return Add("Less", {delay, Add("Add", {wide, place})});
}

absl::Status StepContext::RequireSteady(int i) {
  if (!has_input(i) || layout(i).kind == Kind::kSteady) return absl::OkStatus();
  return Refuse(absl::StrCat("input ", node_.op->inputs()[i].name, " changes from step to step"));
}

std::vector<Value> StepContext::Emit(absl::Span<const Value> inputs, const Attributes& attributes) {
  return builder().AddNode(node_.op->name(), inputs, attributes, node_.name);
}

Value StepContext::Add(absl::string_view op, absl::Span<const Value> inputs,
                       Attributes attributes) {
  const std::vector<Value> outputs = builder().AddNode(op, inputs, std::move(attributes));
  return outputs.empty() ? Value{} : outputs[0];
}

absl::StatusOr<bool> StepContext::BeginsWithZeros(int initial) {
  if (initial < 0 || !has_input(initial)) return true;
  if (layout(initial).kind != Kind::kSteady || layout(initial).given) return false;
  SEQ_ASSIGN_OR_RETURN(const Tensor* content, stepper_.ContentOf(node_.inputs[initial]));
  const char* bytes = static_cast<const char*>(content->data());
  return std::all_of(bytes, bytes + content->num_bytes(), [](char byte) { return byte == 0; });
}

absl::StatusOr<Value> StepContext::State(absl::string_view name, const TensorType& type,
                                         int initial) {
  StepState state{.name = absl::StrCat(node_.name, "/", name), .type = type};
  if (initial >= 0 && has_input(initial)) {
    const Value begin = node_.inputs[initial];
    const ValueInfo& info = stepper_.whole_.info(begin);
    if (layout(initial).kind == Kind::kSteady && !layout(initial).given) {
      SEQ_ASSIGN_OR_RETURN(const Tensor* content, stepper_.ContentOf(begin));
      state.initial = *content;
    } else if (info.origin == Origin::kInput && !input(initial).present()) {
      state.name = info.name;
    } else {
      return Refuse(
          absl::StrCat("its state begins with ", info.name, ", which is computed from inputs"));
    }
  }
  if (state.initial.type() != type) {
    SEQ_RETURN_IF_ERROR(type.shape.Validate());
    int64_t bytes = type.num_bytes();
    for (const StepState& other : stepper_.states_) bytes += other.type.num_bytes();
    if (bytes > kMaxStateBytes) {
      return ResourceExhausted("state ", state.name, ", ", type.ToString(), ", makes ", bytes,
                               " bytes of states; at most ", kMaxStateBytes);
    }
    SEQ_ASSIGN_OR_RETURN(state.initial, Tensor::Zeros(type));
  }
  const auto taken = [this](const std::string& one) {
    return builder().function().FindValue(one).present();
  };
  while (taken(state.name)) state.name += "_";
  const Value value = builder().Input(state.name, type);
  SEQ_RETURN_IF_ERROR(builder().status());
  stepper_.states_.push_back(std::move(state));
  stepper_.next_.push_back({});
  return value;
}

void StepContext::SetNext(Value state, Value next) {
  const std::string& name = builder().function().info(state).name;
  for (size_t s = 0; s < stepper_.states_.size(); ++s) {
    if (stepper_.states_[s].name == name) stepper_.next_[s] = next;
  }
}

void StepContext::SetOutput(int o, Value value, const TimeLayout& layout) {
  stepper_.values_[node_.outputs[o].index] = value;
  stepper_.layouts_[node_.outputs[o].index] = layout;
}

absl::Status StepContext::Refuse(absl::string_view why) const {
  return Unimplemented("node ", node_.name, " (", node_.op->name(),
                       ") cannot go step by step: ", why);
}

}  // namespace seqgraph
