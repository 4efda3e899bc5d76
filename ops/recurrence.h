#ifndef SEQGRAPH_OPS_RECURRENCE_H_
#define SEQGRAPH_OPS_RECURRENCE_H_

// One step of a simple recurrence and of its gradients, row by row: what the reference computations
// of RNNCell and RNNCellGrad are made of.

#include <algorithm>
#include <cstdint>

#include "graph/op_def.h"
#include "graph/tensor.h"
#include "ops/activation_math.h"
#include "ops/matrix_loops.h"

namespace seqgraph::ops {

/// The inputs of RNNCell, and after them those that only RNNCellGrad has.
enum RecurrenceInput { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };

/// The operands that both computations read, row-major.
template <typename T>
struct Recurrence {
  explicit Recurrence(const ReferenceContext& c)
      : x(c.input<T>(kX)),
        w(c.input<T>(kW)),
        u(c.input<T>(kU)),
        b(c.input<T>(kB)),
        h0(c.input<T>(kH0)),
        activation(ParseActivation(c.attributes().GetString("activation"))) {}

  int64_t batch() const { return x.dim(0); }
  int64_t time() const { return x.dim(1); }
  int64_t features() const { return x.dim(2); }
  int64_t units() const { return u.dim(0); }
  const T* x_row(int64_t n, int64_t t) const { return x.data + (n * time() + t) * features(); }
  // Null if there is no initial state, which is then zero.
  const T* h0_row(int64_t n) const { return h0 ? h0.data + n * units() : nullptr; }

  TensorView<const T> x, w, u, b, h0;
  Activation activation;
};

/// z = x_t·w + h·u + b for row n of the batch; h is null for zeros.
template <typename T>
void PreActivation(const Recurrence<T>& r, int64_t n, int64_t t, const T* h, T* z) {
  const int64_t units = r.units();
  if (r.w) {
    std::fill_n(z, units, T{0});
    AddVectorTimesMatrix(r.x_row(n, t), r.w.data, r.features(), units, z);
  } else {
    std::copy_n(r.x_row(n, t), units, z);
  }
  if (h != nullptr) AddVectorTimesMatrix(h, r.u.data, units, units, z);
  if (r.b) AddVector(r.b.data, units, z);
}

/// The gradients of the operands; the sums start at zero.
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

/// What dz, the gradient of z_t in row n of the batch, adds to the gradients of the operands;
/// `previous` is h_{t-1}, null for zeros.
template <typename T>
void AddStep(const Recurrence<T>& r, int64_t n, int64_t t, const T* previous, const T* dz,
             const RecurrenceGradients<T>& grad) {
  const int64_t units = r.units(), features = r.features();
  if (grad.dx) {
    T* dx_row = grad.dx.data + (n * r.time() + t) * features;
    if (r.w) {
      MatrixTimesVector(r.w.data, dz, features, units, dx_row);
    } else {
      std::copy_n(dz, units, dx_row);
    }
  }
  if (grad.dw && r.w) AddOuterProduct(r.x_row(n, t), dz, features, units, grad.dw.data);
  if (grad.du && previous != nullptr) AddOuterProduct(previous, dz, units, units, grad.du.data);
  if (grad.db) AddVector(dz, units, grad.db.data);
}

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_RECURRENCE_H_
