#include "tests/diff/faulty_backend.h"

#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "runtime/node_oracle.h"
#include "runtime/numeric_bounds.h"

namespace seqgraph {
namespace {

Tensor CopyOf(const TensorType& type, const void* data) {
  Tensor tensor = Tensor::Zeros(type).value();
  std::memcpy(tensor.data(), data, static_cast<size_t>(type.num_bytes()));
  return tensor;
}

class FaultyProgram : public Program {
 public:
  FaultyProgram(std::unique_ptr<Program> inner, const Function* function,
                const InjectedFault& fault)
      : inner_(std::move(inner)), function_(*function), fault_(fault) {}

  std::string implementation(int node) const override { return inner_->implementation(node); }
  int64_t scratch_bytes(int node) const override { return inner_->scratch_bytes(node); }
  int64_t persistent_bytes() const override { return inner_->persistent_bytes(); }
  std::vector<PrivateStorage> private_storage() const override { return inner_->private_storage(); }
  absl::Status Begin() override { return inner_->Begin(); }
  void End() override { inner_->End(); }

  absl::Status Run(int n, const KernelArgs& args) override {
    const Node& node = function_.nodes()[n];
    if (!IsFaulty(node)) return inner_->Run(n, args);
    if (fault_.overrun != Overrun::kNone) return RunOver(n, args);
    if (fault_.stale_variables) return RunStale(n, args);
    const double amount = fault_.times_bound > 0 ? fault_.times_bound * BoundOf(node, args)
                                                 : static_cast<double>(fault_.amount);
    SEQ_RETURN_IF_ERROR(inner_->Run(n, args));
    if (args.outputs[fault_.output] == nullptr) return absl::OkStatus();
    const int64_t size = function_.type(node.outputs[fault_.output]).shape.num_elements();
    static_cast<float*>(args.outputs[fault_.output])[fault_.element % size] +=
        static_cast<float>(amount);
    return absl::OkStatus();
  }

 private:
  bool IsFaulty(const Node& node) const {
    return fault_.node.empty() ? node.op->name() == fault_.op : node.name == fault_.node;
  }

  absl::Status RunOver(int n, const KernelArgs& args) {
    SEQ_RETURN_IF_ERROR(inner_->Run(n, args));
    const float stray = 12345;
    char* address = static_cast<char*>(args.scratch) + inner_->scratch_bytes(n);
    if (fault_.overrun != Overrun::kScratch) {
      size_t o = 0;
      while (args.outputs[o] == nullptr) ++o;
      address = static_cast<char*>(args.outputs[o]);
      address += fault_.overrun == Overrun::kBefore ? -int64_t{sizeof(stray)}
                                                    : BytesOf(function_.nodes()[n].outputs[o]);
    }
    std::memcpy(address, &stray, sizeof(stray));
    return absl::OkStatus();
  }

  int64_t BytesOf(Value value) const {
    for (const PrivateStorage& storage : inner_->private_storage()) {
      if (storage.value == value) return storage.bytes;
    }
    return function_.type(value).num_bytes();
  }

  // Before the node runs, which may overwrite its inputs.
  double BoundOf(const Node& node, const KernelArgs& args) const {
    Operands inputs(node.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (args.inputs[i] != nullptr) {
        inputs[i] = CopyOf(function_.type(node.inputs[i]), args.inputs[i]);
      }
    }
    inputs = InDouble(inputs);
    std::vector<bool> wanted(node.outputs.size(), false);
    wanted[fault_.output] = true;
    const Operands exact = EvaluateInDouble(node, inputs, wanted).value();
    return NodeBounds(node, inputs, exact).value()[fault_.output].absolute();
  }

  absl::Status RunStale(int n, const KernelArgs& args) {
    std::vector<const void*> inputs(args.inputs.begin(), args.inputs.end());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (args.versions[i] == 0) continue;
      const auto [kept, is_new] = kept_.try_emplace({n, static_cast<int>(i)});
      if (is_new) {
        kept->second = CopyOf(function_.type(function_.nodes()[n].inputs[i]), args.inputs[i]);
      }
      inputs[i] = kept->second.data();
    }
    KernelArgs stale = args;
    stale.inputs = inputs;
    return inner_->Run(n, stale);
  }

  std::unique_ptr<Program> inner_;
  const Function& function_;
  const InjectedFault fault_;
  std::map<std::pair<int, int>, Tensor> kept_;
};

class FaultyBackend : public Backend {
 public:
  FaultyBackend(const Backend* inner, InjectedFault fault)
      : inner_(inner), fault_(std::move(fault)), info_(inner->info()) {
    info_.name = "faulty";
  }

  const BackendInfo& info() const override { return info_; }
  Claim ClaimNode(const Function& function, int node) const override {
    return inner_->ClaimNode(function, node);
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    SEQ_ASSIGN_OR_RETURN(std::unique_ptr<Program> program, inner_->Prepare(request));
    return std::make_unique<FaultyProgram>(std::move(program), request.function, fault_);
  }

 private:
  const Backend* inner_;
  const InjectedFault fault_;
  BackendInfo info_;
};

}  // namespace

std::unique_ptr<Backend> MakeFaultyBackend(const Backend* inner, InjectedFault fault) {
  return std::make_unique<FaultyBackend>(inner, std::move(fault));
}

}  // namespace seqgraph
