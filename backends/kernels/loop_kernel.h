#ifndef SEQGRAPH_BACKENDS_KERNELS_LOOP_KERNEL_H_
#define SEQGRAPH_BACKENDS_KERNELS_LOOP_KERNEL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// Calls f(begin, size) for blocks that cover [0, n), perhaps on several threads.
using BlockLoop = std::function<void(int64_t n, absl::FunctionRef<void(int64_t, int64_t)> f)>;

/// A kernel that is a loop of our own: a function of the arguments, with all it needs bound when
/// it is made.
class LoopKernel : public Kernel {
 public:
  using Loop = std::function<void(const KernelArgs&)>;

  explicit LoopKernel(Loop loop, int64_t scratch_bytes = 0)
      : loop_(std::move(loop)), scratch_bytes_(scratch_bytes) {}

  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  absl::Status Run(const KernelArgs& args) override {
    loop_(args);
    return absl::OkStatus();
  }

 private:
  const Loop loop_;
  const int64_t scratch_bytes_;
};

inline std::unique_ptr<Kernel> MakeLoop(LoopKernel::Loop loop, int64_t scratch_bytes = 0) {
  return std::make_unique<LoopKernel>(std::move(loop), scratch_bytes);
}

/// The same for a loop that may find its arguments wrong.
class CheckedLoopKernel : public Kernel {
 public:
  using Loop = std::function<absl::Status(const KernelArgs&)>;

  explicit CheckedLoopKernel(Loop loop, int64_t scratch_bytes = 0)
      : loop_(std::move(loop)), scratch_bytes_(scratch_bytes) {}

  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  absl::Status Run(const KernelArgs& args) override { return loop_(args); }

 private:
  const Loop loop_;
  const int64_t scratch_bytes_;
};

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_LOOP_KERNEL_H_
