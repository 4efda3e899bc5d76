#include "backends/onednn/rnn_primitive.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/kernels/reduction_loops.h"
#include "backends/onednn/aligned_buffer.h"
#include "backends/onednn/dnnl_compat.h"
#include "backends/onednn/executable.h"
#include "backends/onednn/isa.h"
#include "backends/onednn/layout_loops.h"
#include "backends/onednn/rnn_loops.h"
#include "backends/onednn/rnn_memory.h"
#include "backends/onednn/run_guard.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
namespace {

using dnnl::memory;

dnnl::algorithm ToAlgorithm(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return dnnl::algorithm::eltwise_relu;
    case Activation::kSigmoid:
      return dnnl::algorithm::eltwise_logistic;
    case Activation::kTanh:
    default:  // no cell has it
      break;
  }
  return dnnl::algorithm::eltwise_tanh;
}

}  // namespace

absl::Status ValidateRnnConfig(const RnnConfig& c) {
  // oneDNN's dimensions are 64 bits wide, but its kernels take some products in 32.
  constexpr int64_t kLimit = int64_t{1} << 20;
  for (const auto& [name, value] : {std::pair<const char*, int64_t>{"time", c.time},
                                    {"batch", c.batch},
                                    {"features", c.features},
                                    {"units", c.units},
                                    {"threads", c.threads}}) {
    if (value >= 1 && value <= kLimit) continue;
    return InvalidArgument("RNN ", name, " is ", value, ", expected 1 to ", kLimit);
  }
  if (c.x_width < c.features || c.x_width > kLimit || (c.projected && c.features != c.units)) {
    return InvalidArgument("RNN with ", c.features, " features in rows of ", c.x_width, " and ",
                           c.units,
                           " units: expected rows as wide as the features, and of a projected "
                           "input as many features as units");
  }
  const double row_bytes = 4.0 * c.time * c.batch * std::max(c.x_width, c.units);
  const double weight_bytes = 4.0 * std::max(c.x_width, c.units) * c.units;
  if (row_bytes > 1e11 || weight_bytes > 1e10) {
    return ResourceExhausted("RNN of ", c.time, " steps, batch ", c.batch, ", ", c.features,
                             " features and ", c.units, " units needs more than 100 GB");
  }
  return absl::OkStatus();
}

class RnnPrimitive::Impl {
 public:
  explicit Impl(const RnnConfig& config)
      : c_(config),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        y_width_(PadUnits(config.units)),
        x_width_(config.x_width),
        pad_(y_width_ != config.units),
        pad_w_(pad_ || x_width_ != config.features) {}

  void CreatePrimitives();
  absl::Status AllocateConstants();
  absl::Status Forward(const RnnForwardArgs& args);
  absl::Status Backward(const RnnBackwardArgs& args);

  size_t constant_bytes() const { return zeros_.size() + identity_.size() + zero_diff_.size(); }

  const RnnConfig c_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  const int64_t y_width_;
  const int64_t x_width_;
  const bool pad_;    // columns beyond the units
  const bool pad_w_;  // those, or rows beyond the features
  std::string implementation_;
  size_t workspace_bytes_ = 0;
  size_t scratch_bytes_ = 0;

 private:
  // Offsets of what a run keeps in the caller's scratch and workspace.
  struct ForwardScratch {
    size_t w, u, b, packed_w, packed_u, library;
  };
  struct BackwardScratch {
    size_t w, u, b, dh_last, dh0, dw, du, db, library;
  };
  struct Workspace {
    size_t library, h0, h_last;
  };

  void PlanForward(size_t library_bytes, size_t workspace_bytes);
  void PlanBackward(size_t library_bytes);
  void CreateBackward(const compat::RnnDescs& descs,
                      const dnnl::vanilla_rnn_forward::primitive_desc& forward);
  const float* Bias(const float* b, float* scratch) const;
  bool HidesNonFinite(const RnnForwardArgs& args) const;
  bool LastStepTells(const float* y) const;
  absl::Status BackwardOnLoops(const RnnBackwardArgs& args) const;
  bool SumsStayFinite(const RnnForwardArgs& args) const;
  absl::Status Pack(Executable& pack, const float* plain, float* packed);

  Executable forward_;
  Executable backward_;
  // Inference only: plain weights to the layout the primitive asked for.
  Executable pack_w_;
  Executable pack_u_;
  size_t packed_w_bytes_ = 0;
  size_t packed_u_bytes_ = 0;
  ForwardScratch fwd_ = {};
  BackwardScratch bwd_ = {};
  Workspace ws_ = {};
  AlignedBuffer zeros_;      // absent bias and absent states
  AlignedBuffer identity_;   // input weights of a projected input
  AlignedBuffer zero_diff_;  // gradient of the sequence when only the last state has one
};

void RnnPrimitive::Impl::CreatePrimitives() {
  using tag = memory::format_tag;
  const auto [t, b, i, h] = std::array<int64_t, 4>{c_.time, c_.batch, x_width_, y_width_};
  const tag weights = c_.training ? tag::ldigo : tag::any;
  compat::RnnDescs d;
  d.src_layer = Desc({t, b, i}, tag::tnc);
  // Always there, zero-filled when the graph has none: without it the backward primitive silently
  // pairs the gradient of u with the wrong time step.
  d.src_iter = Desc({1, 1, b, h}, tag::ldnc);
  d.weights_layer = Desc({1, 1, i, 1, h}, weights);
  d.weights_iter = Desc({1, 1, h, 1, h}, weights);
  d.bias = Desc({1, 1, 1, h}, tag::ldgo);
  d.dst_layer = Desc({t, b, h}, tag::tnc);
  if (c_.training) d.dst_iter = Desc({1, 1, b, h}, tag::ldnc);

  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto kind =
      c_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const auto pd = compat::MakeRnnForward(engine_, attr, kind, ToAlgorithm(c_.activation), d);
  implementation_ = pd.impl_info_str();
  forward_.set_primitive(dnnl::vanilla_rnn_forward(pd));
  forward_.Bind(DNNL_ARG_SRC_LAYER, d.src_layer, engine_);
  forward_.Bind(DNNL_ARG_SRC_ITER, d.src_iter, engine_);
  forward_.Bind(DNNL_ARG_WEIGHTS_LAYER, pd.weights_layer_desc(), engine_);
  forward_.Bind(DNNL_ARG_WEIGHTS_ITER, pd.weights_iter_desc(), engine_);
  forward_.Bind(DNNL_ARG_BIAS, d.bias, engine_);
  forward_.Bind(DNNL_ARG_DST_LAYER, d.dst_layer, engine_);
  forward_.Bind(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc(), engine_);
  if (c_.training) {
    forward_.Bind(DNNL_ARG_DST_ITER, d.dst_iter, engine_);
    forward_.Bind(DNNL_ARG_WORKSPACE, pd.workspace_desc(), engine_);
    PlanForward(pd.scratchpad_desc().get_size(), pd.workspace_desc().get_size());
    CreateBackward(d, pd);
    return;
  }
  const auto bind_pack = [&](Executable& pack, const memory::dims& dims,
                             const memory::desc& packed) {
    const memory::desc plain = Desc(dims, tag::ldigo);
    pack.set_primitive(
        dnnl::reorder(dnnl::reorder::primitive_desc(engine_, plain, engine_, packed)));
    pack.Bind(DNNL_ARG_FROM, plain, engine_);
    pack.Bind(DNNL_ARG_TO, packed, engine_);
    return packed.get_size();
  };
  packed_w_bytes_ = bind_pack(pack_w_, {1, 1, i, 1, h}, pd.weights_layer_desc());
  packed_u_bytes_ = bind_pack(pack_u_, {1, 1, h, 1, h}, pd.weights_iter_desc());
  PlanForward(pd.scratchpad_desc().get_size(), 0);
}

void RnnPrimitive::Impl::CreateBackward(const compat::RnnDescs& d,
                                        const dnnl::vanilla_rnn_forward::primitive_desc& forward) {
  compat::RnnDescs fwd = d;
  fwd.weights_layer = TransposedWeights(x_width_, y_width_);
  fwd.weights_iter = TransposedWeights(y_width_, y_width_);
  // Source and destination must both be dense and time-major: a source with another time stride
  // silently spoils the gradient of w.
  compat::RnnDescs diff = d;
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto pd =
      compat::MakeRnnBackward(engine_, attr, ToAlgorithm(c_.activation), fwd, diff, forward);
  absl::StrAppend(&implementation_, "/", pd.impl_info_str());
  backward_.set_primitive(dnnl::vanilla_rnn_backward(pd));
  backward_.Bind(DNNL_ARG_SRC_LAYER, fwd.src_layer, engine_);
  backward_.Bind(DNNL_ARG_SRC_ITER, fwd.src_iter, engine_);
  backward_.Bind(DNNL_ARG_WEIGHTS_LAYER, fwd.weights_layer, engine_);
  backward_.Bind(DNNL_ARG_WEIGHTS_ITER, fwd.weights_iter, engine_);
  backward_.Bind(DNNL_ARG_BIAS, fwd.bias, engine_);
  backward_.Bind(DNNL_ARG_DST_LAYER, fwd.dst_layer, engine_);
  backward_.Bind(DNNL_ARG_DST_ITER, fwd.dst_iter, engine_);
  backward_.Bind(DNNL_ARG_DIFF_SRC_LAYER, diff.src_layer, engine_);
  backward_.Bind(DNNL_ARG_DIFF_SRC_ITER, diff.src_iter, engine_);
  backward_.Bind(DNNL_ARG_DIFF_WEIGHTS_LAYER, diff.weights_layer, engine_);
  backward_.Bind(DNNL_ARG_DIFF_WEIGHTS_ITER, diff.weights_iter, engine_);
  backward_.Bind(DNNL_ARG_DIFF_BIAS, diff.bias, engine_);
  backward_.Bind(DNNL_ARG_DIFF_DST_LAYER, diff.dst_layer, engine_);
  backward_.Bind(DNNL_ARG_DIFF_DST_ITER, diff.dst_iter, engine_);
  backward_.Bind(DNNL_ARG_WORKSPACE, forward.workspace_desc(), engine_);
  backward_.Bind(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc(), engine_);
  PlanBackward(pd.scratchpad_desc().get_size());
}

void RnnPrimitive::Impl::PlanForward(size_t library_bytes, size_t workspace_bytes) {
  const size_t states = c_.batch * y_width_ * kFloat;
  RegionLayout scratch;
  RegionLayout workspace;
  fwd_.w = scratch.Take(pad_w_ && !c_.projected ? x_width_ * y_width_ * kFloat : 0);
  fwd_.u = scratch.Take(pad_ ? y_width_ * y_width_ * kFloat : 0);
  fwd_.b = scratch.Take(pad_ ? y_width_ * kFloat : 0);
  fwd_.packed_w = scratch.Take(packed_w_bytes_);
  fwd_.packed_u = scratch.Take(packed_u_bytes_);
  if (c_.training) {
    ws_.library = workspace.Take(workspace_bytes);
    ws_.h_last = workspace.Take(states);
  }
  // Backward reads the initial state again, so in training its padded copy must last.
  ws_.h0 = (c_.training ? workspace : scratch).Take(pad_ ? states : 0);
  fwd_.library = scratch.Take(library_bytes, kAlignment);
  workspace_bytes_ = workspace.used();
  scratch_bytes_ = scratch.used();
}

void RnnPrimitive::Impl::PlanBackward(size_t library_bytes) {
  const size_t states = c_.batch * y_width_ * kFloat;
  const size_t w = x_width_ * y_width_ * kFloat;
  const size_t u = y_width_ * y_width_ * kFloat;
  RegionLayout scratch;
  bwd_.w = scratch.Take(c_.projected ? 0 : RowStride(x_width_) * y_width_ * kFloat);
  bwd_.u = scratch.Take(RowStride(y_width_) * y_width_ * kFloat);
  bwd_.b = scratch.Take(y_width_ * kFloat);
  bwd_.dh_last = scratch.Take(states);
  bwd_.dh0 = scratch.Take(states);
  bwd_.dw = scratch.Take(w);
  bwd_.du = scratch.Take(u);
  bwd_.db = scratch.Take(y_width_ * kFloat);
  bwd_.library = scratch.Take(library_bytes, kAlignment);
  scratch_bytes_ = std::max(scratch_bytes_, scratch.used());
}

absl::Status RnnPrimitive::Impl::AllocateConstants() {
  const size_t h = y_width_;
  zeros_ = AlignedBuffer(c_.batch * h * kFloat);
  const size_t i = x_width_;
  // Forward reads [i, h], backward its transpose [h, i].
  if (c_.projected) identity_ = AlignedBuffer((i + RowStride(i)) * h * kFloat);
  // Never written, so the kernel backs all of it with its one page of zeros.
  if (c_.training) zero_diff_ = AlignedBuffer(c_.time * c_.batch * h * kFloat);
  if (zeros_.data() == nullptr || (c_.projected && identity_.data() == nullptr) ||
      (c_.training && zero_diff_.data() == nullptr)) {
    return ResourceExhausted("no memory for the constants of an RNN primitive");
  }
  if (c_.projected) {
    for (size_t k = 0; k < static_cast<size_t>(c_.units); ++k) {
      identity_.floats()[k * h + k] = 1.0f;
      identity_.floats()[i * h + k * RowStride(i) + k] = 1.0f;
    }
  }
  return absl::OkStatus();
}

const float* RnnPrimitive::Impl::Bias(const float* b, float* scratch) const {
  if (b == nullptr) return zeros_.floats();  // oneDNN has no recurrence without a bias
  if (!pad_) return b;
  PadMatrix(b, 1, c_.units, 1, y_width_, scratch);
  return scratch;
}

// True if y may differ from the formula's because something is not finite.
bool RnnPrimitive::Impl::HidesNonFinite(const RnnForwardArgs& a) const {
  if (c_.activation == Activation::kRelu) return !SumsStayFinite(a);
  return (c_.projected || pad_) && LastStepTells(a.y);
}

// True if something that is not finite has spread over y: a value of x or h0 makes NaN of
// what it is multiplied by zero for, through the identity its whole row, through the padding's zero
// columns the padding, and with the next step the row. That stays so in all later steps: one unit
// of the last step tells, a padding one where there is padding (plain loops leave it as it is).
bool RnnPrimitive::Impl::LastStepTells(const float* y) const {
  const float* last = y + (c_.time - 1) * c_.batch * y_width_ + (pad_ ? c_.units : 0);
  for (int64_t b = 0; b < c_.batch; ++b) {
    if (std::isnan(last[b * y_width_])) return true;
  }
  return false;
}

// Relu makes 0 of a NaN. There is none if no sum can overflow on the way.
bool RnnPrimitive::Impl::SumsStayFinite(const RnnForwardArgs& a) const {
  const int64_t n = c_.units;
  const int64_t steps = c_.time * c_.batch;
  const double x = kernels::MaxAbsLoop(a.x, steps * x_width_);
  const double w = c_.projected ? 1.0 : kernels::MaxAbsLoop(a.w, c_.features * n);
  const double h = kernels::MaxAbsLoop(a.y, steps * y_width_);
  const double h0 = a.h0 == nullptr ? 0.0 : kernels::MaxAbsLoop(a.h0, c_.batch * n);
  const double u = kernels::MaxAbsLoop(a.u, n * n);
  const double b = a.b == nullptr ? 0.0 : kernels::MaxAbsLoop(a.b, n);
  const double bound = x * w * static_cast<double>(c_.features) + (h + h0) * u * n + b;
  return bound < 1e38;  // false for NaN
}

absl::Status RnnPrimitive::Impl::Forward(const RnnForwardArgs& a) {
  ThreadCountGuard threads(c_.threads);
  const float* w = c_.projected ? identity_.floats() : a.w;
  const float* u = a.u;
  const float* h0 = a.h0 == nullptr ? zeros_.floats() : a.h0;
  if (pad_w_ && !c_.projected) {
    float* padded = At(a.scratch, fwd_.w);
    PadMatrix(w, c_.features, c_.units, x_width_, y_width_, padded);
    w = padded;
  }
  if (pad_) {
    // Zero rows of u keep the padding out of the real units even where the activation makes it
    // 0.5; zero columns keep it constant.
    float* padded = At(a.scratch, fwd_.u);
    PadMatrix(u, c_.units, c_.units, y_width_, y_width_, padded);
    u = padded;
  }
  if (pad_ && a.h0 != nullptr) {
    float* state = At(c_.training ? a.workspace : a.scratch, ws_.h0);
    PadMatrix(a.h0, c_.batch, c_.units, c_.batch, y_width_, state);
    h0 = state;
  }
  if (!c_.training) {
    SEQ_RETURN_IF_ERROR(Pack(pack_w_, w, At(a.scratch, fwd_.packed_w)));
    SEQ_RETURN_IF_ERROR(Pack(pack_u_, u, At(a.scratch, fwd_.packed_u)));
    w = At(a.scratch, fwd_.packed_w);
    u = At(a.scratch, fwd_.packed_u);
  }
  forward_.Set(DNNL_ARG_SRC_LAYER, a.x);
  forward_.Set(DNNL_ARG_SRC_ITER, h0);
  forward_.Set(DNNL_ARG_WEIGHTS_LAYER, w);
  forward_.Set(DNNL_ARG_WEIGHTS_ITER, u);
  forward_.Set(DNNL_ARG_BIAS, Bias(a.b, At(a.scratch, fwd_.b)));
  forward_.Set(DNNL_ARG_DST_LAYER, a.y);
  forward_.Set(DNNL_ARG_SCRATCHPAD, At(a.scratch, fwd_.library));
  if (c_.training) {
    forward_.Set(DNNL_ARG_DST_ITER, At(a.workspace, ws_.h_last));
    forward_.Set(DNNL_ARG_WORKSPACE, At(a.workspace, ws_.library));
  }
  SEQ_RETURN_IF_ERROR(forward_.Run(stream_, "the vanilla RNN forward"));
  if (HidesNonFinite(a)) RnnForwardLoops(c_, y_width_, a);
  if (a.h_last != nullptr) {
    const float* last = a.y + (c_.time - 1) * c_.batch * y_width_;
    UnpadMatrix(last, y_width_, c_.batch, c_.units, a.h_last);
  }
  return absl::OkStatus();
}

// For what is not finite, which the workspace spreads through the padding. So rare, and so late for
// any training, that it may allocate.
absl::Status RnnPrimitive::Impl::BackwardOnLoops(const RnnBackwardArgs& a) const {
  const int64_t steps = c_.time * c_.batch, n = c_.units;
  std::vector<float> x(steps * c_.features), dx(x.size()), y(steps * n), dy(y.size());
  std::vector<float> scratch(RnnBackwardLoopsScratch(c_) / kFloat);
  TimeToBatchMajor(a.x, c_.batch, c_.time, c_.features, x_width_, x.data());
  TimeToBatchMajor(a.y, c_.batch, c_.time, n, y_width_, y.data());
  if (a.dy != nullptr) TimeToBatchMajor(a.dy, c_.batch, c_.time, n, y_width_, dy.data());
  RnnBackwardArgs dense = a;
  dense.x = x.data();
  dense.y = y.data();
  dense.dy = dy.data();
  dense.dx = dx.data();
  dense.scratch = scratch.data();
  RnnBackwardLoops(c_, dense);
  BatchToTimeMajor(dx.data(), c_.batch, c_.time, c_.features, x_width_, a.dx);
  return absl::OkStatus();
}

absl::Status RnnPrimitive::Impl::Backward(const RnnBackwardArgs& a) {
  if (pad_ && c_.activation != Activation::kRelu && LastStepTells(a.y)) {
    return BackwardOnLoops(a);
  }
  ThreadCountGuard threads(c_.threads);
  const int64_t n = c_.units;
  // The backward primitive reads both weight matrices transposed.
  const float* w = identity_.floats() + x_width_ * y_width_;
  if (!c_.projected) {
    float* transposed = At(a.scratch, bwd_.w);
    TransposeMatrix(a.w, c_.features, n, RowStride(x_width_), y_width_, transposed);
    w = transposed;
  }
  float* u = At(a.scratch, bwd_.u);
  TransposeMatrix(a.u, n, n, RowStride(y_width_), y_width_, u);
  const float* h0 = zeros_.floats();
  if (a.h0 != nullptr) h0 = pad_ ? At(a.workspace, ws_.h0) : a.h0;
  const float* dh_last = a.dh_last == nullptr ? zeros_.floats() : a.dh_last;
  if (pad_ && a.dh_last != nullptr) {
    PadMatrix(a.dh_last, c_.batch, n, c_.batch, y_width_, At(a.scratch, bwd_.dh_last));
    dh_last = At(a.scratch, bwd_.dh_last);
  }
  float* dh0 = a.dh0 != nullptr && !pad_ ? a.dh0 : At(a.scratch, bwd_.dh0);
  float* dw = a.dw != nullptr && !pad_w_ ? a.dw : At(a.scratch, bwd_.dw);
  float* du = a.du != nullptr && !pad_ ? a.du : At(a.scratch, bwd_.du);
  float* db = a.db != nullptr && !pad_ ? a.db : At(a.scratch, bwd_.db);
  // Weight gradients are added to what is there; those of states and inputs are overwritten.
  std::memset(dw, 0, x_width_ * y_width_ * kFloat);
  std::memset(du, 0, y_width_ * y_width_ * kFloat);
  std::memset(db, 0, y_width_ * kFloat);

  backward_.Set(DNNL_ARG_SRC_LAYER, a.x);
  backward_.Set(DNNL_ARG_SRC_ITER, h0);
  backward_.Set(DNNL_ARG_WEIGHTS_LAYER, w);
  backward_.Set(DNNL_ARG_WEIGHTS_ITER, u);
  backward_.Set(DNNL_ARG_BIAS, Bias(a.b, At(a.scratch, bwd_.b)));
  backward_.Set(DNNL_ARG_DST_LAYER, a.y);
  backward_.Set(DNNL_ARG_DST_ITER, At(a.workspace, ws_.h_last));
  backward_.Set(DNNL_ARG_DIFF_SRC_LAYER, a.dx);
  backward_.Set(DNNL_ARG_DIFF_SRC_ITER, dh0);
  backward_.Set(DNNL_ARG_DIFF_WEIGHTS_LAYER, dw);
  backward_.Set(DNNL_ARG_DIFF_WEIGHTS_ITER, du);
  backward_.Set(DNNL_ARG_DIFF_BIAS, db);
  backward_.Set(DNNL_ARG_DIFF_DST_LAYER, a.dy == nullptr ? zero_diff_.floats() : a.dy);
  backward_.Set(DNNL_ARG_DIFF_DST_ITER, dh_last);
  backward_.Set(DNNL_ARG_WORKSPACE, At(a.workspace, ws_.library));
  backward_.Set(DNNL_ARG_SCRATCHPAD, At(a.scratch, bwd_.library));
  SEQ_RETURN_IF_ERROR(backward_.Run(stream_, "the vanilla RNN backward"));
  // What the padding gathered (for sigmoid its rows of du are not zero) is dropped here.
  if (pad_w_ && a.dw != nullptr) UnpadMatrix(dw, y_width_, c_.features, n, a.dw);
  if (!pad_) return absl::OkStatus();
  if (a.dh0 != nullptr) UnpadMatrix(dh0, y_width_, c_.batch, n, a.dh0);
  if (a.du != nullptr) UnpadMatrix(du, y_width_, n, n, a.du);
  if (a.db != nullptr) UnpadMatrix(db, y_width_, 1, n, a.db);
  return absl::OkStatus();
}

absl::Status RnnPrimitive::Impl::Pack(Executable& pack, const float* plain, float* packed) {
  pack.Set(DNNL_ARG_FROM, plain);
  pack.Set(DNNL_ARG_TO, packed);
  return pack.Run(stream_, "the packing of RNN weights");
}

absl::StatusOr<std::unique_ptr<RnnPrimitive>> RnnPrimitive::Create(const RnnConfig& config) {
  SEQ_RETURN_IF_ERROR(ValidateRnnConfig(config));
  ThreadCountGuard threads(config.threads);
  SEQ_RETURN_IF_ERROR(RoomForPrimitives());
  try {
    auto impl = std::make_unique<Impl>(config);
    impl->CreatePrimitives();
    SEQ_RETURN_IF_ERROR(impl->AllocateConstants());
    return std::unique_ptr<RnnPrimitive>(new RnnPrimitive(std::move(impl)));
  } catch (const dnnl::error& e) {
    return CannotMake(e,
                      absl::StrCat("vanilla RNN for time ", config.time, ", batch ", config.batch,
                                   ", features ", config.features, ", units ", config.units));
  }
}

RnnPrimitive::RnnPrimitive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RnnPrimitive::~RnnPrimitive() = default;

int64_t RnnPrimitive::y_width() const { return impl_->y_width_; }
size_t RnnPrimitive::workspace_bytes() const { return impl_->workspace_bytes_; }
size_t RnnPrimitive::scratch_bytes() const { return impl_->scratch_bytes_; }
size_t RnnPrimitive::constant_bytes() const { return impl_->constant_bytes(); }
std::string RnnPrimitive::implementation() const { return impl_->implementation_; }

absl::Status RnnPrimitive::Forward(const RnnForwardArgs& args) { return impl_->Forward(args); }
absl::Status RnnPrimitive::Backward(const RnnBackwardArgs& args) {
  if (!impl_->c_.training) {
    return FailedPrecondition("an RNN primitive made for inference has no backward");
  }
  return impl_->Backward(args);
}

}  // namespace seqgraph::onednn
