#include "tests/faulty_backend.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/node_bounds.h"

namespace seqgraph {
namespace {

class FaultyProgram : public Program {
 public:
  FaultyProgram(std::unique_ptr<Program> inner, const Function* function,
                const InjectedFault& fault)
      : inner_(std::move(inner)), function_(*function), fault_(fault) {}

  std::string implementation(int node) const override { return inner_->implementation(node); }
  int64_t scratch_bytes(int node) const override { return inner_->scratch_bytes(node); }
  int64_t persistent_bytes() const override { return inner_->persistent_bytes(); }
  std::vector<OpaqueLayout> opaque_layouts() const override { return inner_->opaque_layouts(); }
  absl::Status Begin() override {
    if (fault_.behavior == "no_begin_end" && failed_) return absl::InternalError("still failing");
    return inner_->Begin();
  }
  void End() override { inner_->End(); }

  absl::Status Run(int n, const KernelArgs& args) override {
    const absl::Status status = RunFaulty(n, args);
    failed_ |= !status.ok();
    return status;
  }

 private:
  absl::Status RunFaulty(int n, const KernelArgs& args) {
    const Node& node = function_.nodes()[n];
    if (!IsFaulty(node)) return inner_->Run(n, args);
    if (fault_.overrun != Overrun::kNone) return RunOver(n, args);
    if (fault_.stale_variables) return RunStale(n, args);
    Before(node, args);
    const float* output = static_cast<const float*>(args.outputs[fault_.output]);
    const bool holds = fault_.behavior == "uses_undefined" && output != nullptr;
    const std::vector<float> held(output, output + (holds ? Elements(node) : 0));
    const double amount =
        fault_.times_bound > 0 ? fault_.times_bound * BoundOf(node, args) : fault_.amount;
    SEQ_RETURN_IF_ERROR(inner_->Run(n, args));
    if (output != nullptr && Elements(node) > 0) After(node, held, amount, args);
    return absl::OkStatus();
  }

  bool IsFaulty(const Node& node) const {
    if (!fault_.node.empty()) return node.name == fault_.node;
    return fault_.op.empty() || node.op->name() == fault_.op;
  }

  const TensorType& OutputType(const Node& node) const {
    return function_.type(node.outputs[fault_.output]);
  }
  int64_t Elements(const Node& node) const { return OutputType(node).shape.num_elements(); }

  void Before(const Node& node, const KernelArgs& args) {
    if (fault_.behavior == "crashes") *static_cast<volatile int*>(nullptr_) = 1;
    if (fault_.behavior == "exits") _exit(0);
    if (fault_.behavior == "throws") throw std::runtime_error("out of luck");
    while (fault_.behavior == "hangs") usleep(1000);
    if (fault_.behavior == "read_past_end") {
      sum_ = sum_ + static_cast<const volatile char*>(args.inputs[0])[4096];
    }
    if (fault_.behavior == "writes_input" && Elements(node) > 0) {
      static_cast<float*>(const_cast<void*>(args.inputs[0]))[0] += 1;
    }
  }

  void After(const Node& node, const std::vector<float>& held, double amount,
             const KernelArgs& args) {
    void* output = args.outputs[fault_.output];
    switch (OutputType(node).dtype) {
      case DType::kFloat32:
        return Spoil(node, held, amount, static_cast<float*>(output));
      case DType::kInt32:
        return Spoil(node, held, amount, static_cast<int32_t*>(output));
      case DType::kInt64:
        return Spoil(node, held, amount, static_cast<int64_t*>(output));
      default:
        return;
    }
  }

  template <typename T>
  void Spoil(const Node& node, const std::vector<float>& held, double amount, T* y) const {
    const int64_t size = Elements(node);
    for (size_t i = 0; i < held.size(); ++i) y[i] += static_cast<T>(held[i]);
    if (fault_.behavior == "ignores_nan") {
      std::replace_if(
          y, y + size, [](T x) { return x != x; }, T{0});
    }
    const T* largest = std::max_element(y, y + size, [](T a, T b) {
      return std::fabs(static_cast<double>(a)) < std::fabs(static_cast<double>(b));
    });
    T& x = y[fault_.element == InjectedFault::kLargest ? largest - y : fault_.element % size];
    if (fault_.behavior == "flips_sign") x = -x;
    if (fault_.share != 0) {
      amount = std::is_integral_v<T> ? 1 : fault_.share * static_cast<double>(x);
    }
    if (amount != 0) x = static_cast<T>(static_cast<double>(x) + amount);
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
    for (const OpaqueLayout& storage : inner_->opaque_layouts()) {
      if (storage.value == value) return storage.bytes;
    }
    return function_.type(value).num_bytes();
  }

  // Before the node runs, which may overwrite its inputs.
  double BoundOf(const Node& node, const KernelArgs& args) const {
    OptionalTensors inputs(node.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (args.inputs[i] == nullptr) continue;
      inputs[i] = CastReals(Tensor::CopyOf(function_.type(node.inputs[i]), args.inputs[i]),
                            DType::kFloat64);
    }
    std::vector<bool> wanted(node.outputs.size(), false);
    wanted[fault_.output] = true;
    const OptionalTensors exact = EvaluateInDouble(node, inputs, wanted).value();
    return NodeBounds(node, inputs, exact).value()[fault_.output].absolute();
  }

  absl::Status RunStale(int n, const KernelArgs& args) {
    std::vector<const void*> inputs(args.inputs.begin(), args.inputs.end());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (args.versions[i] == 0 || inputs[i] == nullptr) continue;
      const auto [kept, is_new] = kept_.try_emplace({n, static_cast<int>(i)});
      if (is_new) {
        kept->second =
            Tensor::CopyOf(function_.type(function_.nodes()[n].inputs[i]), args.inputs[i]);
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
  bool failed_ = false;
  void* nullptr_ = nullptr;
  volatile char sum_ = 0;
};

class FaultyBackend : public Backend {
 public:
  FaultyBackend(const Backend* inner, InjectedFault fault)
      : inner_(inner), fault_(std::move(fault)), info_(inner->info()) {
    info_.name = "faulty";
  }

  const BackendInfo& info() const override { return info_; }

  FunctionClaim ClaimFunction(const Function& function) const override {
    FunctionClaim claim = inner_->ClaimFunction(function);
    for (size_t n = 0; n < claim.nodes.size(); ++n) {
      Claim& node = claim.nodes[n];
      const bool other = function.nodes()[n].op->name() != fault_.op;
      if (fault_.behavior == "claims_nothing" || (fault_.behavior == "claims_only" && other)) {
        node = Claim::No(ClaimReason::kUnknownOp, "knows no op");
      } else if (fault_.behavior == "changes_its_mind" && ++claims_ % 2 == 0) {
        node = Claim::No(ClaimReason::kUnknownOp, "not this time");
      }
    }
    return claim;
  }

  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    if (fault_.behavior == "second_prepare" && ++prepares_ > 1) {
      return absl::InternalError("prepared once, never again");
    }
    for (int n : request.nodes) {
      const std::string& op = request.function->nodes()[n].op->name();
      if (fault_.behavior == "broken_promise" && op == fault_.op) {
        return absl::UnimplementedError(absl::StrCat("no ", op, " after all"));
      }
    }
    if (fault_.behavior == "leaks") std::memset(new char[4096], 1, 4096);
    SEQ_ASSIGN_OR_RETURN(std::unique_ptr<Program> program, inner_->Prepare(request));
    return std::make_unique<FaultyProgram>(std::move(program), request.function, fault_);
  }

 private:
  const Backend* inner_;
  const InjectedFault fault_;
  BackendInfo info_;
  mutable std::atomic<int> claims_{0}, prepares_{0};
};

}  // namespace

absl::StatusOr<InjectedFault> ParseFault(const std::string& text) {
  static const auto* const kBehaviors = new std::set<std::string>{
      "read_past_end", "writes_input",   "uses_undefined", "ignores_nan",
      "flips_sign",    "crashes",        "exits",          "throws",
      "hangs",         "no_begin_end",   "broken_promise", "second_prepare",
      "leaks",         "claims_nothing", "claims_only",    "changes_its_mind"};
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  const auto& [what, op] = parts;
  InjectedFault fault{.op = op};
  if (what == "none") {
    fault.behavior = what;
  } else if (what == "perturb") {
    fault.element = InjectedFault::kLargest, fault.times_bound = 10;
  } else if (what == "off") {
    fault.element = InjectedFault::kLargest, fault.share = 1e-3;
  } else if (what == "behind" || what == "before") {
    fault.overrun = what == "behind" ? Overrun::kBehind : Overrun::kBefore;
  } else if (what == "stale_variables") {
    fault.stale_variables = true;
  } else if (kBehaviors->contains(what)) {
    fault.behavior = what;
    if (what == "flips_sign") fault.output = 2;  // du of a recurrent cell's gradient
  } else {
    return absl::NotFoundError(absl::StrCat("no fault is called ", what, "; there are ",
                                            absl::StrJoin(*kBehaviors, ", "),
                                            ", none, perturb:OP, off:OP, behind:OP, before:OP, "
                                            "stale_variables"));
  }
  return fault;
}

std::unique_ptr<Backend> MakeFaultyBackend(const Backend* inner, InjectedFault fault) {
  return std::make_unique<FaultyBackend>(inner, std::move(fault));
}

}  // namespace seqgraph
