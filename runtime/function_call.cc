#include "runtime/function_call.h"

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

absl::StatusOr<std::unique_ptr<FunctionCall>> CompiledFunction::MakeCall() const {
  const std::string& name = impl_->function.name();
  if (!impl_->updated.empty() || impl_->memory.has_guards() || !impl_->constants_are_valid) {
    return FailedPrecondition("function ", name,
                              " can be called by several only after a first call, and if it has "
                              "no updates and no guards");
  }
  for (const NodeAssignment& each : impl_->assignments) {
    const Program& program = *impl_->steps[&each - impl_->assignments.data()].program;
    if (program.is_shareable()) continue;
    return FailedPrecondition("function ", name, " cannot be called by several: backend ",
                              each.backend, " runs node ", each.node, " for one at a time");
  }
  std::unique_ptr<FunctionCall> call(new FunctionCall);
  const absl::Span<std::byte> arena = impl_->memory.arena(), scratch = impl_->memory.all_scratch();
  call->memory_bytes_ = static_cast<int64_t>(arena.size() + scratch.size()) + kBufferAlignment;
  call->memory_ = static_cast<std::byte*>(
      std::aligned_alloc(kBufferAlignment, static_cast<size_t>(call->memory_bytes_)));
  if (call->memory_ == nullptr) {
    return ResourceExhausted("no memory for a call of function ", name, ": it takes ",
                             call->memory_bytes_, " bytes");
  }
  std::memset(call->memory_, 0, static_cast<size_t>(call->memory_bytes_));
  call->shared_ = impl_;
  call->function_ = &impl_->function;
  call->scratch_ = call->memory_ + arena.size();
  // What lies in the arena is the call's own; all else is shared.
  const auto own = [&](const void* pointer) -> void* {
    const auto* byte = static_cast<const std::byte*>(pointer);
    const bool in_arena = byte >= arena.data() && byte < arena.data() + arena.size();
    return in_arena ? call->memory_ + (byte - arena.data()) : const_cast<void*>(pointer);
  };
  for (const CompiledStep& step : impl_->steps) {
    if (impl_->constant[step.node]) continue;
    const size_t inputs = call->pointers_.size();
    for (const void* input : step.inputs) call->pointers_.push_back(own(input));
    call->versions_.insert(call->versions_.end(), step.versions.begin(), step.versions.end());
    for (const void* output : step.outputs) call->pointers_.push_back(own(output));
    call->versions_.resize(call->pointers_.size());
    call->steps_.push_back({step.program, step.node, step.persistent, nullptr, inputs,
                            step.inputs.size(), inputs + step.inputs.size(), step.outputs.size()});
  }
  for (FunctionCall::Step& step : call->steps_) {
    auto bound = step.program->Bind(step.node, call->ArgsOf(step));
    step.bound = bound.get();
    if (bound != nullptr) call->bound_.push_back(std::move(bound));
  }
  for (Value input : impl_->function.inputs()) {
    call->inputs_.push_back(own(impl_->memory.value(input)));
  }
  for (size_t r = 0; r < impl_->function.results().size(); ++r) {
    call->results_.push_back(own(impl_->memory.result(static_cast<int>(r))));
  }
  return call;
}

FunctionCall::~FunctionCall() { std::free(memory_); }

KernelArgs FunctionCall::ArgsOf(const Step& step) const {
  void* const* const inputs = pointers_.data() + step.inputs;
  return {{inputs, step.num_inputs},
          {pointers_.data() + step.outputs, step.num_outputs},
          {versions_.data() + step.inputs, step.num_inputs},
          scratch_,
          step.persistent};
}

absl::Status FunctionCall::Run() {
  const FlushDenormals flush;
  for (const Step& step : steps_) {
    const absl::Status status =
        step.bound != nullptr ? step.bound->Run() : step.program->Run(step.node, ArgsOf(step));
    if (!status.ok()) return NameNode(status, step.node);
  }
  return absl::OkStatus();
}

absl::Status FunctionCall::NameNode(const absl::Status& status, int node) const {
  const Node& named = function_->nodes()[node];
  return Annotate(status, absl::StrCat("function ", function_->name(), ", node ", named.name, " (",
                                       named.op->name(), ")"));
}

int64_t FunctionCall::bytes() const {
  return memory_bytes_ + static_cast<int64_t>(sizeof(*this) + steps_.size() * sizeof(Step) +
                                              pointers_.size() * sizeof(void*) +
                                              versions_.size() * sizeof(uint64_t) +
                                              (inputs_.size() + results_.size()) * sizeof(void*));
}

}  // namespace seqgraph
