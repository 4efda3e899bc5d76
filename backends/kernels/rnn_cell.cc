// RNNCell, LookupRNNCell and their gradients.

#include <string>
#include <utility>

#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/packed_once.h"
#include "backends/kernels/recurrent_pair.h"
#include "backends/kernels/rnn_loops.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

// Inputs of RNNCell and, after the first five, of its gradient; the mask is found by name.
// LookupRNNCell has ids for x and table for w.
enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };
constexpr int kIds = kX, kTable = kW;

bool IsLookup(const NodeContext& context) { return context.node().op->FindInput("ids") >= 0; }

// -1 if it is absent.
int MaskInput(const NodeContext& context) {
  const Node& node = context.node();
  return InputNamed(node, "mask").present() ? node.op->FindInput("mask") : -1;
}

RnnSizes SizesOf(const NodeContext& context) {
  const Shape& x = context.input_shape(kX);
  RnnSizes sizes;
  sizes.batch = x[0].size();
  sizes.time = x[1].size();
  sizes.units = context.input_shape(kU)[0].size();
  sizes.activation = ParseActivation(context.attributes().GetString("activation"));
  const AttributeValue* reverse = context.attributes().Find("reverse");
  sizes.reverse = reverse != nullptr && std::get<bool>(*reverse);
  sizes.masked = MaskInput(context) >= 0;
  if (IsLookup(context)) {
    sizes.input = RnnInput::kLookup;
    sizes.rows = context.input_shape(kTable)[0].size();
  } else if (context.has_input(kW)) {
    sizes.input = RnnInput::kFeatures;
    sizes.features = x[2].size();
  }
  return sizes;
}

// What the four kernels have in common.
class RnnKernel : public Kernel {
 public:
  explicit RnnKernel(const KernelContext& context)
      : plan_(MakeRnnPlan(SizesOf(context))),
        ids_shape_(context.input_shape(kX)),
        pool_(context.pool()),
        lookup_(IsLookup(context)),
        mask_(MaskInput(context)) {}

  std::string implementation() const override { return DescribeRnn(plan_); }

 protected:
  RnnOperands Operands(const KernelArgs& args) const {
    RnnOperands in = {
        .u = In<float>(args, kU), .b = In<float>(args, kB), .h0 = In<float>(args, kH0)};
    if (lookup_) {
      in.ids = In<int32_t>(args, kIds);
      in.table = In<float>(args, kTable);
    } else {
      in.x = In<float>(args, kX);
      in.w = In<float>(args, kW);
    }
    if (mask_ >= 0) in.mask = In<int32_t>(args, mask_);
    return in;
  }

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
  const int mask_;
};

class ForwardKernel : public RnnKernel {
 public:
  // `own_steps_only`: nobody reads the sequence where steps are masked.
  ForwardKernel(const KernelContext& context, bool own_steps_only)
      : RnnKernel(context), own_steps_only_(own_steps_only) {}
  int64_t scratch_bytes() const override { return RnnForwardScratch(plan_); }

  absl::Status Run(const KernelArgs& args) override {
    SEQ_RETURN_IF_ERROR(CheckIds(args));
    const RnnOutputs out = {.sequence = Out<float>(args, 0),
                            .last = Out<float>(args, 1),
                            .own_steps_only = own_steps_only_};
    RnnForward(plan_, Operands(args), out, args.scratch, *pool_);
    return absl::OkStatus();
  }

 private:
  const bool own_steps_only_;
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
    RnnBackward(plan_, Operands(args), incoming, out, args.scratch, *pool_);
    return absl::OkStatus();
  }
};

}  // namespace

Claim ClaimRnnCell(const NodeContext& context) {
  const RnnSizes sizes = SizesOf(context);
  Claim of_floats = ClaimFloatWeights(context);
  if (!of_floats.claimed() || NodeVersion(context.node()) == 1) return of_floats;
  if (InputNamed(context.node(), "recurrent_dropout").present()) {
    return Claim::No(ClaimReason::kUnsupportedAttribute, "recurrent dropout");
  }
  if (!RnnFitsRegisters(sizes.units) || sizes.input == RnnInput::kFeatures) {
    return Claim::No(ClaimReason::kUnsupportedShape,
                     "masked or reversed, with a state of more than one vector or an input that is "
                     "not projected");
  }
  const absl::Status status = Recurrence::Validate(
      {.batch = sizes.batch, .time = sizes.time, .units = sizes.units, .projected = true});
  if (status.ok()) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedShape, std::string(status.message()));
}

MadeKernel MakeRnnCell(const KernelContext& context) {
  ProgramResources& program = context.program();
  const Value sequence = context.node().outputs[0];
  const int backward = MaskInput(context) >= 0 ? BackwardOf(context) : -1;
  const bool own_steps_only =
      backward >= 0 && program.may_be_opaque[sequence.index] &&
      context.function().Consumers()[sequence.index] == std::vector<int>{backward};
  if (own_steps_only) {
    program.opaque_layouts.push_back({sequence, context.output_size(0) * int64_t{sizeof(float)}});
  }
  return std::make_unique<ForwardKernel>(context, own_steps_only);
}

MadeKernel MakeRnnCellGrad(const KernelContext& context) {
  return std::make_unique<BackwardKernel>(context);
}

}  // namespace seqgraph::kernels
