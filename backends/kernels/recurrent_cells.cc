// RNNCell, LSTMCell, GRUCell and their gradients.

#include <string>

#include "absl/strings/str_cat.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/packed_once.h"
#include "backends/kernels/recurrence.h"
#include "backends/kernels/recurrent_pair.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

// The first inputs of every recurrent op. The others are found by name: their places differ.
enum { kX, kW, kU, kB, kH0 };
enum { kSequenceOut, kLastOut, kLastCellOut };
enum { kDxOut, kDwOut, kDuOut, kDbOut, kDh0Out, kDc0Out };

// -1 if it is absent.
int FindInput(const NodeContext& context, absl::string_view name) {
  return InputNamed(context.node(), name).present() ? context.node().op->FindInput(name) : -1;
}

template <typename T = float>
const T* InOrNull(const KernelArgs& args, int i) {
  return i < 0 ? nullptr : In<T>(args, i);
}

float* OutOrNull(const KernelArgs& args, size_t i) {
  return i < args.outputs.size() ? Out<float>(args, static_cast<int>(i)) : nullptr;
}

bool IsSet(const Node& node, absl::string_view attribute) {
  const AttributeValue* value = node.attributes.Find(attribute);
  return value != nullptr && std::get<bool>(*value);
}

CellKind KindOf(const Node& node) {
  switch (node.op->recurrence()->cell) {
    case RecurrenceFacts::Cell::kSimple:
      return CellKind::kSimple;
    case RecurrenceFacts::Cell::kLstm:
      return CellKind::kLstm;
    case RecurrenceFacts::Cell::kGru:
      return IsSet(node, "reset_after") ? CellKind::kGruAfter : CellKind::kGruBefore;
  }
  return CellKind::kSimple;
}

RecurrenceSizes SizesOf(const NodeContext& context) {
  const Node& node = context.node();
  const Shape& x = context.input_shape(kX);
  RecurrenceSizes sizes;
  sizes.cell = KindOf(node);
  // The op's definition has checked them.
  sizes.functions = *CellFunctionsOf(node.op->recurrence()->cell, node.attributes);
  sizes.batch = x[0].size();
  sizes.time = x[1].size();
  sizes.features = x[2].size();
  sizes.units = context.input_shape(kU)[0].size();
  sizes.projected = !context.has_input(kW);
  sizes.reverse = IsSet(node, "reverse");
  sizes.masked = FindInput(context, "mask") >= 0;
  sizes.dropout = FindInput(context, "recurrent_dropout") >= 0;
  const WeightFormat format = PackedFormat(context, kU, /*axis=*/1);
  const bool same = sizes.projected || PackedFormat(context, kW, /*axis=*/1, /*few=*/0) == format;
  if (same && !sizes.dropout && !node.op->recurrence()->is_gradient()) sizes.weights = format;
  return sizes;
}

// What forward and backward have in common.
class RecurrentKernel : public Kernel {
 public:
  // `workspace`: offset in the persistent bytes; -1: there is none.
  RecurrentKernel(const KernelContext& context, int64_t workspace)
      : recurrence_(SizesOf(context)),
        c0_(FindInput(context, "c0")),
        mask_(FindInput(context, "mask")),
        dropout_(FindInput(context, "recurrent_dropout")),
        workspace_(workspace),
        pool_(context.pool()) {}

  std::string implementation() const override { return recurrence_.Describe(); }

 protected:
  void* Workspace(const KernelArgs& args) const {
    return workspace_ < 0 ? nullptr : FloatsAt(args.persistent, workspace_);
  }
  RecurrenceOperands Operands(const KernelArgs& args) const {
    return {.x = In<float>(args, kX),
            .w = In<float>(args, kW),
            .u = In<float>(args, kU),
            .b = In<float>(args, kB),
            .h0 = In<float>(args, kH0),
            .c0 = InOrNull(args, c0_),
            .mask = InOrNull<int32_t>(args, mask_),
            .dropout = InOrNull(args, dropout_)};
  }

  const Recurrence recurrence_;
  const int c0_, mask_, dropout_;
  const int64_t workspace_;
  const std::shared_ptr<ThreadPool> pool_;
};

class RecurrentCellKernel : public RecurrentKernel {
 public:
  RecurrentCellKernel(const KernelContext& context, int64_t workspace)
      : RecurrentKernel(context, workspace),
        packed_(context.program(), recurrence_.packed_bytes(), {kW, kU, kB}) {}
  int64_t scratch_bytes() const override { return recurrence_.forward_scratch_bytes(); }

  absl::Status Run(const KernelArgs& args) override {
    recurrence_.Forward(Operands(args),
                        {.sequence = Out<float>(args, kSequenceOut),
                         .last = Out<float>(args, kLastOut),
                         .last_cell = OutOrNull(args, kLastCellOut)},
                        Workspace(args), args.scratch, *pool_, packed_.Of(args));
    return absl::OkStatus();
  }

 private:
  const PackedOnce packed_;
};

class RecurrentCellGradKernel : public RecurrentKernel {
 public:
  RecurrentCellGradKernel(const KernelContext& context, int64_t workspace)
      : RecurrentKernel(context, workspace),
        sequence_(context.node().op->FindInput("sequence")),
        d_sequence_(FindInput(context, "d_sequence")),
        d_last_(FindInput(context, "d_last")),
        d_last_cell_(FindInput(context, "d_last_cell")) {}

  std::string implementation() const override {
    return absl::StrCat(recurrence_.Describe(), workspace_ < 0 ? ", gates anew" : "");
  }
  int64_t scratch_bytes() const override {
    return recurrence_.backward_scratch_bytes(/*anew=*/workspace_ < 0);
  }

  absl::Status Run(const KernelArgs& args) override {
    recurrence_.Backward(Operands(args),
                         {.sequence = In<float>(args, sequence_),
                          .d_sequence = InOrNull(args, d_sequence_),
                          .d_last = InOrNull(args, d_last_),
                          .d_last_cell = InOrNull(args, d_last_cell_)},
                         {.dx = Out<float>(args, kDxOut),
                          .dw = Out<float>(args, kDwOut),
                          .du = Out<float>(args, kDuOut),
                          .db = Out<float>(args, kDbOut),
                          .dh0 = Out<float>(args, kDh0Out),
                          .dc0 = OutOrNull(args, kDc0Out)},
                         Workspace(args), args.scratch, *pool_);
    return absl::OkStatus();
  }

 private:
  const int sequence_, d_sequence_, d_last_, d_last_cell_;
};

}  // namespace

Claim ClaimRecurrentCell(const NodeContext& context) {
  const absl::Status status = Recurrence::Validate(SizesOf(context));
  if (status.ok()) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedShape, std::string(status.message()));
}

MadeKernel MakeRecurrentCell(const KernelContext& context) {
  ProgramResources& program = context.program();
  const Recurrence recurrence(SizesOf(context));
  int64_t workspace = -1;
  if (BackwardOf(context) >= 0) {
    workspace = program.TakePersistent(recurrence.workspace_bytes());
    program.workspaces[context.index()] = workspace;
  }
  return std::make_unique<RecurrentCellKernel>(context, workspace);
}

MadeKernel MakeRecurrentCellGrad(const KernelContext& context) {
  const auto& workspaces = context.program().workspaces;
  const auto workspace = workspaces.find(ForwardOf(context));
  return std::make_unique<RecurrentCellGradKernel>(
      context, workspace == workspaces.end() ? -1 : workspace->second);
}

}  // namespace seqgraph::kernels
