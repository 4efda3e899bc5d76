#ifndef SEQGRAPH_BACKENDS_KERNELS_IDS_H_
#define SEQGRAPH_BACKENDS_KERNELS_IDS_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"
#include "graph/shape.h"

namespace seqgraph::kernels {

/// The error for ids[bad], of a tensor with that shape, which is not in [0, rows): "ids[3, 17] is
/// 500, must be in [0, 500)".
absl::Status BadIdError(const int32_t* ids, int64_t bad, const Shape& shape, int64_t rows);

/// Index of the first of ids[0 .. count) that is not in [0, rows); -1 if there is none. A backend
/// has its own.
using BadIdFinder = int64_t (*)(const int32_t* ids, int64_t count, int64_t rows);

/// Ids with their shape, and how many rows they choose from.
struct Ids {
  Shape shape;
  int64_t count;
  int64_t rows;
};

/// A function loop(ids, args) of ids, which are input 0, after they were checked. It does not run
/// where nobody uses the output.
template <BadIdFinder kFindBadId, typename Loop>
class LookupKernel : public Kernel {
 public:
  LookupKernel(Ids ids, int64_t scratch_bytes, Loop loop)
      : ids_(std::move(ids)), scratch_bytes_(scratch_bytes), loop_(std::move(loop)) {}
  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  absl::Status Run(const KernelArgs& args) override {
    const int32_t* ids = In<int32_t>(args, 0);
    const int64_t bad = kFindBadId(ids, ids_.count, ids_.rows);
    if (bad >= 0) return BadIdError(ids, bad, ids_.shape, ids_.rows);
    if (args.outputs[0] != nullptr) loop_(ids, args);
    return absl::OkStatus();
  }

 private:
  const Ids ids_;
  const int64_t scratch_bytes_;
  const Loop loop_;
};

template <BadIdFinder kFindBadId, typename Loop>
std::unique_ptr<Kernel> MakeLookup(Ids ids, int64_t scratch_bytes, Loop loop) {
  return std::make_unique<LookupKernel<kFindBadId, Loop>>(std::move(ids), scratch_bytes,
                                                          std::move(loop));
}

/// Refuses a OneHot of float64.
Claim ClaimOneHot(const NodeContext& context);

/// OneHot: y[i, j] = 1 where j = ids[i], else 0.
template <BadIdFinder kFindBadId>
absl::StatusOr<std::unique_ptr<Kernel>> MakeOneHot(const NodeContext& context) {
  const int64_t depth = context.attributes().GetInt("depth");
  const Ids ids{context.input_shape(0), context.input_size(0), depth};
  return MakeLookup<kFindBadId>(ids, 0,
                                [depth, n = ids.count](const int32_t* i, const KernelArgs& args) {
                                  float* y = Out<float>(args, 0);
                                  std::fill_n(y, n * depth, 0.0f);
                                  for (int64_t k = 0; k < n; ++k) y[k * depth + i[k]] = 1.0f;
                                });
}

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_IDS_H_
