#include "backends/onednn/recurrence.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/reduction_loops.h"
#include "backends/onednn/cell_loops.h"
#include "backends/onednn/matrix_product.h"
#include "backends/onednn/recurrent_products.h"
#include "backends/onednn/rnn_memory.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
absl::Status ValidateRecurrence(const RecurrenceConfig& c) {
  constexpr int64_t kLimit = int64_t{1} << 20;
  for (const auto& [name, value] : {std::pair<const char*, int64_t>{"time", c.time},
                                    {"batch", c.batch},
                                    {"features", c.features},
                                    {"units", c.units}}) {
    if (value >= 1 && value <= kLimit) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("a recurrence with ", name, " ", value, ", expected 1 to ", kLimit));
  }
  const double rows = static_cast<double>(c.time) * static_cast<double>(c.batch);
  const double widest = static_cast<double>(std::max(c.features, c.columns()));
  if (rows > INT32_MAX || 4.0 * rows * widest > 1e11 || 4.0 * widest * widest > 1e10) {
    return absl::ResourceExhaustedError(absl::StrCat("a recurrence of ", c.time, " steps, batch ",
                                                     c.batch, ", ", c.features, " features and ",
                                                     c.units, " units needs more than 100 GB"));
  }
  return absl::OkStatus();
}

Recurrence::Recurrence(const RecurrenceConfig& config) : c_(config) {
  const size_t rows = c_.time * c_.batch, units = c_.units, state = c_.batch * units * kFloat;
  const bool gru = c_.gates() == 3;
  RegionLayout workspace, scratch;
  workspace_.gates = workspace.Take(rows * c_.columns() * kFloat);
  workspace_.states = workspace.Take((c_.time + 1) * state);
  workspace_.cells = workspace.Take(c_.kind == CellKind::kLstm ? (c_.time + 1) * state : 0);
  workspace_.product = workspace.Take(gru ? rows * units * kFloat : 0);
  workspace_bytes_ = workspace.used();
  scratch_.x = scratch.Take(c_.projected ? 0 : rows * c_.features * kFloat);
  scratch_.dx = scratch.Take(rows * c_.features * kFloat);
  scratch_.bias = scratch.Take(2 * c_.columns() * kFloat);
  scratch_.first = scratch.Take(c_.batch * sizeof(int64_t));
  scratch_.h = scratch.Take(state);
  scratch_.dh = scratch.Take(state);
  scratch_.dc = scratch.Take(state);
  scratch_.gate = scratch.Take(state);
  scratch_.scaled = scratch.Take(c_.time * state);
  scratch_bytes_ = scratch.used();
}

// One run, forward or backward. States and cells have a slot more than there are steps, so that the
// states before all steps lie as one matrix beside the gates: the step at place t finds the state
// before it in slot t and leaves its own in slot t + 1; the other way round in reverse.
class Recurrence::Pass {
 public:
  Pass(const Recurrence& r, const RecurrenceInputs& in, bool anew, void* workspace, void* scratch)
      : r_(r),
        c_(r.c_),
        in_(in),
        state_(c_.batch * c_.units),
        scratch_(scratch),
        gates_(At(workspace, r.workspace_.gates)),
        states_(At(workspace, r.workspace_.states)),
        cells_(At(workspace, r.workspace_.cells)),
        product_(At(workspace, r.workspace_.product)),
        rows_(c_, in, reinterpret_cast<int64_t*>(At(scratch, r.scratch_.first))),
        products_(c_, in, rows_, anew, At(scratch, r.scratch_.gate),
                  At(scratch, r.scratch_.scaled)) {}

  absl::Status Forward(const RecurrenceResults& out);
  absl::Status Backward(const RecurrenceGradientInputs& grad, bool anew,
                        const RecurrenceGradients& out);

 private:
  int64_t Place(int64_t k) const { return rows_.Place(k); }
  float* Gates(int64_t t) { return gates_ + t * c_.batch * c_.columns(); }
  float* ProductAt(int64_t t) { return product_ + t * state_; }
  float* Before(float* slots, int64_t t) { return slots + (t + c_.reverse) * state_; }
  float* After(float* slots, int64_t t) { return slots + (t + !c_.reverse) * state_; }
  CellStep StepAt(int64_t t) const {
    return {c_.batch, c_.units, c_.activation, c_.masked ? in_.mask + t : nullptr, c_.time};
  }

  void Start();
  absl::Status ProjectInput();
  void CopyX(int64_t width, float* to);
  void Zero(float* x, int64_t n) { std::memset(x, 0, n * kFloat); }
  void CopyOrZero(const float* from, float* to);
  absl::Status Step(int64_t t, float* h);
  absl::Status StepBack(int64_t t, float* dh, float* dc);
  void TakeStates(Rows<const float> sequence);
  absl::Status InputGradients(const RecurrenceGradients& out);
  absl::Status StateGradients(const RecurrenceGradients& out);

  const Recurrence& r_;
  const RecurrenceConfig& c_;
  const RecurrenceInputs& in_;
  const int64_t state_;  // floats
  void* const scratch_;
  float *const gates_, *const states_, *const cells_, *const product_;
  const StepRows rows_;
  const RecurrentProducts products_;
  const float* b_ = nullptr;
  Matrix x_ = {};
};

void Recurrence::Pass::CopyOrZero(const float* from, float* to) {
  if (from != nullptr) {
    std::memcpy(to, from, state_ * kFloat);
  } else {
    Zero(to, state_);
  }
}

// [time, batch, width], masked rows zero, whatever they hold.
void Recurrence::Pass::CopyX(int64_t width, float* to) {
  for (int64_t t = 0; t < c_.time; ++t) {
    for (int64_t b = 0; b < c_.batch; ++b, to += width) {
      if (c_.masked && in_.mask[b * c_.time + t] == 0) {
        Zero(to, width);
      } else {
        std::memcpy(to, in_.x.at(t, b), width * kFloat);
      }
    }
  }
}

// Bias, first steps, and x as a matrix.
void Recurrence::Pass::Start() {
  b_ = in_.b;
  if (b_ == nullptr) {
    float* zeros = At(scratch_, r_.scratch_.bias);
    Zero(zeros, 2 * c_.columns());
    b_ = zeros;
  }
  if (c_.projected) return;
  x_ = {in_.x.data, in_.x.row_stride};
  if (c_.masked || in_.x.time_stride != c_.batch * in_.x.row_stride) {
    float* x = At(scratch_, r_.scratch_.x);
    CopyX(c_.features, x);
    x_ = {x, c_.features};
  }
}

absl::Status Recurrence::Pass::ProjectInput() {
  if (c_.projected) {
    CopyX(c_.columns(), gates_);
    return absl::OkStatus();
  }
  return Product(c_.time * c_.batch, c_.features, c_.columns(), x_, {in_.w, c_.columns()},
                 /*add=*/false, gates_, c_.columns());
}

// From the state before place t to that after it, which goes to h, and the cell.
absl::Status Recurrence::Pass::Step(int64_t t, float* h) {
  const CellStep s = StepAt(t);
  const int64_t columns = c_.columns();
  float* gates = Gates(t);
  const float* before = Before(states_, t);
  switch (c_.kind) {
    case CellKind::kSimple:
      SEQ_RETURN_IF_ERROR(products_.Add(t, before, 0, 1, true, gates, columns));
      SimpleForward(s, b_, gates, before, h);
      break;
    case CellKind::kLstm:
      SEQ_RETURN_IF_ERROR(products_.Add(t, before, 0, 4, true, gates, columns));
      LstmForward(s, b_, gates, before, Before(cells_, t), h, After(cells_, t));
      break;
    case CellKind::kGruAfter:
      SEQ_RETURN_IF_ERROR(products_.Add(t, before, 0, 2, true, gates, columns));
      SEQ_RETURN_IF_ERROR(products_.Add(t, before, 2, 3, false, ProductAt(t), c_.units));
      GruAfterForward(s, b_, gates, ProductAt(t), before, h);
      break;
    case CellKind::kGruBefore:
      SEQ_RETURN_IF_ERROR(products_.Add(t, before, 0, 2, true, gates, columns));
      GruBeforeForwardReset(s, b_, gates, ProductAt(t), before);
      SEQ_RETURN_IF_ERROR(
          products_.Add(t, ProductAt(t), 2, 3, true, gates + 2 * c_.units, columns));
      GruBeforeForwardState(s, b_, gates, before, h);
      break;
  }
  return absl::OkStatus();
}

absl::Status Recurrence::Pass::StepBack(int64_t t, float* dh, float* dc) {
  const CellStep s = StepAt(t);
  const int64_t columns = c_.columns(), units = c_.units;
  float* gates = Gates(t);
  const float* before = Before(states_, t);
  switch (c_.kind) {
    case CellKind::kSimple:
      SimpleBackward(s, After(states_, t), gates, dh);
      return products_.AddBack(t, gates, columns, 0, 1, dh);
    case CellKind::kLstm:
      LstmBackward(s, Before(cells_, t), After(cells_, t), gates, dh, dc);
      return products_.AddBack(t, gates, columns, 0, 4, dh);
    case CellKind::kGruAfter:
      GruAfterBackward(s, before, gates, ProductAt(t), dh);
      SEQ_RETURN_IF_ERROR(products_.AddBack(t, ProductAt(t), units, 2, 3, dh));
      return products_.AddBack(t, gates, columns, 0, 2, dh);
    case CellKind::kGruBefore: {
      float* d_reset = At(scratch_, r_.scratch_.h);
      Zero(d_reset, state_);
      GruBeforeBackwardState(s, before, gates, dh);
      SEQ_RETURN_IF_ERROR(products_.AddBack(t, gates + 2 * units, columns, 2, 3, d_reset));
      GruBeforeBackwardReset(s, before, d_reset, gates, dh);
      return products_.AddBack(t, gates, columns, 0, 2, dh);
    }
  }
  return absl::OkStatus();
}

absl::Status Recurrence::Pass::Forward(const RecurrenceResults& out) {
  Start();
  SEQ_RETURN_IF_ERROR(ProjectInput());
  const bool has_cell = c_.kind == CellKind::kLstm;
  CopyOrZero(in_.h0, Before(states_, Place(0)));
  if (has_cell) CopyOrZero(in_.c0, Before(cells_, Place(0)));
  for (int64_t k = 0; k < c_.time; ++k) {
    const int64_t t = Place(k);
    float* h = After(states_, t);
    SEQ_RETURN_IF_ERROR(Step(t, h));
    for (int64_t b = 0; b < c_.batch && out.sequence.data != nullptr; ++b) {
      if (rows_.HasBegun(b, k)) {
        std::memcpy(out.sequence.at(t, b), h + b * c_.units, c_.units * kFloat);
      } else {
        Zero(out.sequence.at(t, b), c_.units);
      }
    }
  }
  const int64_t end = Place(c_.time - 1);
  if (out.last != nullptr) std::memcpy(out.last, After(states_, end), state_ * kFloat);
  if (out.last_cell != nullptr && has_cell) {
    std::memcpy(out.last_cell, After(cells_, end), state_ * kFloat);
  }
  return absl::OkStatus();
}

// The states from a sequence: where it has not begun, the state is still the initial one.
void Recurrence::Pass::TakeStates(Rows<const float> sequence) {
  float* start = Before(states_, Place(0));
  CopyOrZero(in_.h0, start);
  for (int64_t k = 0; k < c_.time; ++k) {
    const int64_t t = Place(k);
    for (int64_t b = 0; b < c_.batch; ++b) {
      const float* h = rows_.HasBegun(b, k) ? sequence.at(t, b) : start + b * c_.units;
      std::memcpy(After(states_, t) + b * c_.units, h, c_.units * kFloat);
    }
  }
}

absl::Status Recurrence::Pass::Backward(const RecurrenceGradientInputs& grad, bool anew,
                                        const RecurrenceGradients& out) {
  Start();
  if (anew) {
    TakeStates(grad.sequence);
    SEQ_RETURN_IF_ERROR(ProjectInput());
    if (c_.kind == CellKind::kLstm) CopyOrZero(in_.c0, Before(cells_, Place(0)));
    // A simple cell's slopes come from its states alone.
    for (int64_t k = 0; k < c_.time && c_.kind != CellKind::kSimple; ++k) {
      SEQ_RETURN_IF_ERROR(Step(Place(k), At(scratch_, r_.scratch_.h)));
    }
  }
  float* dh = At(scratch_, r_.scratch_.dh);
  float* dc = At(scratch_, r_.scratch_.dc);
  CopyOrZero(grad.d_last, dh);
  CopyOrZero(grad.d_last_cell, dc);
  for (int64_t k = c_.time - 1; k >= 0; --k) {
    const int64_t t = Place(k);
    for (int64_t b = 0; b < c_.batch && grad.d_sequence.data != nullptr; ++b) {
      float* row = dh + b * c_.units;
      if (rows_.HasBegun(b, k)) kernels::AddLoop(row, grad.d_sequence.at(t, b), c_.units, row);
    }
    SEQ_RETURN_IF_ERROR(StepBack(t, dh, dc));
  }
  if (out.dh0 != nullptr) std::memcpy(out.dh0, dh, state_ * kFloat);
  if (out.dc0 != nullptr) std::memcpy(out.dc0, dc, state_ * kFloat);
  SEQ_RETURN_IF_ERROR(InputGradients(out));
  return StateGradients(out);
}

absl::Status Recurrence::Pass::InputGradients(const RecurrenceGradients& out) {
  const int64_t rows = c_.time * c_.batch, columns = c_.columns(), features = c_.features;
  if (out.dw != nullptr && !c_.projected) {
    SEQ_RETURN_IF_ERROR(Product(features, rows, columns, {x_.data, x_.stride, true},
                                {gates_, columns}, /*add=*/false, out.dw, columns));
  }
  if (out.dx.data == nullptr) return absl::OkStatus();
  const float* dx = gates_;
  if (!c_.projected) {
    const bool direct = out.dx.time_stride == c_.batch * out.dx.row_stride;
    float* to = direct ? out.dx.data : At(scratch_, r_.scratch_.dx);
    const int64_t stride = direct ? out.dx.row_stride : features;
    SEQ_RETURN_IF_ERROR(Product(rows, columns, features, {gates_, columns}, {in_.w, columns, true},
                                /*add=*/false, to, stride));
    for (int64_t r = 0; r < rows && stride > features; ++r) {
      Zero(to + r * stride + features, stride - features);
    }
    for (int64_t r = 0; r < rows && c_.masked; ++r) {
      if (!rows_.Counts(r % c_.batch, r / c_.batch)) Zero(to + r * stride, features);
    }
    if (direct) return absl::OkStatus();
    dx = to;
  }
  for (int64_t t = 0; t < c_.time; ++t) {
    for (int64_t b = 0; b < c_.batch; ++b, dx += features) {
      std::memcpy(out.dx.at(t, b), dx, features * kFloat);
    }
  }
  return absl::OkStatus();
}

absl::Status Recurrence::Pass::StateGradients(const RecurrenceGradients& out) {
  const int64_t rows = c_.time * c_.batch, columns = c_.columns(), units = c_.units;
  if (out.db != nullptr) {
    kernels::SumRowsLoop(gates_, rows, columns, out.db);
    if (c_.kind == CellKind::kGruAfter) {  // the second bias: as the first but for the candidate
      std::memcpy(out.db + columns, out.db, 2 * units * kFloat);
      kernels::SumRowsLoop(product_, rows, units, out.db + columns + 2 * units);
    }
  }
  if (out.du == nullptr) return absl::OkStatus();
  const float* before = states_ + c_.reverse * state_;
  switch (c_.kind) {
    case CellKind::kSimple:
    case CellKind::kLstm:
      return products_.Weights(before, gates_, columns, 0, static_cast<int>(c_.gates()), out.du);
    case CellKind::kGruAfter:
      SEQ_RETURN_IF_ERROR(products_.Weights(before, gates_, columns, 0, 2, out.du));
      return products_.Weights(before, product_, units, 2, 3, out.du);
    case CellKind::kGruBefore:
      SEQ_RETURN_IF_ERROR(products_.Weights(before, gates_, columns, 0, 2, out.du));
      return products_.Weights(product_, gates_ + 2 * units, columns, 2, 3, out.du);
  }
  return absl::OkStatus();
}

absl::Status Recurrence::Forward(const RecurrenceInputs& in, const RecurrenceResults& out,
                                 void* workspace, void* scratch) const {
  return Pass(*this, in, /*anew=*/false, workspace, scratch).Forward(out);
}

absl::Status Recurrence::Backward(const RecurrenceInputs& in, const RecurrenceGradientInputs& grad,
                                  bool anew, const RecurrenceGradients& out, void* workspace,
                                  void* scratch) const {
  return Pass(*this, in, anew, workspace, scratch).Backward(grad, anew, out);
}

}  // namespace seqgraph::onednn
