// What the passes of a recurrence have in common: dispatch, packing, the rows of its steps.

#if defined(SEQGRAPH_BACKENDS_KERNELS_RECURRENCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_RECURRENCE_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_RECURRENCE_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_RECURRENCE_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "backends/kernels/packing-inl.h"
#include "backends/kernels/products-inl.h"
#include "backends/kernels/recurrence_job.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FN = hn::ScalableTag<float>;
using FSmall = hn::CappedTag<float, 8>;  // where a whole vector would be half empty

/// f(tag of the vectors in use).
template <class F>
HWY_INLINE void ByLanes(const RecurrencePlan& plan, F&& f) {
  if constexpr (hn::MaxLanes(FN()) != hn::MaxLanes(FSmall())) {
    if (plan.lanes == static_cast<int64_t>(hn::MaxLanes(FSmall()))) return f(FSmall());
  }
  f(FN());
}

/// A row of units, padded; zeros where there is none.
template <class D>
HWY_INLINE void ReadRow(D d, const float* from, int64_t units, int64_t width, float* to) {
  if (from == nullptr) return (void)std::fill_n(to, width, 0.0f);
  PadRow(d, from, units, width, to);
}

/// Packs the transpose of from[outputs, gates units]: rows are those of PackGates' columns, the
/// gates in the order of `gate`.
template <class D>
void PackGatesTransposed(D d, const float* from, int64_t stride, int64_t outputs, const int* gate,
                         int64_t gates, int64_t units, int64_t width, float* packed) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const int64_t padded = (outputs + kLanes - 1) / kLanes * kLanes;
  for (int64_t j = 0; j < padded; j += 2 * kLanes) {
    const int64_t wide = std::min(2 * kLanes, padded - j), used = std::min(wide, outputs - j);
    for (int64_t g = 0; g < gates; ++g) {
      PackTransposed(from + j * stride + gate[g] * units, stride, used, units, wide, packed);
      std::fill_n(packed + units * wide, (width - units) * wide, 0.0f);
      packed += width * wide;
    }
  }
  (void)d;
}

/// The weights behind those of b, padded.
template <class D>
void PackPeepholes(D d, const RecurrenceJob& job) {
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  for (int i = 0; i < job.layout.peepholes; ++i) {
    const float* b =
        job.in.b == nullptr ? nullptr : job.in.b + job.plan.sizes.columns() + i * units;
    ReadRow(d, b, units, width, job.peepholes + i * width);
  }
}

/// Whether the definition of the gradient has no product with a state before the first step: zero
/// times infinity would be NaN. A GRU's has zeros for it.
inline bool HasNoState(const RecurrenceJob& job) {
  return job.in.h0 == nullptr && job.layout.gates != 3;
}

/// z [rows, inputs, width] = x·w + b, but for b'_n, which is there. Rows of x are a stride apart,
/// or dense.
template <class D>
void InputProduct(D d, const RecurrenceJob& job, const float* x, int64_t rows, float* z,
                  int64_t x_stride = 0) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const CellLayout& layout = job.layout;
  const int64_t features = job.plan.sizes.features, width = job.plan.width;
  const int64_t row = layout.inputs * width;
  if (x_stride == 0) x_stride = features;
  const bool has_gap = layout.inputs > layout.gates;  // b'_n before the candidate
  const int64_t first = (has_gap ? 2 : layout.gates) * width;
  Product(d, x, x_stride, rows, features, job.w, first / kLanes, job.bias, 0, z, row);
  if (!has_gap) return;
  Product(d, x, x_stride, rows, features, job.w.From(first / kLanes, features, kLanes),
          width / kLanes, job.bias + 3 * width, 0, z + 3 * width, row);
}

/// z [inputs, width] = x + b, but for b'_n, which is there.
template <class D>
HWY_INLINE void AddBias(D d, const RecurrenceJob& job, const float* x, float* z) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  for (int g = 0; g < job.layout.gates; ++g) {
    const int64_t column = InputColumn(job.layout, g) * width;
    for (int64_t j = 0; j < width; j += kLanes) {
      const auto sum =
          hn::Add(LoadSome(d, x + g * units + j, units - j), hn::Load(d, job.bias + column + j));
      hn::Store(sum, d, z + column + j);
    }
  }
}

/// The state of that row of the batch, padded; zeros where there are no states.
template <class D>
HWY_INLINE void ReadState(D d, const RecurrencePlan& plan, const float* states, int64_t row,
                          float* to) {
  const int64_t units = plan.sizes.units;
  ReadRow(d, states == nullptr ? nullptr : states + row * units, units, plan.width, to);
}

/// A group's states to those of the batch, unless these are null.
template <class D>
void WriteStates(D d, const RecurrencePlan& plan, const GroupRows& rows, const float* from,
                 float* states) {
  for (int64_t r = 0; states != nullptr && r < rows.count; ++r) {
    UnpadRow(d, from + r * plan.width, plan.sizes.units, states + rows.row[r] * plan.sizes.units);
  }
}

/// f(place among the rows of steps [k0, k1), index of the row in [batch, time]) for all of them,
/// step by step.
template <class F>
HWY_INLINE void ForRows(const RecurrenceJob& job, const GroupRows& rows, int64_t k0, int64_t k1,
                        F&& f) {
  for (int64_t k = k0; k < k1; ++k) {
    const int64_t first = rows.offset[k] - rows.offset[k0], count = rows.active(k);
    for (int64_t r = 0; r < count; ++r) f(first + r, job.Token(rows, r, k));
  }
}

/// The rows of x of steps [k0, k1), one behind the other, padded.
template <class D>
void CopyInputs(D d, const RecurrenceJob& job, const GroupRows& rows, int64_t k0, int64_t k1,
                float* to) {
  const int64_t features = job.plan.sizes.features, stride = job.plan.x_stride;
  ForRows(job, rows, k0, k1, [&](int64_t place, int64_t token) SEQ_INLINE {
    PadRow(d, job.in.x + token * features, features, stride, to + place * stride);
  });
}

/// to[count, width] = states, rows a stride apart, times the factors of dropout for that gate.
template <class D>
void TimesDropout(D d, const RecurrenceJob& job, const GroupRows& rows, int gate,
                  const float* states, int64_t stride, int64_t count, float* to) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  for (int64_t r = 0; r < count; ++r) {
    const float* factors = job.in.dropout + rows.row[r] * job.plan.sizes.columns() + gate * units;
    for (int64_t j = 0; j < width; j += kLanes) {
      const auto factor = LoadSome(d, factors + j, units - j);
      hn::Store(hn::Mul(hn::Load(d, states + r * stride + j), factor), d, to + r * width + j);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_RECURRENCE_INL_H_
