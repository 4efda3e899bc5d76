#include "backends/onednn/rnn_cell.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kernels/packed_once.h"
#include "backends/kernels/recurrent_pair.h"
#include "backends/onednn/isa.h"
#include "backends/onednn/layout_loops.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
namespace {

// Inputs of RNNCell, and the first five of RNNCellGrad.
enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };
enum { kSequenceOut, kLastOut };
enum { kDxOut, kDwOut, kDuOut, kDbOut, kDh0Out };

constexpr int64_t kFloat = sizeof(float);
constexpr int64_t kAlignment = RnnPrimitive::kAlignment;

int64_t AlignUp(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// The host aligns scratch to cache lines; oneDNN is faster on pages.
void* AlignUp(void* region) {
  return reinterpret_cast<void*>(AlignUp(reinterpret_cast<int64_t>(region)));
}

// Without x_width, which depends on layouts.
RnnConfig ConfigOf(const NodeContext& context) {
  const Shape& x = context.input_shape(kX);
  RnnConfig config;
  config.batch = x[0].size();
  config.time = x[1].size();
  config.features = x[2].size();
  config.x_width = config.features;
  config.units = context.input_shape(kU)[0].size();
  config.activation = ParseActivation(context.attributes().GetString("activation"));
  config.projected = !context.has_input(kW);
  return config;
}

Claim ClaimShape(const NodeContext& context) {
  const std::string& activation = context.attributes().GetString("activation");
  if (activation != "tanh" && activation != "relu" && activation != "sigmoid") {
    return Claim::No(
        ClaimReason::kUnsupportedAttribute,
        absl::StrCat("activation ", activation, " (tanh, relu and sigmoid are there)"));
  }
  const absl::Status status = ValidateRnnConfig(ConfigOf(context));
  if (status.ok()) return kernels::ClaimFloatWeights(context);
  return Claim::No(ClaimReason::kUnsupportedShape, std::string(status.message()));
}

std::string Describe(const RnnPrimitive& rnn, const RnnConfig& c) {
  std::string text = absl::StrCat("vanilla_rnn:", rnn.implementation());
  if (rnn.y_width() != c.units) {
    absl::StrAppend(&text, " (units ", c.units, " padded to ", rnn.y_width(), ")");
  }
  if (c.projected) absl::StrAppend(&text, " (projected input)");
  return text;
}

class RnnCellKernel : public Kernel {
 public:
  RnnCellKernel(std::shared_ptr<RnnPair> pair, Layout x, Layout y)
      : pair_(std::move(pair)), x_layout_(x), y_layout_(y) {
    const RnnConfig& c = pair_->config;
    const int64_t rows = c.time * c.batch;
    scratch_bytes_ = AlignUp(pair_->rnn->scratch_bytes());
    if (c.training) return;
    x_scratch_ = scratch_bytes_;
    if (!x.time_major()) scratch_bytes_ += AlignUp(rows * c.x_width * kFloat);
    y_scratch_ = scratch_bytes_;
    if (!y.time_major()) scratch_bytes_ += AlignUp(rows * pair_->rnn->y_width() * kFloat);
  }

  std::string implementation() const override { return Describe(*pair_->rnn, pair_->config); }
  int64_t scratch_bytes() const override { return scratch_bytes_ + kAlignment; }

  absl::Status Run(const KernelArgs& args) override {
    const RnnConfig& c = pair_->config;
    void* scratch = AlignUp(args.scratch);
    RnnForwardArgs a;
    a.x = In<float>(args, kX);
    if (!x_layout_.time_major()) {
      float* x = c.training ? FloatsAt(args.persistent, pair_->x) : FloatsAt(scratch, x_scratch_);
      BatchToTimeMajor(a.x, c.batch, c.time, c.features, c.x_width, x);
      a.x = x;
    }
    a.y = Out<float>(args, kSequenceOut);
    if (!y_layout_.time_major()) {
      a.y = c.training ? FloatsAt(args.persistent, pair_->y) : FloatsAt(scratch, y_scratch_);
    }
    a.w = In<float>(args, kW);
    a.u = In<float>(args, kU);
    a.b = In<float>(args, kB);
    a.h0 = In<float>(args, kH0);
    a.h_last = Out<float>(args, kLastOut);
    a.workspace = FloatsAt(args.persistent, pair_->workspace);
    a.scratch = scratch;
    SEQ_RETURN_IF_ERROR(pair_->rnn->Forward(a));
    if (!y_layout_.time_major() && args.outputs[kSequenceOut] != nullptr) {
      TimeToBatchMajor(a.y, c.batch, c.time, c.units, pair_->rnn->y_width(),
                       Out<float>(args, kSequenceOut));
    }
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<RnnPair> pair_;
  const Layout x_layout_, y_layout_;
  int64_t scratch_bytes_ = 0, x_scratch_ = 0, y_scratch_ = 0;
};

class RnnCellGradKernel : public Kernel {
 public:
  RnnCellGradKernel(std::shared_ptr<RnnPair> pair, Layout dy, Layout dx)
      : pair_(std::move(pair)), dy_layout_(dy), dx_layout_(dx) {
    const RnnConfig& c = pair_->config;
    const int64_t rows = c.time * c.batch;
    dy_scratch_ = AlignUp(pair_->rnn->scratch_bytes());
    dx_scratch_ = dy_scratch_;
    if (dy.row_width != pair_->rnn->y_width()) {
      dx_scratch_ += AlignUp(rows * pair_->rnn->y_width() * kFloat);
    }
    scratch_bytes_ = dx_scratch_;
    if (!dx.time_major()) scratch_bytes_ += AlignUp(rows * c.x_width * kFloat);
  }

  std::string implementation() const override { return Describe(*pair_->rnn, pair_->config); }
  int64_t scratch_bytes() const override { return scratch_bytes_ + kAlignment; }

  absl::Status Run(const KernelArgs& args) override {
    const RnnConfig& c = pair_->config;
    const int64_t y_width = pair_->rnn->y_width();
    void* scratch = AlignUp(args.scratch);
    RnnBackwardArgs a;
    a.x = pair_->x < 0 ? In<float>(args, kX) : FloatsAt(args.persistent, pair_->x);
    a.y = pair_->y < 0 ? In<float>(args, kSequence) : FloatsAt(args.persistent, pair_->y);
    a.w = In<float>(args, kW);
    a.u = In<float>(args, kU);
    a.b = In<float>(args, kB);
    a.h0 = In<float>(args, kH0);
    a.dy = In<float>(args, kDSequence);
    if (a.dy != nullptr && dy_layout_.row_width != y_width) {
      float* dy = FloatsAt(scratch, dy_scratch_);
      if (dy_layout_.time_major()) {
        PadRows(a.dy, dy_layout_.row_width, c.time * c.batch, c.units, y_width, dy);
      } else {
        BatchToTimeMajor(a.dy, c.batch, c.time, c.units, y_width, dy);
      }
      a.dy = dy;
    }
    a.dh_last = In<float>(args, kDLast);
    const bool dx_direct = dx_layout_.time_major();
    a.dx = dx_direct ? Out<float>(args, kDxOut) : FloatsAt(scratch, dx_scratch_);
    a.dw = c.projected ? nullptr : Out<float>(args, kDwOut);
    a.du = Out<float>(args, kDuOut);
    a.db = Out<float>(args, kDbOut);
    a.dh0 = Out<float>(args, kDh0Out);
    a.workspace = FloatsAt(args.persistent, pair_->workspace);
    a.scratch = scratch;
    SEQ_RETURN_IF_ERROR(pair_->rnn->Backward(a));
    if (!dx_direct && args.outputs[kDxOut] != nullptr) {
      TimeToBatchMajor(a.dx, c.batch, c.time, c.features, c.x_width, Out<float>(args, kDxOut));
    }
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<RnnPair> pair_;
  const Layout dy_layout_, dx_layout_;
  int64_t scratch_bytes_ = 0, dy_scratch_ = 0, dx_scratch_ = 0;
};

}  // namespace

Claim ClaimRnnCell(const NodeContext& context) { return ClaimShape(context); }

int64_t RnnCellRowWidth(const NodeContext& context, const std::vector<Layout>&) {
  return PadUnits(ConfigOf(context).units);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeRnnCell(KernelContext& context) {
  auto pair = std::make_shared<RnnPair>();
  RnnConfig& config = pair->config;
  config = ConfigOf(context);
  config.threads = context.threads();
  config.training = BackwardOf(context) >= 0;
  const Layout x = context.input_layout(kX);
  const Layout y = context.output_layout(kSequenceOut);
  if (x.time_major()) config.x_width = x.row_width;
  SEQ_ASSIGN_OR_RETURN(pair->rnn, RnnPrimitive::Create(config));
  if (config.training) {
    const int64_t rows = config.time * config.batch;
    pair->workspace = context.program().TakePersistent(pair->rnn->workspace_bytes());
    if (!x.time_major()) pair->x = context.program().TakePersistent(rows * config.x_width * kFloat);
    if (!y.time_major())
      pair->y = context.program().TakePersistent(rows * pair->rnn->y_width() * kFloat);
    context.rnn_pairs()[context.index()] = pair;
  }
  return std::make_unique<RnnCellKernel>(std::move(pair), x, y);
}

Claim ClaimRnnCellGrad(const NodeContext& context) {
  if (ForwardOf(context) < 0) {
    return Claim::No(ClaimReason::kNeedsOtherNode,
                     "the RNNCell that computed its sequence from the same inputs");
  }
  return ClaimShape(context);
}

int64_t RnnCellGradRowWidth(const NodeContext& context, const std::vector<Layout>& layouts) {
  const Layout x = layouts[context.node().inputs[kX].index];
  return x.time_major() ? x.row_width : ConfigOf(context).x_width;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeRnnCellGrad(KernelContext& context) {
  const std::shared_ptr<RnnPair>& pair = context.rnn_pairs().at(ForwardOf(context));
  const bool has_dy = context.has_input(kDSequence);
  // An absent gradient needs no room: as good as one in the right layout.
  const Layout dy = has_dy ? context.input_layout(kDSequence) : Layout{pair->rnn->y_width()};
  return std::make_unique<RnnCellGradKernel>(pair, dy, context.output_layout(kDxOut));
}

}  // namespace seqgraph::onednn
