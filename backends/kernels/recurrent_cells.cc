// RNNCell, LSTMCell, GRUCell, the same on looked-up rows, and their gradients.

#include <string>

#include "absl/strings/str_cat.h"
#include "backends/kernels/ids.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/packed_once.h"
#include "backends/kernels/recurrence.h"
#include "backends/kernels/recurrent_pair.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph::kernels {
namespace {

// The first inputs of every recurrent op; those on looked-up rows have ids for x and table for w.
// The others are found by name: their places differ.
enum { kX, kW, kU, kB, kH0 };
constexpr int kIds = kX, kTable = kW;
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

bool IsLookup(const Node& node) { return node.op->inputs()[kIds].name == "ids"; }

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
  sizes.units = context.input_shape(kU)[0].size();
  sizes.projected = IsLookup(node) || !context.has_input(kW);
  sizes.rows = IsLookup(node) ? context.input_shape(kTable)[0].size() : 0;
  sizes.features = sizes.projected ? sizes.columns() : x[2].size();
  sizes.trained = node.op->recurrence()->is_gradient() || BackwardOf(context) >= 0;
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
        ids_shape_(context.input_shape(kIds)),
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
  bool looks_up() const { return recurrence_.plan().sizes.rows > 0; }
  RecurrenceOperands Operands(const KernelArgs& args) const {
    return {.x = In<float>(args, looks_up() ? kTable : int{kX}),
            .w = looks_up() ? nullptr : In<float>(args, kW),
            .u = In<float>(args, kU),
            .b = In<float>(args, kB),
            .h0 = In<float>(args, kH0),
            .c0 = InOrNull(args, c0_),
            .ids = looks_up() ? In<int32_t>(args, kIds) : nullptr,
            .mask = InOrNull<int32_t>(args, mask_),
            .dropout = InOrNull(args, dropout_)};
  }
  absl::Status CheckIds(const RecurrenceOperands& in) const {
    const RecurrenceSizes& sizes = recurrence_.plan().sizes;
    if (in.ids == nullptr) return absl::OkStatus();
    const int64_t bad = FindBadId(in.ids, sizes.batch * sizes.time, sizes.rows);
    return bad < 0 ? absl::OkStatus() : BadIdError(in.ids, bad, ids_shape_, sizes.rows);
  }

  const Recurrence recurrence_;
  const Shape ids_shape_;
  const int c0_, mask_, dropout_;
  const int64_t workspace_;
  const std::shared_ptr<ThreadPool> pool_;
};

class RecurrentCellKernel : public RecurrentKernel {
 public:
  // `hides_sequence`: nobody reads it but a gradient that has the workspace.
  RecurrentCellKernel(const KernelContext& context, int64_t workspace, bool hides_sequence)
      : RecurrentKernel(context, workspace),
        hides_sequence_(hides_sequence),
        packed_(context.program(), recurrence_.packed_bytes(), {kW, kU, kB}) {}
  int64_t scratch_bytes() const override {
    return recurrence_.forward_scratch_bytes(/*packed=*/true);
  }

  absl::Status Run(const KernelArgs& args) override {
    const RecurrenceOperands in = Operands(args);
    SEQ_RETURN_IF_ERROR(CheckIds(in));
    recurrence_.Forward(in, Outputs(args), Workspace(args), args.scratch, *pool_, packed_.Of(args));
    return absl::OkStatus();
  }

  std::unique_ptr<BoundNode> Bind(const KernelArgs& args) const override {
    if (!BoundStep::Fits(recurrence_.plan()) || !packed_.Of(args).current) return nullptr;
    return std::make_unique<Bound>(*this, args);
  }

 private:
  class Bound : public BoundNode {
   public:
    Bound(const RecurrentCellKernel& kernel, const KernelArgs& args)
        : kernel_(kernel),
          in_(kernel.Operands(args)),
          step_(kernel.recurrence_, in_, kernel.Outputs(args), args.scratch,
                kernel.packed_.Of(args)) {}
    absl::Status Run() override {
      if (in_.ids != nullptr) SEQ_RETURN_IF_ERROR(kernel_.CheckIds(in_));
      step_.Run();
      return absl::OkStatus();
    }

   private:
    const RecurrentCellKernel& kernel_;
    const RecurrenceOperands in_;
    BoundStep step_;
  };

  RecurrenceOutputs Outputs(const KernelArgs& args) const {
    return {.sequence = hides_sequence_ ? nullptr : Out<float>(args, kSequenceOut),
            .last = Out<float>(args, kLastOut),
            .last_cell = OutOrNull(args, kLastCellOut)};
  }

  const bool hides_sequence_;
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
    const RecurrenceOperands in = Operands(args);
    SEQ_RETURN_IF_ERROR(CheckIds(in));
    const int moved = looks_up() ? 1 : 0;  // dtable stands for dx and dw
    recurrence_.Backward(in,
                         {.sequence = In<float>(args, sequence_),
                          .d_sequence = InOrNull(args, d_sequence_),
                          .d_last = InOrNull(args, d_last_),
                          .d_last_cell = InOrNull(args, d_last_cell_)},
                         {.dx = Out<float>(args, kDxOut),
                          .dw = looks_up() ? nullptr : Out<float>(args, kDwOut),
                          .du = Out<float>(args, kDuOut - moved),
                          .db = Out<float>(args, kDbOut - moved),
                          .dh0 = Out<float>(args, kDh0Out - moved),
                          .dc0 = OutOrNull(args, kDc0Out - moved)},
                         Workspace(args), args.scratch, *pool_);
    return absl::OkStatus();
  }

 private:
  const int sequence_, d_sequence_, d_last_, d_last_cell_;
};

}  // namespace

Claim ClaimRecurrentCell(const NodeContext& context) {
  if (IsLookup(context.node()) && context.input_shape(kTable)[0].size() < 1) {
    return Claim::No(ClaimReason::kUnsupportedShape, "a table without rows");
  }
  const absl::Status status = Recurrence::Validate(SizesOf(context));
  if (status.ok()) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedShape, std::string(status.message()));
}

MadeKernel MakeRecurrentCell(const KernelContext& context) {
  ProgramResources& program = context.program();
  const Recurrence recurrence(SizesOf(context));
  int64_t workspace = -1;
  bool hides_sequence = false;
  if (const int backward = BackwardOf(context); backward >= 0) {
    workspace = program.TakePersistent(recurrence.workspace_bytes());
    program.workspaces[context.index()] = workspace;
    // The gradient of a simple cell may have a kernel that reads it.
    const Value sequence = context.node().outputs[kSequenceOut];
    hides_sequence = recurrence.plan().sizes.gates() > 1 && program.may_be_opaque[sequence.index] &&
                     context.function().Consumers()[sequence.index] == std::vector<int>{backward};
    if (hides_sequence) program.opaque_layouts.push_back({sequence, /*bytes=*/0});
  }
  return std::make_unique<RecurrentCellKernel>(context, workspace, hides_sequence);
}

MadeKernel MakeRecurrentCellGrad(const KernelContext& context) {
  const auto& workspaces = context.program().workspaces;
  const auto workspace = workspaces.find(ForwardOf(context));
  return std::make_unique<RecurrentCellGradKernel>(
      context, workspace == workspaces.end() ? -1 : workspace->second);
}

}  // namespace seqgraph::kernels
