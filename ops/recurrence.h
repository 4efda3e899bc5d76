#pragma once

// What the reference computations of the recurrent ops (RNNCell, LSTMCell, GRUCell and their
// gradients) are made of: operands, the order of the steps, masks, and the products of one step,
// row by row. `columns` is gates * units: gate after gate.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "graph/cell_functions.h"
#include "graph/op_def.h"
#include "graph/tensor.h"
#include "ops/matrix_loops.h"

namespace seqgraph::ops {

/// The first inputs of every recurrent op.
enum RecurrentInput { kX, kW, kU, kB, kH0 };
/// Of ops on looked-up rows the first two are these.
constexpr int kIds = kX, kTable = kW;

/// The operands that a recurrent op and its gradient read, row-major.
template <typename T>
struct Recurrence {
  /// `mask_input` and `dropout_input`: which inputs these are. The attributes are checked already.
  Recurrence(const ReferenceContext& c, RecurrenceFacts::Cell cell, int mask_input,
             int dropout_input)
      : x(c.input<T>(kX)),
        w(c.input<T>(kW)),
        u(c.input<T>(kU)),
        b(c.input<T>(kB)),
        h0(c.input<T>(kH0)),
        mask(c.input<int32_t>(mask_input)),
        dropout(c.input<T>(dropout_input)),
        functions(*CellFunctionsOf(cell, c.attributes())),
        reverse(c.attributes().GetBool("reverse")) {}

  int64_t batch() const { return x.dim(0); }
  int64_t time() const { return x.dim(1); }
  int64_t features() const { return x.dim(2); }
  int64_t units() const { return u.dim(0); }
  int64_t columns() const { return u.dim(1); }
  const T* x_row(int64_t n, int64_t t) const { return x.data + (n * time() + t) * features(); }
  // Null if there is no initial state, which is then zero.
  const T* h0_row(int64_t n) const { return h0 ? h0.data + n * units() : nullptr; }

  /// Where step k of the recurrence reads and writes: the steps go backwards if `reverse`.
  int64_t Place(int64_t k) const { return reverse ? time() - 1 - k : k; }
  /// Whether row n has an input at t, or a masked step.
  bool Counts(int64_t n, int64_t t) const { return !mask || mask[n * time() + t] != 0; }
  /// The first step of row n that counts, time() if none does.
  int64_t FirstStep(int64_t n) const {
    int64_t k = 0;
    while (k < time() && !Counts(n, Place(k))) ++k;
    return k;
  }

  /// f of a sum behind the limit of clip, and what the sum changes there. The smallest distance of
  /// a sum from a kink goes to `kink_distance` unless that is null.
  ValueAndSlope<T> Apply(const ActivationFunction& f, T sum, T* kink_distance = nullptr) const {
    const T limit = static_cast<T>(functions.clip);
    const bool limited = limit > 0 && std::abs(sum) > limit;
    if (kink_distance != nullptr) {
      double distance = limited ? 1 : KinkDistance(f, sum);
      if (limit > 0) distance = std::min<double>(distance, std::abs(std::abs(sum) - limit));
      *kink_distance = std::min(*kink_distance, static_cast<T>(std::min(distance, 1.0)));
    }
    if (!limited) return ActivateWithSlope(f, sum);
    return {ActivateWithSlope(f, std::copysign(limit, sum)).value, 0};
  }

  TensorView<const T> x, w, u, b, h0;
  TensorView<const int32_t> mask;
  TensorView<const T> dropout;
  CellFunctions functions;
  bool reverse;
};

/// z = x_t·w, or x_t itself if it is projected already: `columns` elements.
template <typename T>
void ProjectInput(const Recurrence<T>& r, int64_t n, int64_t t, T* z) {
  const int64_t columns = r.columns();
  if (r.w) {
    std::fill_n(z, columns, T{0});
    AddVectorTimesMatrix(r.x_row(n, t), r.w.data, r.features(), columns, z);
  } else {
    std::copy_n(r.x_row(n, t), columns, z);
  }
}

/// The factors by which dropout multiplies a state on its way to `gate`; null for ones.
template <typename T>
const T* DropoutRow(const Recurrence<T>& r, int64_t n, int64_t gate) {
  return r.dropout ? r.dropout.data + n * r.columns() + gate * r.units() : nullptr;
}

/// z_g += (h * dropout_g)·u_g for the gates g in [first, last).
template <typename T>
void AddRecurrent(const Recurrence<T>& r, int64_t n, const T* h, int64_t first, int64_t last,
                  T* z) {
  const int64_t units = r.units(), columns = r.columns();
  for (int64_t g = first; g < last; ++g) {
    const T* factors = DropoutRow(r, n, g);
    for (int64_t i = 0; i < units; ++i) {
      const T scaled = factors ? h[i] * factors[i] : h[i];
      const T* u = r.u.data + i * columns;
      for (int64_t j = g * units; j < (g + 1) * units; ++j) z[j] += scaled * u[j];
    }
  }
}

/// The gradients of the operands that all recurrent ops have; the sums start at zero.
template <typename T>
struct RecurrenceGradients {
  explicit RecurrenceGradients(const ReferenceContext& c)
      : dx(c.output<T>(0)),
        dw(c.output<T>(1)),
        du(c.output<T>(2)),
        db(c.output<T>(3)),
        dh0(c.output<T>(4)) {
    for (const TensorView<T>& sum : {dw, du, db}) {
      if (sum) std::fill_n(sum.data, sum.size(), T{0});
    }
  }
  TensorView<T> dx, dw, du, db, dh0;
};

/// What dz, the gradient of z = ProjectInput, gives to dx_t and dw.
template <typename T>
void AddInputGradients(const Recurrence<T>& r, int64_t n, int64_t t, const T* dz,
                       const RecurrenceGradients<T>& grad) {
  const int64_t columns = r.columns(), features = r.features();
  if (grad.dx) {
    T* dx_row = grad.dx.data + (n * r.time() + t) * features;
    if (r.w) {
      MatrixTimesVector(r.w.data, dz, features, columns, dx_row);
    } else {
      std::copy_n(dz, columns, dx_row);
    }
  }
  if (grad.dw && r.w) AddOuterProduct(r.x_row(n, t), dz, features, columns, grad.dw.data);
}

/// What dz, the gradient of z after AddRecurrent from h (null for zeros), gives to du, and to dh,
/// where it is added; only the gates in [first, last).
template <typename T>
void AddRecurrentGradients(const Recurrence<T>& r, int64_t n, const T* h, int64_t first,
                           int64_t last, const T* dz, const RecurrenceGradients<T>& grad, T* dh) {
  const int64_t units = r.units(), columns = r.columns();
  for (int64_t g = first; g < last; ++g) {
    const T* factors = DropoutRow(r, n, g);
    for (int64_t i = 0; i < units; ++i) {
      const T* u = r.u.data + i * columns;
      T sum = 0;
      for (int64_t j = g * units; j < (g + 1) * units; ++j) sum += u[j] * dz[j];
      dh[i] += factors ? sum * factors[i] : sum;
      if (!grad.du || h == nullptr) continue;
      const T scaled = factors ? h[i] * factors[i] : h[i];
      T* du = grad.du.data + i * columns;
      for (int64_t j = g * units; j < (g + 1) * units; ++j) du[j] += scaled * dz[j];
    }
  }
}

/// Runs row n: step(t, h) turns h, which holds h0 at first and has the last state in the end, into
/// the next state. A masked step keeps the state; in the sequence it repeats the output before it,
/// which is zero where nothing came before.
template <typename T, typename Step>
void RunForward(const Recurrence<T>& r, int64_t n, TensorView<T> sequence, T* h, Step step) {
  const int64_t units = r.units(), first = r.FirstStep(n);
  if (r.h0) {
    std::copy_n(r.h0_row(n), units, h);
  } else {
    std::fill_n(h, units, T{0});
  }
  for (int64_t k = 0; k < r.time(); ++k) {
    const int64_t t = r.Place(k);
    if (r.Counts(n, t)) step(t, h);
    if (!sequence) continue;
    T* row = sequence.data + (n * r.time() + t) * units;
    if (k >= first) {
      std::copy_n(h, units, row);
    } else {
      std::fill_n(row, units, T{0});
    }
  }
}

/// The sums of RNNCell: z = x_t·w + h·u + b, where h is null for zeros.
template <typename T>
void SimpleSums(const Recurrence<T>& r, int64_t n, int64_t t, const T* h, T* z) {
  ProjectInput(r, n, t, z);
  if (h != nullptr) AddRecurrent(r, n, h, 0, 1, z);
  if (r.b) AddVector(r.b.data, r.units(), z);
}

/// RNNCell over all rows. The smallest distance of a sum from a kink goes to `kink_distance` unless
/// that is null.
template <typename T>
void RunSimpleCell(const Recurrence<T>& r, TensorView<T> sequence, TensorView<T> last,
                   T* kink_distance) {
  const int64_t units = r.units();
  std::vector<T> h(units), z(units);
  for (int64_t n = 0; n < r.batch(); ++n) {
    RunForward(r, n, sequence, h.data(), [&](int64_t t, T* state) {
      SimpleSums(r, n, t, state, z.data());
      for (int64_t j = 0; j < units; ++j) {
        state[j] = r.Apply(r.functions.state, z[j], kink_distance).value;
      }
    });
    if (last) std::copy_n(h.data(), units, last.data + n * units);
  }
}

/// The state that the step at place t of row n began with, null for zeros, from the sequence: the
/// output of the step that counts before.
template <typename T>
const T* PreviousState(const Recurrence<T>& r, int64_t n, int64_t t, int64_t first_step,
                       TensorView<const T> sequence) {
  if (t == r.Place(first_step)) return r.h0_row(n);
  int64_t before = t;
  do {
    before += r.reverse ? 1 : -1;
  } while (!r.Counts(n, before));
  return sequence.data + (n * r.time() + before) * r.units();
}

/// Runs row n from its last step back to its first: step(t, previous, dh) turns dh, the gradient of
/// the state that it computed, into that of the state before. At a masked step dx_t is zero and
/// what d_sequence has goes to the output that was repeated.
template <typename T, typename Step>
void RunBackward(const Recurrence<T>& r, int64_t n, TensorView<const T> sequence,
                 TensorView<const T> d_sequence, const RecurrenceGradients<T>& grad, T* dh,
                 Step step) {
  const int64_t first = r.FirstStep(n);
  for (int64_t k = r.time() - 1; k >= 0; --k) {
    const int64_t t = r.Place(k);
    const int64_t row = (n * r.time() + t) * r.units();
    if (d_sequence && k >= first) AddVector(d_sequence.data + row, r.units(), dh);
    if (r.Counts(n, t)) {
      step(t, PreviousState(r, n, t, first, sequence), dh);
    } else if (grad.dx) {
      std::fill_n(grad.dx.data + (n * r.time() + t) * r.features(), r.features(), T{0});
    }
  }
  if (grad.dh0) std::copy_n(dh, r.units(), grad.dh0.data + n * r.units());
}

/// dh of the last state: d_last, or zero.
template <typename T>
void StartBackward(const Recurrence<T>& r, int64_t n, TensorView<const T> d_last, T* dh) {
  if (d_last) {
    std::copy_n(d_last.data + n * r.units(), r.units(), dh);
  } else {
    std::fill_n(dh, r.units(), T{0});
  }
}

}  // namespace seqgraph::ops
