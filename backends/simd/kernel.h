#ifndef SEQGRAPH_BACKENDS_SIMD_KERNEL_H_
#define SEQGRAPH_BACKENDS_SIMD_KERNEL_H_

// What the maker of a kernel of this backend sees. The one list of kernels is in kernels.cc.

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/parallel.h"
#include "backends/kernels/thread_pool.h"
#include "runtime/backend.h"

namespace seqgraph::simd {

using kernels::ClaimAlways;
using kernels::FloatsAt;
using kernels::In;
using kernels::Kernel;
using kernels::MakeLoop;
using kernels::NodeContext;
using kernels::Out;
using kernels::ThreadPool;

/// What all nodes of one program share while it is made.
struct ProgramPlan {
  const ProgramRequest& request;
  std::shared_ptr<ThreadPool> pool;
};

class KernelContext : public NodeContext {
 public:
  KernelContext(int node, const std::vector<bool>& mine, ProgramPlan& plan)
      : NodeContext(*plan.request.function, node, mine), plan_(plan) {}

  int threads() const { return plan_.request.threads; }
  /// Kernels may hold it; a kernel's work is the same bits for any number of threads.
  const std::shared_ptr<ThreadPool>& pool() const { return plan_.pool; }
  /// For loops over floats: on the pool, in blocks that fit the first-level cache.
  kernels::BlockLoop for_blocks() const {
    return [pool = pool()](int64_t n, absl::FunctionRef<void(int64_t, int64_t)> f) {
      kernels::ForBlocks(*pool, n, f);
    };
  }

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
