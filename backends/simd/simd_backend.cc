#include "backends/simd/simd_backend.h"

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/target.h"
#include "backends/simd/simd_rows.h"
#include "base/status_macros.h"
#include "hwy/highway.h"

namespace seqgraph {
namespace simd {
namespace {

using kernels::ForceTarget;
using kernels::KernelContext;
using kernels::kTargetVariable;
using kernels::NodeContext;
using kernels::SupportedTargets;
using kernels::TargetName;
using kernels::TargetStatus;
using kernels::ThreadPool;

class SimdProgram : public kernels::KernelProgram {
 public:
  static absl::StatusOr<std::unique_ptr<Program>> Create(const ProgramRequest& request) {
    const std::vector<bool> mine = kernels::RequestedNodes(request);
    SEQ_ASSIGN_OR_RETURN(const kernels::ChosenRows<Row> rows,
                         kernels::RowsFor<Row>(Rows(), request, mine));
    auto program = std::make_unique<SimdProgram>();
    kernels::ProgramResources resources{.pool = ThreadPool::Shared(request.threads),
                                        .may_be_opaque = request.may_be_opaque};
    SEQ_RETURN_IF_ERROR(program->MakeKernels(request, rows, [&](int node) {
      return KernelContext(NodeContext(*request.function, node, mine), resources);
    }));
    program->persistent_bytes_ = resources.persistent_bytes;
    program->is_shareable_ = request.threads == 1 && resources.workspaces.empty();
    program->opaque_layouts_ = std::move(resources.opaque_layouts);
    return program;
  }

  int64_t persistent_bytes() const override { return persistent_bytes_; }
  std::vector<OpaqueLayout> opaque_layouts() const override { return opaque_layouts_; }

  // Kernels hold nothing that a call changes. Denormals are flushed by whoever runs the program.
  bool is_shareable() const override { return is_shareable_; }

 private:
  bool is_shareable_ = false;
  int64_t persistent_bytes_ = 0;
  std::vector<OpaqueLayout> opaque_layouts_;
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
    return kernels::ClaimByTable<Row>(Rows(), function);
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
