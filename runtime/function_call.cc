#include "runtime/function_call.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/denormals.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "runtime/compiled_function.h"
#include "runtime/compiled_function_impl.h"
#include "runtime/memory_plan.h"

namespace seqgraph {

namespace {

// A node whose program does not bind it.
class RunByProgram : public BoundNode {
 public:
  RunByProgram(Program& program, int node, const KernelArgs& args)
      : program_(program), node_(node), args_(args) {}
  absl::Status Run() override { return program_.Run(node_, args_); }

 private:
  Program& program_;
  const int node_;
  const KernelArgs args_;
};

}  // namespace

// A result is carried that a node computes in each call, for itself alone; an input that somebody
// reads.
CarriedPairs CompiledFunction::Impl::FindCarried(absl::Span<const CarriedValue> wanted) const {
  CarriedPairs found{.pairs = {}, .pair_of = std::vector<int>(function.values().size(), -1)};
  std::vector<int> uses(function.values().size(), 0);  // as what a node computes, and as a result
  for (const CompiledStep& step : steps) {
    if (constant[step.node]) continue;
    for (Value output : function.nodes()[step.node].outputs) {
      if (output.present()) uses[output.index] = 1;
    }
  }
  for (const NamedValue& result : function.results()) ++uses[result.value.index];
  for (const CarriedValue& each : wanted) {
    const Value input = function.inputs()[each.input];
    const Value result = function.results()[each.result].value;
    if (uses[result.index] != 2 || memory.value(input) == nullptr ||
        memory.value(result) != memory.result(each.result)) {
      continue;
    }
    if (found.pair_of[input.index] >= 0 || found.pair_of[result.index] >= 0) continue;
    found.pair_of[input.index] = found.pair_of[result.index] = static_cast<int>(found.pairs.size());
    found.pairs.push_back(each);
  }
  return found;
}

absl::Status CompiledFunction::Impl::CheckShareable() const {
  const std::string& name = function.name();
  if (!updated.empty() || memory.has_guards() || !constants_are_valid) {
    return FailedPrecondition("function ", name,
                              " can be called by several only after a first call, and if it has "
                              "no updates and no guards");
  }
  for (size_t i = 0; i < assignments.size(); ++i) {
    if (steps[i].program->is_shareable()) continue;
    return FailedPrecondition("function ", name, " cannot be called by several: backend ",
                              assignments[i].backend, " runs node ", assignments[i].node,
                              " for one at a time");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FunctionCall>> CompiledFunction::MakeCall(
    absl::Span<const CarriedValue> wanted) const {
  SEQ_RETURN_IF_ERROR(impl_->CheckShareable());
  const Function& function = impl_->function;
  const CarriedPairs carried = impl_->FindCarried(wanted);
  std::unique_ptr<FunctionCall> call(new FunctionCall);
  const absl::Span<std::byte> arena = impl_->memory.arena(), scratch = impl_->memory.all_scratch();
  int64_t bytes = static_cast<int64_t>(arena.size() + scratch.size()) + kBufferAlignment;
  std::vector<int64_t> offsets;  // of what is carried, where it is not the input's place
  for (const CarriedValue& each : carried.pairs) {
    offsets.push_back(AlignedBytes(bytes));
    bytes = offsets.back() + AlignedBytes(function.type(function.inputs()[each.input]).num_bytes());
  }
  SEQ_RETURN_IF_ERROR(call->Allocate(function, bytes));
  call->shared_ = impl_;
  call->scratch_ = call->memory_ + arena.size();
  call->carried_ = carried.pairs;
  // What lies in the arena is the call's own; all else is shared.
  const auto own = [&](const void* pointer) -> void* {
    const auto* byte = static_cast<const std::byte*>(pointer);
    const bool in_arena = byte >= arena.data() && byte < arena.data() + arena.size();
    return in_arena ? call->memory_ + (byte - arena.data()) : const_cast<void*>(pointer);
  };
  const auto place = [&](size_t turn, Value value, const void* pointer) -> void* {
    const int pair = value.present() ? carried.pair_of[value.index] : -1;
    if (pair < 0) return own(pointer);
    const Value input = function.inputs()[carried.pairs[pair].input];
    const bool at_input = (value.index == input.index) == (turn == 0);
    return at_input ? own(impl_->memory.value(input)) : call->memory_ + offsets[pair];
  };
  call->turns_.resize(carried.pairs.empty() ? 1 : 2);
  for (const CompiledStep& step : impl_->steps) {
    if (!impl_->constant[step.node]) call->AddStep(step, place);
  }
  for (const Value input : function.inputs()) {
    call->inputs_.push_back(place(0, input, impl_->memory.value(input)));
  }
  for (size_t r = 0; r < function.results().size(); ++r) {
    call->results_.push_back(
        place(0, function.results()[r].value, impl_->memory.result(static_cast<int>(r))));
  }
  call->BindNodes();
  return call;
}

absl::Status FunctionCall::Allocate(const Function& function, int64_t bytes) {
  function_ = &function;
  memory_bytes_ = AlignedBytes(bytes);
  memory_ = static_cast<std::byte*>(
      std::aligned_alloc(kBufferAlignment, static_cast<size_t>(memory_bytes_)));
  if (memory_ == nullptr) {
    return ResourceExhausted("no memory for a call of function ", function.name(), ": it takes ",
                             memory_bytes_, " bytes");
  }
  std::memset(memory_, 0, static_cast<size_t>(memory_bytes_));
  return absl::OkStatus();
}

void FunctionCall::AddStep(const CompiledStep& step, PlaceOf place) {
  const Node& node = function_->nodes()[step.node];
  const size_t inputs = versions_.size();
  steps_.push_back({step.program, step.node, step.persistent, inputs, step.inputs.size(),
                    inputs + step.inputs.size(), step.outputs.size()});
  for (size_t t = 0; t < turns_.size(); ++t) {
    std::vector<void*>& pointers = turns_[t].pointers;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      pointers.push_back(place(t, node.inputs[i], step.inputs[i]));
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      pointers.push_back(place(t, node.outputs[i], step.outputs[i]));
    }
  }
  versions_.insert(versions_.end(), step.versions.begin(), step.versions.end());
  versions_.resize(turns_[0].pointers.size());
}

// When all pointers are where they stay.
void FunctionCall::BindNodes() {
  for (Turn& turn : turns_) {
    for (const Step& step : steps_) {
      const KernelArgs args = ArgsOf(step, turn);
      std::unique_ptr<BoundNode> bound = step.program->Bind(step.node, args);
      if (bound == nullptr) bound = std::make_unique<RunByProgram>(*step.program, step.node, args);
      turn.bound.push_back(std::move(bound));
    }
  }
  now_ = &turns_[0];
}

FunctionCall::~FunctionCall() { std::free(memory_); }

bool FunctionCall::carries(int i) const {
  return std::any_of(carried_.begin(), carried_.end(),
                     [i](const CarriedValue& each) { return each.input == i; });
}

KernelArgs FunctionCall::ArgsOf(const Step& step, const Turn& turn) const {
  void* const* const inputs = turn.pointers.data() + step.inputs;
  return {{inputs, step.num_inputs},
          {turn.pointers.data() + step.outputs, step.num_outputs},
          {versions_.data() + step.inputs, step.num_inputs},
          scratch_,
          step.persistent};
}

absl::Status FunctionCall::Run() {
  const FlushDenormals flush;
  for (const std::unique_ptr<BoundNode>& bound : now_->bound) {
    absl::Status status = bound->Run();
    if (!status.ok()) return NameNode(status, &bound - now_->bound.data());
  }
  if (carried_.empty()) return absl::OkStatus();
  now_ = now_ == &turns_[0] ? &turns_[1] : &turns_[0];
  for (const CarriedValue& each : carried_) {
    void* const before = inputs_[each.input];
    inputs_[each.input] = const_cast<void*>(results_[each.result]);
    results_[each.result] = before;
  }
  return absl::OkStatus();
}

absl::Status FunctionCall::NameNode(const absl::Status& status, int64_t step) const {
  const Node& named = function_->nodes()[steps_[step].node];
  return Annotate(status, absl::StrCat("function ", function_->name(), ", node ", named.name, " (",
                                       named.op->name(), ")"));
}

int64_t FunctionCall::bytes() const {
  const auto pointers = static_cast<int64_t>(turns_.size() * versions_.size());
  return memory_bytes_ + static_cast<int64_t>(sizeof(*this) + steps_.size() * sizeof(Step)) +
         static_cast<int64_t>((pointers + static_cast<int64_t>(versions_.size()) +
                               static_cast<int64_t>(inputs_.size() + results_.size())) *
                              static_cast<int64_t>(sizeof(void*)));
}

}  // namespace seqgraph
