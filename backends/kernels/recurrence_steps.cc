#include <algorithm>
#include <cstdint>

#include "backends/kernels/recurrence_job.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/recurrence_steps.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/cells-inl.h"
#include "backends/kernels/recurrence-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

// Sums of the gates, from x·w + b in z.
template <class D>
void StateProducts(D d, const ForwardJob& job, const CellForward& s, const float* z,
                   float* product) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const CellLayout& layout = job.layout;
  const int64_t width = s.width, units = job.plan.sizes.units, part = layout.split * width;
  if (s.rows == 1) {
    RowProduct(d, {{s.before, units, job.u}}, part / kLanes, z, s.z);
  } else {
    Product(d, s.before, width, s.rows, units, job.u, part / kLanes, z, layout.inputs * width, s.z,
            layout.gates * width);
  }
  if (layout.split == layout.gates) return;
  GruBeforeForwardReset(d, s);
  Product(d, s.reset, width, s.rows, units, job.u_from(layout.split), width / kLanes, nullptr, 0,
          product, width);
}

// The products of a step in place: sums of x and states at once where nothing is in between.
template <class D>
void StepProducts(D d, const ForwardJob& job, const CellForward& s, const float* x, float* z,
                  float* product) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const RecurrenceSizes& sizes = job.plan.sizes;
  if (job.layout.gates != 3) {
    const RowTerm of_x = {x, sizes.features, job.w, sizes.features};
    const RowTerm of_h = {s.before, sizes.units, job.u, s.width};
    const int64_t vectors = job.layout.split * s.width / kLanes;
    if (s.rows == 1) return RowProduct(d, {of_x, of_h}, vectors, job.bias, s.z);
    return Product(d, {of_x, of_h}, s.rows, vectors, job.bias, 0, s.z, job.layout.gates * s.width);
  }
  InputProduct(d, job, x, s.rows, z);
  StateProducts(d, job, s, z, product);
}

void StepInPlace(const ForwardJob& job, const ForwardArea& area, const float* x, int64_t streams,
                 float* states, float* cells) {
  const CellForward s = StepOf(job, area, streams, states, cells);
  ByLanes(job.plan, [&](auto d) {
    StepProducts(d, job, s, x, area.z, area.product);
    ForwardFunction<decltype(d)>(job.plan.sizes)(d, s);
  });
}

template <class D>
using CellOf = void (*)(D, const CellForward&);

// x·w + b of rows that are projected already, [rows, inputs, width]: where it is, of a single row
// of a packed table.
template <class D>
const float* ProjectedRows(D d, const ForwardJob& job, int64_t first, int64_t rows, float* z) {
  const int64_t row = job.layout.inputs * job.plan.width, columns = job.plan.sizes.columns();
  const auto place = [&](int64_t r) SEQ_INLINE {
    return job.in.ids == nullptr ? first + r : int64_t{job.in.ids[first + r]};
  };
  if (job.table != nullptr && rows == 1) return job.table + place(0) * row;
  for (int64_t r = 0; r < rows; ++r) {
    if (job.table != nullptr) {
      std::copy_n(job.table + place(r) * row, row, z + r * row);
    } else {
      AddBias(d, job, job.in.x + place(r) * columns, z + r * row);
    }
  }
  return z;
}

// From the states of rows [first, first + s.rows), and their x, to the next ones.
template <class D>
HWY_INLINE void ComputeRows(D d, const ForwardJob& job, const ForwardArea& area, CellOf<D> cell,
                            int64_t first, const CellForward& s) {
  const RecurrenceSizes& sizes = job.plan.sizes;
  if (sizes.projected) {
    CellForward projected = s;
    projected.x = ProjectedRows(d, job, first, s.rows, area.z);
    StateProducts(d, job, projected, projected.x, area.product);
    cell(d, projected);
  } else {
    StepProducts(d, job, s, job.in.x + first * sizes.features, area.z, area.product);
    cell(d, s);
  }
}

// Rows [first, first + rows) of a recurrence whose time is 1, without dropout: what ForwardGroup
// does, to the same bits, without the order of rows and steps. A masked row keeps its states, and
// has no output.
template <class D>
void StepRows(D d, const ForwardJob& job, const ForwardArea& area, CellOf<D> cell, int64_t first,
              int64_t rows) {
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  float *const h = area.last, *const c = job.layout.has_cell ? area.last_cell : nullptr;
  for (int64_t r = 0; r < rows; ++r) {
    ReadState(d, job.plan, job.in.h0, first + r, h + r * width);
    if (c != nullptr) ReadState(d, job.plan, job.in.c0, first + r, c + r * width);
  }
  ComputeRows(d, job, area, cell, first, StepOf(job, area, rows, h, c));
  const auto write = [&](const float* from, int64_t r, float* states) SEQ_INLINE {
    if (states != nullptr) UnpadRow(d, from + r * width, units, states + (first + r) * units);
  };
  for (int64_t r = 0; r < rows; ++r) {
    const bool masked = job.in.mask != nullptr && job.in.mask[first + r] == 0;
    if (masked) {
      ReadState(d, job.plan, job.in.h0, first + r, h + r * width);
      if (c != nullptr) ReadState(d, job.plan, job.in.c0, first + r, c + r * width);
    }
    write(h, r, job.out.last);
    if (c != nullptr) write(c, r, job.out.last_cell);
    if (masked && job.out.sequence != nullptr) {
      std::fill_n(job.out.sequence + (first + r) * units, units, 0.0f);
    } else {
      write(h, r, job.out.sequence);
    }
  }
}

void StepInPlaces(const ForwardJob& job, const ForwardArea& area, const CellForward& s,
                  StepCell found) {
  PrepareArea(job, area);
  ByLanes(job.plan, [&](auto d) {
    using D = decltype(d);
    constexpr int64_t kLanes = hn::MaxLanes(D());
    ComputeRows(d, job, area, reinterpret_cast<CellOf<D>>(found), /*first=*/0, s);
    float* const sequence = job.out.sequence;
    if (sequence == nullptr || sequence == s.h) return;
    for (int64_t i = 0; i < s.rows * s.width; i += kLanes) {
      hn::Store(hn::Load(d, s.h + i), d, sequence + i);
    }
  });
}

StepCell FindStepCell(const ForwardJob& job) {
  StepCell cell = nullptr;
  ByLanes(job.plan, [&](auto d) {
    cell = reinterpret_cast<StepCell>(ForwardFunction<decltype(d)>(job.plan.sizes));
  });
  return cell;
}

void StepTask(const ForwardJob& job, const ForwardArea& area, int64_t task, StepCell found) {
  PrepareArea(job, area);
  const int64_t end = job.plan.first_group(task + 1, job.plan.forward_tasks);
  ByLanes(job.plan, [&](auto d) {
    using D = decltype(d);
    const auto cell = reinterpret_cast<CellOf<D>>(found);
    for (int64_t g = job.plan.first_group(task, job.plan.forward_tasks); g < end; ++g) {
      const int64_t first = job.plan.first_row(g);
      StepRows(d, job, area, cell, first, job.plan.first_row(g + 1) - first);
    }
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(StepTask);
void StepTask(const ForwardJob& job, const ForwardArea& area, int64_t task, StepCell cell) {
  HWY_DYNAMIC_DISPATCH(StepTask)(job, area, task, cell);
}

HWY_EXPORT(StepInPlaces);
void StepInPlaces(const ForwardJob& job, const ForwardArea& area, const CellForward& places,
                  StepCell cell) {
  HWY_DYNAMIC_DISPATCH(StepInPlaces)(job, area, places, cell);
}

HWY_EXPORT(FindStepCell);
StepCell FindStepCell(const ForwardJob& job) { return HWY_DYNAMIC_DISPATCH(FindStepCell)(job); }

HWY_EXPORT(StepInPlace);
void StepInPlace(const ForwardJob& job, const ForwardArea& area, const float* x, int64_t streams,
                 float* states, float* cells) {
  HWY_DYNAMIC_DISPATCH(StepInPlace)(job, area, x, streams, states, cells);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
