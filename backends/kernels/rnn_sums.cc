#include <algorithm>
#include <cstdint>

#include "backends/kernels/rnn_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/rnn_sums.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/products-inl.h"
#include "backends/kernels/rnn_registers-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

void AddTeam(const RnnBackwardJob& job, int64_t team) {
  const RnnPlan& plan = job.plan;
  const int64_t begin = team * kRnnTeam, end = std::min(begin + kRnnTeam, plan.backward_tasks);
  // One after the other: steps from task to task would be taken by the hardware for a pattern,
  // which then fetches the sums that another thread is at work on.
  float* sums = job.area(begin).du;
  for (int64_t t = begin + 1; t < end; ++t) {
    AddRow(F8(), job.area(t).du, plan.sum_rows() * plan.width, sums);
  }
}

void AddTeams(const RnnBackwardJob& job, int64_t part, int64_t parts) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  // In the order in which their sums lie.
  const struct {
    float* to;
    int64_t rows;
  } gradients[] = {{job.out.du, sizes.units},
                   {job.out.db, 1},
                   {job.out.dw, sizes.features},
                   {plan.sums_table ? job.out.dtable : nullptr, sizes.rows}};
  const float* sums = job.area(0).du;
  const int64_t stride = kRnnTeam * job.area(0).floats;
  const int64_t first = part * plan.sum_rows() / parts, last = (part + 1) * plan.sum_rows() / parts;
  int64_t row = 0;  // of the sums, where the gradient begins
  for (const auto& gradient : gradients) {
    const int64_t end = std::min(last, row + gradient.rows);
    for (int64_t r = std::max(first, row); gradient.to != nullptr && r < end; ++r) {
      float* to = gradient.to + (r - row) * sizes.units;
      for (int64_t j = 0; j < sizes.units; j += kRegister) {
        const float* at = sums + r * plan.width + j;
        V8 sum = hn::Load(d, at);
        for (int64_t t = 1; t < plan.teams(); ++t) sum = hn::Add(sum, hn::Load(d, at + t * stride));
        StoreSome(d, sum, to + j, sizes.units - j);
      }
    }
    row += gradient.rows;
  }
}

void SumTableRows(const RnnBackwardJob& job, int64_t first, int64_t last) {
  const F8 d;
  const RnnSizes& sizes = job.plan.sizes;
  const int64_t units = sizes.units, tokens = sizes.batch * sizes.time;
  float* dtable = job.out.dtable;
  std::fill(dtable + first * units, dtable + last * units, 0.0f);
  for (int64_t i = 0; i < tokens; ++i) {
    const int64_t id = job.in.ids[i];
    if (id < first || id >= last) continue;
    const float* dz = job.dz_all + i * job.plan.width;
    float* row = dtable + id * units;
    for (int64_t j = 0; j < units; j += kRegister) {
      const V8 sum = hn::Add(LoadSome(d, row + j, units - j), hn::Load(d, dz + j));
      StoreSome(d, sum, row + j, units - j);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(AddTeam);
void AddTeam(const RnnBackwardJob& job, int64_t team) { HWY_DYNAMIC_DISPATCH(AddTeam)(job, team); }

HWY_EXPORT(AddTeams);
void AddTeams(const RnnBackwardJob& job, int64_t part, int64_t parts) {
  HWY_DYNAMIC_DISPATCH(AddTeams)(job, part, parts);
}

HWY_EXPORT(SumTableRows);
void SumTableRows(const RnnBackwardJob& job, int64_t first, int64_t last) {
  HWY_DYNAMIC_DISPATCH(SumTableRows)(job, first, last);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
