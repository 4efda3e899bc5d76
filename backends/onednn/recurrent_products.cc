#include "backends/onednn/recurrent_products.h"

#include <algorithm>
#include <cmath>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/reduction_loops.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {

StepRows::StepRows(const RecurrenceConfig& config, const RecurrenceInputs& in, int64_t* first)
    : c_(config), mask_(in.mask), has_h0_(in.h0 != nullptr || config.gates() == 3), first_(first) {
  for (int64_t b = 0; b < c_.batch && c_.masked; ++b) {
    int64_t k = 0;
    while (k < c_.time && !Counts(b, Place(k))) ++k;
    first_[b] = k;
  }
}

RecurrentProducts::RecurrentProducts(const RecurrenceConfig& config, const RecurrenceInputs& in,
                                     const StepRows& rows, bool anew, float* gate_scratch,
                                     float* scaled_scratch)
    : c_(config),
      in_(in),
      rows_(rows),
      anew_(anew),
      gate_(gate_scratch),
      scaled_(scaled_scratch),
      factors_are_finite_(
          IsFinite(in.u, config.columns()) &&
          (in.dropout == nullptr ||
           std::isfinite(kernels::MaxAbsLoop(in.dropout, config.batch * config.columns())))) {}

const float* RecurrentProducts::Scaled(const float* h, int64_t steps, int gate) const {
  const int64_t units = c_.units;
  for (int64_t row = 0; row < steps * c_.batch; ++row) {
    kernels::MultiplyLoop(h + row * units,
                          in_.dropout + row % c_.batch * c_.columns() + gate * units, units,
                          scaled_ + row * units);
  }
  return scaled_;
}

// As Product, for one step; where u or dropout is not finite, without the rows that `skip` names.
template <typename Skip>
absl::Status RecurrentProducts::StepProduct(int64_t inner, int64_t cols, Matrix a, Matrix b,
                                            bool add, float* c, int64_t stride, Skip skip) const {
  if (factors_are_finite_) return Product(c_.batch, inner, cols, a, b, add, c, stride);
  for (int64_t row = 0; row < c_.batch; ++row) {
    float* to = c + row * stride;
    if (skip(row)) {
      if (!add) std::fill_n(to, cols, 0.0f);
      continue;
    }
    SEQ_RETURN_IF_ERROR(
        Product(1, inner, cols, {a.data + row * a.stride, a.stride}, b, add, to, stride));
  }
  return absl::OkStatus();
}

absl::Status RecurrentProducts::Add(int64_t t, const float* h, int first, int last, bool add,
                                    float* z, int64_t stride) const {
  const int64_t units = c_.units;
  const auto skip = [&](int64_t row) { return anew_ && !rows_.HasBefore(row, t); };
  if (in_.dropout == nullptr) {
    return StepProduct(units, (last - first) * units, {h, units},
                       {in_.u + first * units, c_.columns()}, add, z, stride, skip);
  }
  for (int g = first; g < last; ++g) {
    SEQ_RETURN_IF_ERROR(StepProduct(units, units, {Scaled(h, 1, g), units},
                                    {in_.u + g * units, c_.columns()}, add, z + (g - first) * units,
                                    stride, skip));
  }
  return absl::OkStatus();
}

absl::Status RecurrentProducts::AddBack(int64_t t, const float* dz, int64_t stride, int first,
                                        int last, float* dh) const {
  const int64_t units = c_.units;
  const auto skip = [&](int64_t row) { return !rows_.Counts(row, t); };
  if (in_.dropout == nullptr) {
    return StepProduct((last - first) * units, units, {dz, stride},
                       {in_.u + first * units, c_.columns(), true}, /*add=*/true, dh, units, skip);
  }
  for (int g = first; g < last; ++g) {
    SEQ_RETURN_IF_ERROR(StepProduct(units, units, {dz + (g - first) * units, stride},
                                    {in_.u + g * units, c_.columns(), true}, /*add=*/false, gate_,
                                    units, skip));
    const float* d = Scaled(gate_, 1, g);
    for (int64_t row = 0; row < c_.batch; ++row) {
      float* to = dh + row * units;
      if (!skip(row)) kernels::AddLoop(to, d + row * units, units, to);
    }
  }
  return absl::OkStatus();
}

absl::Status RecurrentProducts::Weights(const float* h, const float* dz, int64_t stride, int first,
                                        int last, float* du) const {
  const int64_t units = c_.units, rows = c_.time * c_.batch;
  const int step = in_.dropout == nullptr ? last - first : 1;
  for (int g = first; g < last; g += step) {
    const Matrix a{in_.dropout == nullptr ? h : Scaled(h, c_.time, g), units, true};
    const Matrix b{dz + (g - first) * units, stride};
    const int64_t cols = step * units;
    float* to = du + g * units;
    SEQ_RETURN_IF_ERROR(Product(units, rows, cols, a, b, /*add=*/false, to, c_.columns()));
    if (IsFinite(to, cols)) continue;
    // Once more, without the rows that have no state before them or no step.
    for (int64_t i = 0; i < units; ++i) std::fill_n(to + i * c_.columns(), cols, 0.0f);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t t = row / c_.batch, n = row % c_.batch;
      if (!rows_.Counts(n, t) || !rows_.HasBefore(n, t)) continue;
      SEQ_RETURN_IF_ERROR(Product(units, 1, cols, {a.data + row * units, units, true},
                                  {b.data + row * stride, stride}, /*add=*/true, to, c_.columns()));
    }
  }
  return absl::OkStatus();
}

// Of the columns [0, cols) of a matrix like u.
bool RecurrentProducts::IsFinite(const float* u, int64_t cols) const {
  for (int64_t i = 0; i < c_.units; ++i) {
    if (!std::isfinite(kernels::MaxAbsLoop(u + i * c_.columns(), cols))) return false;
  }
  return true;
}

}  // namespace seqgraph::onednn
