#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// A kernel that is a loop of our own: a function of the arguments, with all it needs bound when
/// it is made.
class LoopKernel : public Kernel {
 public:
  using Loop = std::function<absl::Status(const KernelArgs&)>;

  explicit LoopKernel(Loop loop, int64_t scratch_bytes)
      : loop_(std::move(loop)), scratch_bytes_(scratch_bytes) {}

  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  absl::Status Run(const KernelArgs& args) override { return loop_(args); }

 private:
  const Loop loop_;
  const int64_t scratch_bytes_;
};

/// `loop` returns a status if it may find its arguments wrong, otherwise nothing.
template <typename F>
std::unique_ptr<Kernel> MakeLoop(F loop, int64_t scratch_bytes = 0) {
  if constexpr (std::is_void_v<std::invoke_result_t<const F&, const KernelArgs&>>) {
    return MakeLoop(
        [loop = std::move(loop)](const KernelArgs& args) {
          loop(args);
          return absl::OkStatus();
        },
        scratch_bytes);
  } else {
    return std::make_unique<LoopKernel>(std::move(loop), scratch_bytes);
  }
}

}  // namespace seqgraph::kernels
