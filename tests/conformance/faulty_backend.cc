#include "tests/conformance/faulty_backend.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "runtime/numeric_bounds.h"

namespace seqgraph {
namespace {

constexpr char kPerturb[] = "perturb:";

// The first output moved by ten times its bound where it is largest. It needs the exact result for
// that, from the op's definition in double.
absl::Status Perturb(const Function& function, const Node& node, const KernelArgs& args) {
  std::vector<Tensor> inputs(node.inputs.size()), exact(node.outputs.size());
  std::vector<const Tensor*> in(inputs.size(), nullptr), out(exact.size(), nullptr);
  std::vector<ReferenceContext::Operand> operands(inputs.size()), results(exact.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (args.inputs[i] == nullptr) continue;
    Tensor tensor = *Tensor::Zeros(function.type(node.inputs[i]));
    if (tensor.num_bytes() > 0) std::memcpy(tensor.data(), args.inputs[i], tensor.num_bytes());
    inputs[i] = IsReal(tensor.dtype()) ? tensor.Cast(DType::kFloat64) : tensor;
    in[i] = &inputs[i];
    operands[i] = {inputs[i].data(), &inputs[i].type()};
  }
  for (size_t o = 0; o < exact.size(); ++o) {
    TensorType type = function.type(node.outputs[o]);
    if (IsReal(type.dtype)) type.dtype = DType::kFloat64;
    exact[o] = *Tensor::Zeros(type);
    out[o] = &exact[o];
    results[o] = {exact[o].data(), &exact[o].type()};
  }
  absl::Status status =
      node.op->reference(DType::kFloat64)(ReferenceContext(operands, results, node.attributes));
  if (!status.ok()) return status;
  const auto bounds = NodeErrorBounds(*node.op, node.attributes, in, out);
  if (!bounds.ok()) return bounds.status();
  const Tensor& first = exact[0];
  if (first.dtype() != DType::kFloat64 || first.num_elements() == 0) return absl::OkStatus();
  const auto elements = first.Elements<double>();
  const auto largest = std::max_element(elements.begin(), elements.end(), [](double a, double b) {
    return std::fabs(a) < std::fabs(b);
  });
  float* y = static_cast<float*>(args.outputs[0]);
  if (y != nullptr) {
    y[largest - elements.begin()] = static_cast<float>(*largest + 10 * (*bounds)[0].absolute());
  }
  return absl::OkStatus();
}

class FaultyProgram : public Program {
 public:
  FaultyProgram(std::string fault, const Function* function, std::unique_ptr<Program> inner)
      : fault_(std::move(fault)), function_(function), inner_(std::move(inner)) {}

  std::string implementation(int node) const override { return inner_->implementation(node); }
  int64_t scratch_bytes(int node) const override { return inner_->scratch_bytes(node); }
  int64_t persistent_bytes() const override { return inner_->persistent_bytes(); }
  std::vector<PrivateStorage> private_storage() const override { return inner_->private_storage(); }
  absl::Status Begin() override {
    if (fault_ == "no_begin_end" && failed_) return absl::InternalError("still failing");
    return inner_->Begin();
  }
  void End() override { inner_->End(); }

  absl::Status Run(int n, const KernelArgs& args) override {
    const Node& node = function_->nodes()[n];
    const std::string& op = node.op->name();
    if (op == "Tanh") Before(node, args);
    std::vector<float> held;
    if (fault_ == "uses_undefined" && op == "Tanh") {
      const float* y = static_cast<const float*>(args.outputs[0]);
      held.assign(y, y + Elements(node.outputs[0]));
    }
    const absl::Status status =
        fault_ == "stale_weight" ? RunOnOldVariables(n, args) : inner_->Run(n, args);
    failed_ |= !status.ok();
    if (!status.ok()) return status;
    if (absl::StartsWith(fault_, kPerturb) && op == absl::StripPrefix(fault_, kPerturb)) {
      return Perturb(*function_, node, args);
    }
    for (size_t i = 0; i < held.size(); ++i) static_cast<float*>(args.outputs[0])[i] += held[i];
    if (op == "RNNCellGrad" && fault_ == "wrong_gate_gradient" && args.outputs[2] != nullptr &&
        Elements(node.outputs[2]) > 0) {
      static_cast<float*>(args.outputs[2])[0] *= -1;
    }
    if (op == "Tanh") After(node, args);
    if (op == "Sigmoid" && fault_ == "ignores_nan") {
      float* y = static_cast<float*>(args.outputs[0]);
      for (int64_t i = 0; i < Elements(node.outputs[0]); ++i) {
        if (std::isnan(y[i])) y[i] = 0;
      }
    }
    return absl::OkStatus();
  }

 private:
  int64_t Elements(Value value) const { return function_->type(value).shape.num_elements(); }

  void Before(const Node& node, const KernelArgs& args) {
    if (fault_ == "crashes") *static_cast<volatile int*>(nullptr_) = 1;
    if (fault_ == "exits") _exit(0);
    if (fault_ == "throws") throw std::runtime_error("out of luck");
    while (fault_ == "hangs") usleep(1000);
    if (fault_ == "read_past_end") {
      sum_ = sum_ + static_cast<const volatile char*>(args.inputs[0])[4096];
    }
    if (fault_ == "writes_input" && Elements(node.inputs[0]) > 0) {
      static_cast<float*>(const_cast<void*>(args.inputs[0]))[0] += 1;
    }
  }

  void After(const Node& node, const KernelArgs& args) {
    volatile float* y = static_cast<float*>(args.outputs[0]);
    if (fault_ == "write_past_end") y[Elements(node.outputs[0])] = 1;
    if (fault_ == "write_before_begin") y[-1] = 1;
  }

  // Variables as they were in the first call: a packed copy that is never made anew.
  absl::Status RunOnOldVariables(int n, const KernelArgs& args) {
    std::vector<const void*> inputs(args.inputs.begin(), args.inputs.end());
    const Node& node = function_->nodes()[n];
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (args.versions[i] == 0 || inputs[i] == nullptr) continue;
      std::vector<char>& packed = packed_[{n, i}];
      const size_t bytes = static_cast<size_t>(function_->type(node.inputs[i]).num_bytes());
      const char* content = static_cast<const char*>(inputs[i]);
      if (packed.empty()) packed.assign(content, content + bytes);
      inputs[i] = packed.data();
    }
    return inner_->Run(n, {inputs, args.outputs, args.versions, args.scratch, args.persistent});
  }

  const std::string fault_;
  const Function* function_;
  const std::unique_ptr<Program> inner_;
  std::map<std::pair<int, size_t>, std::vector<char>> packed_;
  bool failed_ = false;
  void* nullptr_ = nullptr;
  volatile char sum_ = 0;
};

class FaultyBackend : public Backend {
 public:
  FaultyBackend(std::string fault, const Backend& inner)
      : fault_(std::move(fault)), inner_(inner), info_{"faulty", "1", fault_} {}

  const BackendInfo& info() const override { return info_; }

  Claim ClaimNode(const Function& function, int node) const override {
    if (fault_ == "nothing") return Claim::No(ClaimReason::kUnknownOp, "knows no op");
    if (fault_ == "changes_its_mind" && ++claims_ % 2 == 0) {
      return Claim::No(ClaimReason::kUnknownOp, "not this time");
    }
    return inner_.ClaimNode(function, node);
  }

  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    if (fault_ == "second_prepare" && ++prepares_ > 1) {
      return absl::InternalError("prepared once, never again");
    }
    for (int n : request.nodes) {
      if (fault_ == "broken_promise" && request.function->nodes()[n].op->name() == "Dense") {
        return absl::UnimplementedError("no Dense after all");
      }
    }
    if (fault_ == "leaks") std::memset(new char[4096], 1, 4096);
    auto inner = inner_.Prepare(request);
    if (!inner.ok()) return inner.status();
    return std::make_unique<FaultyProgram>(fault_, request.function, *std::move(inner));
  }

 private:
  const std::string fault_;
  const Backend& inner_;
  const BackendInfo info_;
  mutable std::atomic<int> claims_{0}, prepares_{0};
};

}  // namespace

std::vector<std::string> FaultNames() {
  return {"none",
          "wrong_gate_gradient",
          "stale_weight",
          "write_past_end",
          "write_before_begin",
          "read_past_end",
          "writes_input",
          "uses_undefined",
          "ignores_nan",
          "broken_promise",
          "second_prepare",
          "changes_its_mind",
          "crashes",
          "exits",
          "throws",
          "hangs",
          "leaks",
          "no_begin_end",
          "nothing"};
}

absl::StatusOr<std::unique_ptr<Backend>> MakeFaultyBackend(const std::string& fault,
                                                           const Backend& inner) {
  const std::vector<std::string> names = FaultNames();
  if (std::find(names.begin(), names.end(), fault) == names.end() &&
      !absl::StartsWith(fault, kPerturb)) {
    return absl::NotFoundError(absl::StrCat("no fault is called ", fault, "; there are ",
                                            absl::StrJoin(names, ", "), ", perturb:OP"));
  }
  return std::make_unique<FaultyBackend>(fault, inner);
}

}  // namespace seqgraph
