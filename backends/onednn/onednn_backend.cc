#include "backends/onednn/onednn_backend.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/kernel_table.h"
#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/isa.h"
#include "backends/onednn/kernel.h"
#include "backends/onednn/run_guard.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace onednn {
namespace {

bool MayBeTimeMajor(const KernelDef& kernel, const InputDef& input) {
  return std::any_of(kernel.time_major.inputs.begin(), kernel.time_major.inputs.end(),
                     [&](const char* name) { return name != nullptr && input.name == name; });
}

bool MayBeTimeMajor(const KernelDef& kernel, const OutputDef& output) {
  return kernel.time_major.output != nullptr && output.name == kernel.time_major.output;
}

// Decides which values are stored time-major: those [batch, time, width] that only kernels of this
// program see, whose producer can write them so and whose readers can all read them so.
class LayoutChooser {
 public:
  LayoutChooser(const ProgramRequest& request, const std::vector<bool>& mine,
                const std::vector<const KernelDef*>& kernels)
      : request_(request), function_(*request.function), mine_(mine), kernels_(kernels) {}

  std::vector<Layout> Choose() const {
    std::vector<Layout> layouts(function_.values().size());
    const auto& consumers = function_.Consumers();
    for (int n : request_.nodes) {
      const Node& node = function_.nodes()[n];
      for (size_t o = 0; o < node.outputs.size(); ++o) {
        const Value value = node.outputs[o];
        if (!MayBeTimeMajor(*kernels_[n], node.op->outputs()[o]) ||
            !request_.may_be_opaque[value.index] || function_.type(value).shape.rank() != 3 ||
            consumers[value.index].empty() || !AllReadTimeMajor(value, consumers[value.index])) {
          continue;
        }
        layouts[value.index].row_width =
            kernels_[n]->row_width(NodeContext(function_, n, mine_), layouts);
      }
    }
    return layouts;
  }

 private:
  bool AllReadTimeMajor(Value value, const std::vector<int>& consumers) const {
    for (int n : consumers) {
      const Node& node = function_.nodes()[n];
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] != value) continue;
        if (!MayBeTimeMajor(*kernels_[n], node.op->inputs()[i])) return false;
      }
    }
    return true;
  }

  const ProgramRequest& request_;
  const Function& function_;
  const std::vector<bool>& mine_;
  const std::vector<const KernelDef*>& kernels_;
};

class OnednnProgram : public kernels::KernelProgram {
 public:
  static absl::StatusOr<std::unique_ptr<Program>> Create(const ProgramRequest& request) {
    const std::vector<bool> mine = kernels::RequestedNodes(request);
    SEQ_ASSIGN_OR_RETURN(const kernels::ChosenRows<KernelDef> defs,
                         kernels::RowsFor(Kernels(), request, mine));
    auto program = std::make_unique<OnednnProgram>();
    ProgramPlan plan;
    plan.pool = kernels::ThreadPool::Shared(request.threads);
    plan.may_be_opaque = request.may_be_opaque;
    plan.threads = program->threads_ = request.threads;
    plan.layouts = LayoutChooser(request, mine, defs).Choose();
    SEQ_RETURN_IF_ERROR(program->MakeKernels(request, defs, [&](int node) {
      return KernelContext(NodeContext(*request.function, node, mine), plan);
    }));
    program->persistent_bytes_ = plan.persistent_bytes;
    program->opaque_layouts_ = std::move(plan.opaque_layouts);
    program->SetOpaqueLayout(*request.function, plan.layouts);
    return program;
  }

  int64_t persistent_bytes() const override { return persistent_bytes_; }
  std::vector<OpaqueLayout> opaque_layouts() const override { return opaque_layouts_; }

  absl::Status Begin() override {
    thread_count_.emplace(threads_);
    flush_.emplace(threads_);
    return absl::OkStatus();
  }
  void End() override {
    flush_.reset();
    thread_count_.reset();
  }

 private:
  void SetOpaqueLayout(const Function& function, const std::vector<Layout>& layouts) {
    for (size_t v = 0; v < layouts.size(); ++v) {
      if (!layouts[v].time_major()) continue;
      const Value value{static_cast<int>(v)};
      const Shape& shape = function.type(value).shape;
      const int64_t rows = shape[0].size() * shape[1].size();
      opaque_layouts_.push_back(
          {value, rows * layouts[v].row_width * static_cast<int64_t>(sizeof(float))});
    }
  }

  int threads_ = 1;
  int64_t persistent_bytes_ = 0;
  std::vector<OpaqueLayout> opaque_layouts_;
  std::optional<ThreadCountGuard> thread_count_;
  std::optional<FlushDenormalsGuard> flush_;
};

BackendInfo MakeInfo() {
  const dnnl_version_t& version = *dnnl_version();
  return {"onednn",
          absl::StrCat("1 (oneDNN ", version.major, ".", version.minor, ".", version.patch, ")"),
          absl::StrCat("oneDNN's vanilla RNN and matrix products, vectorized loops; float32; ",
                       IsaName())};
}

class OnednnBackend : public Backend {
 public:
  const BackendInfo& info() const override { return info_; }

  FunctionClaim ClaimFunction(const Function& function) const override {
    return kernels::ClaimByTable(Kernels(), function);
  }

  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    return OnednnProgram::Create(request);
  }

 private:
  const BackendInfo info_ = MakeInfo();
};

}  // namespace
}  // namespace onednn

std::unique_ptr<Backend> MakeOnednnBackend() { return std::make_unique<onednn::OnednnBackend>(); }

}  // namespace seqgraph
