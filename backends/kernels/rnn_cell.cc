// RNNCell, LookupRNNCell and their gradients.

#include <string>
#include <utility>

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/rnn_loops.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {
namespace {

// Inputs of RNNCell and, after the first five, of its gradient. LookupRNNCell has ids for x and
// table for w.
enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };
constexpr int kIds = kX, kTable = kW;

RnnSizes SizesOf(const NodeContext& context, bool lookup) {
  const Shape& x = context.input_shape(kX);
  RnnSizes sizes;
  sizes.batch = x[0].size();
  sizes.time = x[1].size();
  sizes.units = context.input_shape(kU)[0].size();
  sizes.activation = ParseActivation(context.attributes().GetString("activation"));
  if (lookup) {
    sizes.input = RnnInput::kLookup;
    sizes.rows = context.input_shape(kTable)[0].size();
  } else if (context.has_input(kW)) {
    sizes.input = RnnInput::kFeatures;
    sizes.features = x[2].size();
  }
  return sizes;
}

RnnOperands OperandsOf(const KernelArgs& args, bool lookup) {
  RnnOperands in = {.u = In<float>(args, kU), .b = In<float>(args, kB), .h0 = In<float>(args, kH0)};
  if (lookup) {
    in.ids = In<int32_t>(args, kIds);
    in.table = In<float>(args, kTable);
  } else {
    in.x = In<float>(args, kX);
    in.w = In<float>(args, kW);
  }
  return in;
}

// What the four kernels have in common.
class RnnKernel : public Kernel {
 public:
  RnnKernel(const KernelContext& context, bool lookup)
      : plan_(MakeRnnPlan(SizesOf(context, lookup))),
        ids_shape_(context.input_shape(kX)),
        pool_(context.pool()),
        lookup_(lookup) {}

  std::string implementation() const override { return DescribeRnn(plan_); }

 protected:
  absl::Status CheckIds(const KernelArgs& args) const {
    if (!lookup_) return absl::OkStatus();
    const int32_t* ids = In<int32_t>(args, kIds);
    const int64_t bad = FindBadId(ids, plan_.sizes.batch * plan_.sizes.time, plan_.sizes.rows);
    if (bad < 0) return absl::OkStatus();
    return BadIdError(ids, bad, ids_shape_, plan_.sizes.rows);
  }

  const RnnPlan plan_;
  const Shape ids_shape_;
  const std::shared_ptr<ThreadPool> pool_;
  const bool lookup_;
};

class ForwardKernel : public RnnKernel {
 public:
  using RnnKernel::RnnKernel;
  int64_t scratch_bytes() const override { return RnnForwardScratch(plan_); }

  absl::Status Run(const KernelArgs& args) override {
    SEQ_RETURN_IF_ERROR(CheckIds(args));
    const RnnOutputs out = {.sequence = Out<float>(args, 0), .last = Out<float>(args, 1)};
    RnnForward(plan_, OperandsOf(args, lookup_), out, args.scratch, *pool_);
    return absl::OkStatus();
  }
};

class BackwardKernel : public RnnKernel {
 public:
  using RnnKernel::RnnKernel;
  int64_t scratch_bytes() const override { return RnnBackwardScratch(plan_); }

  absl::Status Run(const KernelArgs& args) override {
    SEQ_RETURN_IF_ERROR(CheckIds(args));
    const RnnOutputGradients incoming = {.sequence = In<float>(args, kSequence),
                                         .d_sequence = In<float>(args, kDSequence),
                                         .d_last = In<float>(args, kDLast)};
    RnnGradients out;
    int next = 0;
    if (lookup_) {
      out.dtable = Out<float>(args, next++);
    } else {
      out.dx = Out<float>(args, next++);
      // Without w, dw is empty.
      float* dw = Out<float>(args, next++);
      if (plan_.sizes.input == RnnInput::kFeatures) out.dw = dw;
    }
    out.du = Out<float>(args, next++);
    out.db = Out<float>(args, next++);
    out.dh0 = Out<float>(args, next++);
    RnnBackward(plan_, OperandsOf(args, lookup_), incoming, out, args.scratch, *pool_);
    return absl::OkStatus();
  }
};

}  // namespace

MadeKernel MakeRnnCell(const KernelContext& context) {
  return std::make_unique<ForwardKernel>(context, /*lookup=*/false);
}

MadeKernel MakeRnnCellGrad(const KernelContext& context) {
  return std::make_unique<BackwardKernel>(context, /*lookup=*/false);
}

MadeKernel MakeLookupRnnCell(const KernelContext& context) {
  return std::make_unique<ForwardKernel>(context, /*lookup=*/true);
}

MadeKernel MakeLookupRnnCellGrad(const KernelContext& context) {
  return std::make_unique<BackwardKernel>(context, /*lookup=*/true);
}

}  // namespace seqgraph::kernels
