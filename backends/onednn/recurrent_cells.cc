#include "backends/onednn/recurrent_cells.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/onednn/recurrence.h"
#include "backends/onednn/recurrent_pair.h"
#include "backends/onednn/run_guard.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
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

RecurrenceConfig ConfigOf(const NodeContext& context) {
  const Node& node = context.node();
  const Shape& x = context.input_shape(kX);
  RecurrenceConfig c;
  c.kind = KindOf(node);
  c.batch = x[0].size();
  c.time = x[1].size();
  c.features = x[2].size();
  c.units = context.input_shape(kU)[0].size();
  c.projected = !context.has_input(kW);
  c.reverse = IsSet(node, "reverse");
  c.masked = FindInput(context, "mask") >= 0;
  c.activation = ParseActivation(node.attributes.GetString("activation"));
  return c;
}

// Rows [batch, time, width] as a layout stores them.
template <typename T>
Rows<T> RowsOf(T* data, const RecurrenceConfig& c, int64_t width, Layout layout) {
  if (layout.time_major()) return {data, c.batch * layout.row_width, layout.row_width};
  return {data, width, c.time * width};
}

std::string Describe(const RecurrenceConfig& c, bool dropped) {
  std::string text = "sgemm steps";
  if (c.projected) absl::StrAppend(&text, " (projected input)");
  if (c.masked) absl::StrAppend(&text, " (masked)");
  if (dropped) absl::StrAppend(&text, " (dropout)");
  if (c.reverse) absl::StrAppend(&text, " (reverse)");
  return text;
}

// What forward and backward have in common.
class RecurrentKernel : public Kernel {
 public:
  // `workspace`: offset in the persistent bytes; -1: it lies behind the scratch.
  RecurrentKernel(KernelContext& context, int64_t workspace)
      : recurrence_(ConfigOf(context)),
        threads_(context.threads()),
        c0_(FindInput(context, "c0")),
        mask_(FindInput(context, "mask")),
        dropout_(FindInput(context, "recurrent_dropout")),
        x_layout_(context.input_layout(kX)),
        workspace_(workspace) {}

  std::string implementation() const override {
    return Describe(recurrence_.config(), dropout_ >= 0);
  }
  int64_t scratch_bytes() const override {
    return WorkspaceInScratch() +
           (workspace_ < 0 ? static_cast<int64_t>(recurrence_.workspace_bytes()) : 0);
  }

 protected:
  int64_t WorkspaceInScratch() const {
    return (static_cast<int64_t>(recurrence_.scratch_bytes()) + 63) / 64 * 64;
  }
  void* Workspace(const KernelArgs& args) const {
    return workspace_ < 0 ? FloatsAt(args.scratch, WorkspaceInScratch())
                          : FloatsAt(args.persistent, workspace_);
  }
  RecurrenceInputs Inputs(const KernelArgs& args) const {
    const RecurrenceConfig& c = recurrence_.config();
    return {RowsOf(In<float>(args, kX), c, c.features, x_layout_),
            In<float>(args, kW),
            In<float>(args, kU),
            In<float>(args, kB),
            In<float>(args, kH0),
            InOrNull(args, c0_),
            InOrNull<int32_t>(args, mask_),
            InOrNull(args, dropout_)};
  }

  const Recurrence recurrence_;
  const int threads_;
  const int c0_, mask_, dropout_;
  const Layout x_layout_;
  const int64_t workspace_;
};

class RecurrentCellKernel : public RecurrentKernel {
 public:
  RecurrentCellKernel(KernelContext& context, int64_t workspace)
      : RecurrentKernel(context, workspace), y_layout_(context.output_layout(kSequenceOut)) {}

  absl::Status Run(const KernelArgs& args) override {
    const ThreadCountGuard guard(threads_);
    const RecurrenceConfig& c = recurrence_.config();
    return recurrence_.Forward(Inputs(args),
                               {RowsOf(Out<float>(args, kSequenceOut), c, c.units, y_layout_),
                                Out<float>(args, kLastOut), OutOrNull(args, kLastCellOut)},
                               Workspace(args), args.scratch);
  }

 private:
  const Layout y_layout_;
};

class RecurrentCellGradKernel : public RecurrentKernel {
 public:
  RecurrentCellGradKernel(KernelContext& context, int64_t workspace)
      : RecurrentKernel(context, workspace),
        y_(context.node().op->FindInput("sequence")),
        dy_(FindInput(context, "d_sequence")),
        d_last_(FindInput(context, "d_last")),
        d_last_cell_(FindInput(context, "d_last_cell")),
        y_layout_(context.input_layout(y_)),
        dy_layout_(dy_ < 0 ? Layout{} : context.input_layout(dy_)),
        dx_layout_(context.output_layout(kDxOut)) {}

  std::string implementation() const override {
    return absl::StrCat(RecurrentKernel::implementation(), workspace_ < 0 ? " (gates anew)" : "");
  }

  absl::Status Run(const KernelArgs& args) override {
    const ThreadCountGuard guard(threads_);
    const RecurrenceConfig& c = recurrence_.config();
    return recurrence_.Backward(
        Inputs(args),
        {RowsOf(In<float>(args, y_), c, c.units, y_layout_),
         RowsOf(InOrNull(args, dy_), c, c.units, dy_layout_), InOrNull(args, d_last_),
         InOrNull(args, d_last_cell_)},
        /*anew=*/workspace_ < 0,
        {RowsOf(Out<float>(args, kDxOut), c, c.features, dx_layout_), Out<float>(args, kDwOut),
         Out<float>(args, kDuOut), Out<float>(args, kDbOut), Out<float>(args, kDh0Out),
         OutOrNull(args, kDc0Out)},
        Workspace(args), args.scratch);
  }

 private:
  const int y_, dy_, d_last_, d_last_cell_;
  const Layout y_layout_, dy_layout_, dx_layout_;
};

}  // namespace

Claim ClaimRecurrentCell(const NodeContext& context) {
  const std::string& name = context.attributes().GetString("activation");
  if (FindActivation(name).value_or(Activation::kNone) == Activation::kNone) {
    return Claim::No(ClaimReason::kUnsupportedAttribute,
                     absl::StrCat("activation ", name, " (tanh, relu and sigmoid are there)"));
  }
  const absl::Status status = ValidateRecurrence(ConfigOf(context));
  if (status.ok()) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedShape, std::string(status.message()));
}

int64_t RecurrentCellRowWidth(const NodeContext& context, const std::vector<Layout>&) {
  return context.input_shape(kU)[0].size();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeRecurrentCell(KernelContext& context) {
  int64_t workspace = -1;
  if (BackwardOf(context) >= 0) {
    const Recurrence recurrence(ConfigOf(context));
    workspace = context.TakePersistent(static_cast<int64_t>(recurrence.workspace_bytes()));
    context.workspaces()[context.index()] = workspace;
  }
  return std::make_unique<RecurrentCellKernel>(context, workspace);
}

int64_t RecurrentCellGradRowWidth(const NodeContext& context, const std::vector<Layout>& layouts) {
  const Layout x = layouts[context.node().inputs[kX].index];
  return x.time_major() ? x.row_width : context.input_shape(kX)[2].size();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeRecurrentCellGrad(KernelContext& context) {
  const auto workspace = context.workspaces().find(ForwardOf(context));
  return std::make_unique<RecurrentCellGradKernel>(
      context, workspace == context.workspaces().end() ? -1 : workspace->second);
}

}  // namespace seqgraph::onednn
