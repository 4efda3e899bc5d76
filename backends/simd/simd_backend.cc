#include "backends/simd/simd_backend.h"

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/target.h"
#include "backends/simd/kernels.h"
#include "base/denormals.h"
#include "base/status_macros.h"
#include "hwy/highway.h"

namespace seqgraph {
namespace simd {
namespace {

using kernels::ForceTarget;
using kernels::kTargetVariable;
using kernels::SupportedTargets;
using kernels::TargetName;
using kernels::TargetStatus;

class SimdProgram : public Program {
 public:
  static absl::StatusOr<std::unique_ptr<Program>> Create(const ProgramRequest& request) {
    SEQ_RETURN_IF_ERROR(TargetStatus());
    const Function& function = *request.function;
    const size_t num_nodes = function.nodes().size();
    std::vector<bool> mine(num_nodes, false);
    for (int n : request.nodes) mine[n] = true;
    SEQ_ASSIGN_OR_RETURN(const kernels::ChosenRows<KernelDef> rows,
                         kernels::RowsFor(Kernels(), request, mine));
    auto program = std::make_unique<SimdProgram>();
    ProgramPlan plan{.request = request, .pool = ThreadPool::Shared(request.threads)};
    program->kernels_.resize(num_nodes);
    for (int n : request.nodes) {
      KernelContext context(n, mine, plan);
      absl::StatusOr<std::unique_ptr<Kernel>> kernel = rows[n]->make(context);
      if (!kernel.ok()) {
        return Annotate(kernel.status(), absl::StrCat("node ", function.nodes()[n].name));
      }
      program->kernels_[n] = *std::move(kernel);
    }
    return program;
  }

  std::string implementation(int node) const override { return kernels_[node]->implementation(); }
  int64_t scratch_bytes(int node) const override { return kernels_[node]->scratch_bytes(); }

  absl::Status Begin() override {
    flush_.emplace();
    return absl::OkStatus();
  }
  void End() override { flush_.reset(); }

  absl::Status Run(int node, const KernelArgs& args) override { return kernels_[node]->Run(args); }

 private:
  std::vector<std::unique_ptr<Kernel>> kernels_;  // null: another backend's
  std::optional<FlushDenormals> flush_;
};

// One for each target, for a target may be forced later.
std::map<std::string, BackendInfo> MakeInfos() {
  std::map<std::string, BackendInfo> infos;
  std::vector<std::string> targets = SupportedTargets();
  targets.push_back("none");
  for (const std::string& target : targets) {
    infos[target] = {
        "simd", absl::StrCat("1 (Highway ", HWY_MAJOR, ".", HWY_MINOR, ".", HWY_PATCH, ")"),
        absl::StrCat("vector code of our own for small recurrent models; float32; ", target)};
  }
  return infos;
}

class SimdBackend : public Backend {
 public:
  SimdBackend() { (void)TargetStatus(); }

  const BackendInfo& info() const override { return infos_.at(TargetName()); }

  FunctionClaim ClaimFunction(const Function& function) const override {
    if (const absl::Status status = TargetStatus(); !status.ok()) {
      return ClaimEach(function, [&status](int) {
        return Claim::No(ClaimReason::kUnknownOp, std::string(status.message()));
      });
    }
    return kernels::ClaimByTable(Kernels(), function);
  }

  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    return SimdProgram::Create(request);
  }

  std::vector<BackendSetting> settings() const override {
    return {{"target", "NAME",
             "Instruction set of the backend simd: SSE4, AVX2 or AVX3 (AVX-512); without it the\n"
             "best that the CPU has",
             [](const std::string& target) -> absl::Status {
               SEQ_RETURN_IF_ERROR(ForceTarget(target));
               setenv(kTargetVariable, target.c_str(), /*overwrite=*/1);
               return absl::OkStatus();
             }}};
  }

 private:
  const std::map<std::string, BackendInfo> infos_ = MakeInfos();
};

}  // namespace
}  // namespace simd

std::unique_ptr<Backend> MakeSimdBackend() { return std::make_unique<simd::SimdBackend>(); }

}  // namespace seqgraph
