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

// The products of a step in place: sums of x and states at once where there is one row and nothing
// is in between.
template <class D>
void StepProducts(D d, const ForwardJob& job, const CellForward& s, const float* x, float* z,
                  float* product) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const RecurrenceSizes& sizes = job.plan.sizes;
  const CellLayout& layout = job.layout;
  const int64_t width = s.width, units = sizes.units, part = layout.split * width;
  if (s.rows == 1 && layout.gates != 3) {
    return RowProduct(d, {{x, sizes.features, job.w}, {s.before, units, job.u}}, part / kLanes,
                      job.bias, s.z);
  }
  InputProduct(d, job, x, s.rows, z);
  Product(d, s.before, width, s.rows, units, job.u, part / kLanes, z, layout.inputs * width, s.z,
          layout.gates * width);
  if (layout.split == layout.gates) return;
  GruBeforeForwardReset(d, s);
  Product(d, s.reset, width, s.rows, units, job.u_from(layout.split), width / kLanes, nullptr, 0,
          product, width);
}

void StepInPlace(const ForwardJob& job, const ForwardArea& area, const float* x, int64_t streams,
                 float* states, float* cells) {
  const CellForward s = {.sizes = &job.plan.sizes,
                         .rows = streams,
                         .width = job.plan.width,
                         .x = area.z,
                         .z = area.sums,
                         .product = area.product,
                         .before = states,
                         .c_before = cells,
                         .kept = nullptr,
                         .h = states,
                         .c = cells,
                         .reset = area.reset,
                         .peepholes = job.peepholes};
  ByLanes(job.plan, [&](auto d) {
    StepProducts(d, job, s, x, area.z, area.product);
    ForwardFunction<decltype(d)>(job.plan.sizes)(d, s);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(StepInPlace);
void StepInPlace(const ForwardJob& job, const ForwardArea& area, const float* x, int64_t streams,
                 float* states, float* cells) {
  HWY_DYNAMIC_DISPATCH(StepInPlace)(job, area, x, streams, states, cells);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
