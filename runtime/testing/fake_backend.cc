#include "runtime/testing/fake_backend.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph {
namespace {

constexpr int64_t kHeader = 64;

// Copies elements in reverse order: the private layout, and back from it.
void CopyReversed(const std::byte* from, std::byte* to, int64_t bytes, int64_t element) {
  for (int64_t i = 0; i < bytes; i += element) {
    std::memcpy(to + (bytes - element - i), from + i, element);
  }
}

class FakeProgram : public Program {
 public:
  FakeProgram(const FakeBehavior& behavior, FakeLog* log, const ProgramRequest& request)
      : behavior_(behavior),
        log_(log != nullptr ? log : &own_log_),
        function_(*request.function),
        is_opaque_(request.may_be_opaque.size(), false) {
    for (size_t v = 0; v < is_opaque_.size(); ++v) {
      if (!request.may_be_opaque[v]) continue;
      log_->may_be_opaque.push_back(function_.values()[v].name);
      if (!behavior.opaque_layouts) continue;
      is_opaque_[v] = true;
      log_->opaque_values.push_back(function_.values()[v].name);
    }
  }

  std::string implementation(int node) const override {
    return absl::StrCat("fake:", function_.nodes()[node].op->name());
  }
  int64_t scratch_bytes(int) const override { return behavior_.scratch_bytes; }
  int64_t persistent_bytes() const override { return behavior_.persistent_bytes; }
  std::vector<OpaqueLayout> opaque_layouts() const override {
    std::vector<OpaqueLayout> storage = behavior_.demanded;
    for (size_t v = 0; v < is_opaque_.size(); ++v) {
      if (!is_opaque_[v]) continue;
      storage.push_back(
          {Value{static_cast<int>(v)}, kHeader + function_.values()[v].type.num_bytes()});
    }
    return storage;
  }

  bool is_shareable() const override { return behavior_.shareable; }
  absl::Status Begin() override {
    if (behavior_.begin.ok()) log_->events.push_back("begin");
    return behavior_.begin;
  }
  void End() override { log_->events.push_back("end"); }

  absl::Status Run(int index, const KernelArgs& args) override {
    const Node& node = function_.nodes()[index];
    Record(node, args);
    const auto failure = behavior_.failures.find(node.name);
    if (failure != behavior_.failures.end()) return failure->second;
    const auto delay = behavior_.delays.find(node.op->name());
    if (delay != behavior_.delays.end()) {
      std::this_thread::sleep_for(std::chrono::duration<double>(delay->second));
    }
    const absl::Status status = Compute(node, args);
    const auto stray = behavior_.stray.find(node.name);
    if (stray != behavior_.stray.end()) Stray(stray->second, args);
    return status;
  }

 private:
  static void Stray(const StrayWrite& write, const KernelArgs& args) {
    void* buffer = write.buffer == StrayWrite::Buffer::kOutput ? args.outputs[write.index]
                   : write.buffer == StrayWrite::Buffer::kInput
                       ? const_cast<void*>(args.inputs[write.index])
                   : write.buffer == StrayWrite::Buffer::kScratch ? args.scratch
                                                                  : args.persistent;
    static_cast<std::byte*>(buffer)[write.offset] ^= std::byte{0x55};
  }

  void Record(const Node& node, const KernelArgs& args) {
    log_->events.push_back(absl::StrCat("run ", node.name));
    log_->versions.emplace_back(args.versions.begin(), args.versions.end());
    log_->inputs.emplace_back(args.inputs.begin(), args.inputs.end());
    log_->outputs.emplace_back(args.outputs.begin(), args.outputs.end());
    log_->scratch.push_back(args.scratch);
    if (args.scratch != nullptr) std::memset(args.scratch, 0xCD, behavior_.scratch_bytes);
    if (args.persistent != nullptr) {
      int64_t& counter = *static_cast<int64_t*>(args.persistent);
      log_->persistent.push_back(counter++);
    }
  }

  // Runs the op's reference computation on the memory itself, or on plain copies of what lies in a
  // private layout.
  absl::Status Compute(const Node& node, const KernelArgs& args) {
    std::vector<Tensor> plain;
    plain.reserve(node.inputs.size() + node.outputs.size());
    std::vector<ReferenceContext::Operand> inputs(node.inputs.size()), outputs(node.outputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (args.inputs[i] == nullptr) continue;
      const TensorType& type = function_.type(node.inputs[i]);
      inputs[i] = {const_cast<void*>(args.inputs[i]), &type};
      if (!is_opaque_[node.inputs[i].index]) continue;
      plain.push_back(Tensor::Zeros(type).value());
      CopyReversed(static_cast<const std::byte*>(args.inputs[i]) + kHeader,
                   static_cast<std::byte*>(plain.back().data()), type.num_bytes(),
                   SizeOf(type.dtype));
      inputs[i].data = plain.back().data();
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      outputs[i] = {args.outputs[i], &function_.type(node.outputs[i])};
      if (args.outputs[i] == nullptr || !is_opaque_[node.outputs[i].index]) continue;
      plain.push_back(Tensor::Zeros(*outputs[i].type).value());
      outputs[i].data = plain.back().data();
    }
    const absl::Status status =
        node.op->Compute(ReferenceContext(inputs, outputs, node.attributes));
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].data == args.outputs[i]) continue;
      std::byte* memory = static_cast<std::byte*>(args.outputs[i]);
      std::memset(memory, 0xAB, kHeader);
      CopyReversed(static_cast<const std::byte*>(outputs[i].data), memory + kHeader,
                   outputs[i].type->num_bytes(), SizeOf(outputs[i].type->dtype));
    }
    return status;
  }

  const FakeBehavior& behavior_;
  FakeLog own_log_;
  FakeLog* log_;
  const Function& function_;
  std::vector<bool> is_opaque_;
};

}  // namespace

FakeBackend::FakeBackend(FakeBehavior behavior, FakeLog* log)
    : behavior_(std::move(behavior)), log_(log), info_{behavior_.name, "1", "for tests"} {}

FunctionClaim FakeBackend::ClaimFunction(const Function& function) const {
  return ClaimEach(function, [&](int node) {
    const auto refusal = behavior_.refusals.find(function.nodes()[node].op->name());
    return refusal == behavior_.refusals.end() ? Claim::Yes() : refusal->second;
  });
}

absl::StatusOr<std::unique_ptr<Program>> FakeBackend::Prepare(const ProgramRequest& request) const {
  if (!behavior_.prepare.ok()) return behavior_.prepare;
  return std::make_unique<FakeProgram>(behavior_, log_, request);
}

}  // namespace seqgraph
