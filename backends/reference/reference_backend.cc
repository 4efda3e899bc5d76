#include "backends/reference/reference_backend.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

using Operand = ReferenceContext::Operand;

struct NodeCall {
  const Node* node = nullptr;
  DType real = DType::kFloat32;
  std::vector<Operand> inputs, outputs;  // types are set; data changes from call to call
};

class ReferenceProgram : public Program {
 public:
  explicit ReferenceProgram(const ProgramRequest& request) {
    const Function& function = *request.function;
    for (int n : request.nodes) {
      const Node& node = function.nodes()[n];
      NodeCall call{.node = &node};
      for (Value input : node.inputs) {
        call.inputs.push_back({nullptr, input.present() ? &function.type(input) : nullptr});
      }
      for (Value output : node.outputs) {
        call.outputs.push_back({nullptr, &function.type(output)});
      }
      call.real = ReferenceContext(call.inputs, call.outputs, node.attributes).real();
      calls_.emplace(n, std::move(call));
    }
  }

  std::string implementation(int node) const override {
    return absl::StrCat("reference ", DTypeName(calls_.at(node).real));
  }

  absl::Status Run(int node, const KernelArgs& args) override {
    NodeCall& call = calls_.at(node);
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      // Reference computations read inputs through const views only.
      call.inputs[i].data = const_cast<void*>(args.inputs[i]);
    }
    for (size_t i = 0; i < call.outputs.size(); ++i) call.outputs[i].data = args.outputs[i];
    return call.node->op->reference(call.real)(
        ReferenceContext(call.inputs, call.outputs, call.node->attributes));
  }

 private:
  absl::flat_hash_map<int, NodeCall> calls_;
};

class ReferenceBackend : public Backend {
 public:
  const BackendInfo& info() const override { return info_; }
  FunctionClaim ClaimFunction(const Function& function) const override {
    return ClaimEach(function, [](int) { return Claim::Yes(); });
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    return std::make_unique<ReferenceProgram>(request);
  }

 private:
  BackendInfo info_{"reference", "1",
                    "naive loops, float32 and float64, one thread: the meaning of every op"};
};

}  // namespace

std::unique_ptr<Backend> MakeReferenceBackend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace seqgraph
