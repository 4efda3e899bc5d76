#ifndef SEQGRAPH_BACKENDS_SIMD_KERNEL_H_
#define SEQGRAPH_BACKENDS_SIMD_KERNEL_H_

// What the maker of a kernel of this backend sees. The one list of kernels is in kernels.cc.

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/backend.h"
#include "backends/kernels/kernel.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/simd/thread_pool.h"

namespace seqgraph::simd {

using kernels::ClaimAlways;
using kernels::FloatsAt;
using kernels::In;
using kernels::Kernel;
using kernels::MakeLoop;
using kernels::NodeContext;
using kernels::Out;

/// What all nodes of one program share while it is made.
struct ProgramPlan {
  const ProgramRequest& request;
  std::shared_ptr<ThreadPool> pool;
  int64_t persistent_bytes = 0;
  std::vector<PrivateStorage> private_storage;
  /// What kernels of several nodes have in common, by the index of the node that makes it.
  std::map<int, std::shared_ptr<void>> shared;
};

class KernelContext : public NodeContext {
 public:
  KernelContext(int node, const std::vector<bool>& mine, ProgramPlan& plan)
      : NodeContext(*plan.request.function, node, mine), plan_(plan) {}

  int threads() const { return plan_.request.threads; }
  /// Kernels may hold it; a kernel's work is the same bits for any number of threads.
  const std::shared_ptr<ThreadPool>& pool() const { return plan_.pool; }

  /// Page-aligned bytes of KernelArgs::persistent: their offset.
  int64_t TakePersistent(int64_t bytes) {
    const int64_t offset = plan_.persistent_bytes;
    plan_.persistent_bytes = offset + (bytes + 4095) / 4096 * 4096;
    return offset;
  }

  /// Whether only nodes of this program see the value, so that its storage may be private.
  bool may_be_private(Value value) const { return plan_.request.may_be_private[value.index]; }
  /// Gives the value that many bytes, in a layout that its producer and readers agree on.
  void SetPrivateStorage(Value value, int64_t bytes) {
    plan_.private_storage.push_back({value, bytes});
  }

  /// What the kernel of `node` left for others; null before it has been made.
  template <typename T>
  std::shared_ptr<T> Shared(int node) const {
    const auto found = plan_.shared.find(node);
    return found == plan_.shared.end() ? nullptr : std::static_pointer_cast<T>(found->second);
  }
  void Share(int node, std::shared_ptr<void> value) { plan_.shared[node] = std::move(value); }

 private:
  ProgramPlan& plan_;
};

using MadeKernel = absl::StatusOr<std::unique_ptr<Kernel>>;

/// One row of the kernel table.
struct KernelDef : kernels::KernelRow {
  MadeKernel (*make)(KernelContext& context);
};

}  // namespace seqgraph::simd

#endif  // SEQGRAPH_BACKENDS_SIMD_KERNEL_H_
