#include <algorithm>
#include <cstdint>
#include <utility>

#include "backends/kernels/recurrence_job.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/recurrence_backward.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/cells-inl.h"
#include "backends/kernels/recurrence-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

// One group, from the last step to the first.
template <class D>
class BackwardGroup {
 public:
  BackwardGroup(D d, const BackwardJob& job, const BackwardArea& area, int64_t g)
      : d_(d),
        job_(job),
        sizes_(job.plan.sizes),
        layout_(job.layout),
        area_(area),
        rows_(job.order.group(g)),
        trace_(job.trace(g)),
        width_(job.plan.width),
        dz_row_(DzStride(job.plan)),
        dx_(job.sums_rows_later()      ? job.dx_rows
            : job.plan.sizes.rows == 0 ? job.out.dx
                                       : nullptr),
        cell_(BackwardFunction<D>(sizes_)) {}

  void Run() {
    Start(job_.incoming.d_last, area_.dh);
    if (layout_.has_cell) Start(job_.incoming.d_last_cell, area_.dc);
    if (dx_ != nullptr && job_.order.masked()) ClearInputGradients();
    for (int64_t k1 = rows_.steps, k0; k1 > 0; k1 = k0) {
      k0 = (k1 - 1) / job_.plan.chunk * job_.plan.chunk;
      for (int64_t k = k1 - 1; k >= k0; --k) {
        StepBack(k, area_.dz + (rows_.offset[k] - rows_.offset[k0]) * dz_row_);
      }
      const int64_t rows = rows_.offset[k1] - rows_.offset[k0];
      if (job_.out.du != nullptr) AddStateProducts(k0, k1);
      if (job_.out.db != nullptr) {
        AddColumnSums(d_, {area_.dz, dz_row_, 0}, 1, rows, layout_.dz * width_, area_.db);
      }
      if (sizes_.projected) continue;
      if (dx_ != nullptr) WriteInputGradients(k0, k1);
      if (job_.out.dw != nullptr) {
        CopyInputs(d_, job_, rows_, k0, k1, area_.x);
        const int64_t row = layout_.gates * width_;
        AddTransposedProduct(d_, {area_.x, job_.plan.x_stride, 0}, {area_.dz, dz_row_, 0}, 1, rows,
                             sizes_.features, row, area_.dw, row);
      }
    }
    WriteStates(d_, job_.plan, rows_, area_.dh, job_.out.dh0);
    if (layout_.has_cell) WriteStates(d_, job_.plan, rows_, area_.dc, job_.out.dc0);
  }

 private:
  static constexpr int64_t kLanes = hn::MaxLanes(D());

  void Start(const float* states, float* to) {
    for (int64_t r = 0; r < rows_.count; ++r) {
      ReadState(d_, job_.plan, states, rows_.row[r], to + r * width_);
    }
  }

  // dh += d_sequence at step k and at the masked steps that follow, which repeat its output.
  void AddIncoming(int64_t k) {
    const int64_t units = sizes_.units;
    for (int64_t r = 0; r < rows_.active(k); ++r) {
      const int64_t row = rows_.row[r], end = job_.order.NextPosition(row, k, rows_.length[r]);
      for (int64_t p = job_.order.Position(row, k); p < end; ++p) {
        const float* from =
            job_.incoming.d_sequence + (row * sizes_.time + job_.order.Time(p)) * units;
        float* dh = area_.dh + r * width_;
        for (int64_t j = 0; j < units; j += kLanes) {
          hn::Store(hn::Add(hn::Load(d_, dh + j), LoadSome(d_, from + j, units - j)), d_, dh + j);
        }
      }
    }
  }

  // to = init + the gradients of gates [first, last) times uᵀ. Not in place: Product computes some
  // rows twice.
  void Back(std::pair<int, int> gates, int64_t rows, const float* dz, const float* init,
            float* to) {
    const auto [first, last] = gates;
    Product(d_, dz + (layout_.state_dz + first) * width_, dz_row_, rows, (last - first) * width_,
            job_.u_transposed + first * width_ * width_, width_ / kLanes, init, width_, to, width_);
  }

  // to += what a gate gives to its state through dropout, or the same without the sum.
  void BackThroughDropout(int gate, int64_t rows, const float* dz, bool add, float* to) {
    Back({gate, gate + 1}, rows, dz, nullptr, area_.scaled);
    TimesDropout(d_, job_, rows_, gate, area_.scaled, width_, rows, area_.scaled);
    for (int64_t i = 0; i < rows * width_; i += kLanes) {
      const auto term = hn::Load(d_, area_.scaled + i);
      hn::Store(add ? hn::Add(hn::Load(d_, to + i), term) : term, d_, to + i);
    }
  }

  void StepBack(int64_t k, float* dz) {
    const int64_t rows = rows_.active(k), first = rows_.offset[k];
    if (job_.incoming.d_sequence != nullptr) AddIncoming(k);
    const CellBackward s = {.sizes = &sizes_,
                            .rows = rows,
                            .width = width_,
                            .units = sizes_.units,
                            .kept = trace_.kept + first * layout_.kept * width_,
                            .before = trace_.before + first * width_,
                            .c_before = layout_.has_cell ? trace_.cells + first * width_ : nullptr,
                            .dz = dz,
                            .dz_row = dz_row_,
                            .dh = area_.dh,
                            .carry = area_.carry,
                            .dc = area_.dc,
                            .d_reset = area_.gate,
                            .peepholes = job_.peepholes,
                            .d_peepholes = area_.db + layout_.dz * width_};
    cell_(d_, s);
    const bool before_product = sizes_.cell == CellKind::kGruBefore;
    if (before_product) {
      if (sizes_.dropout) {
        BackThroughDropout(2, rows, dz, /*add=*/false, area_.gate);
      } else {
        Back({2, 3}, rows, dz, nullptr, area_.gate);
      }
      GruBeforeBackwardReset(d_, s);
    }
    if (sizes_.projected && dx_ != nullptr) WriteProjectedGradients(k, dz);
    if (sizes_.rows > 0 && dx_ == nullptr && job_.out.dx != nullptr) AddToTable(k, dz);
    if (k == 0 && job_.out.dh0 == nullptr) return;
    const int gates = before_product ? 2 : layout_.gates;
    const float* carry = layout_.gates == 3 ? area_.carry : nullptr;
    if (!sizes_.dropout) return Back({0, gates}, rows, dz, carry, area_.dh);
    if (carry != nullptr) {
      std::copy_n(carry, rows * width_, area_.dh);
    } else {
      std::fill_n(area_.dh, rows * width_, 0.0f);
    }
    for (int g = 0; g < gates; ++g) BackThroughDropout(g, rows, dz, /*add=*/true, area_.dh);
  }

  // du += sum of the states before the steps, times the gradients of the sums.
  void AddStateProducts(int64_t k0, int64_t k1) {
    const int64_t first = k0 == 0 && HasNoState(job_) ? rows_.offset[1] : rows_.offset[k0];
    const int64_t rows = rows_.offset[k1] - first, row = layout_.gates * width_;
    const float* dz = area_.dz + (first - rows_.offset[k0]) * dz_row_ + layout_.state_dz * width_;
    const auto add = [&](int from, int to, const RowBlocks& states) {
      AddTransposedProduct(d_, states, {dz + from * width_, dz_row_, 0}, 1, rows, sizes_.units,
                           (to - from) * width_, area_.du + from * width_, row);
    };
    const bool reset_before = sizes_.cell == CellKind::kGruBefore;
    const RowBlocks before = {trace_.before + first * width_, width_, 0};
    const int64_t kept = layout_.kept * width_;
    const RowBlocks reset = {trace_.kept + first * kept + 3 * width_, kept, 0};
    if (!sizes_.dropout) {
      const int from_before = reset_before ? 2 : layout_.gates;
      add(0, from_before, before);
      if (reset_before) add(2, 3, reset);
      return;
    }
    for (int g = 0; g < layout_.gates; ++g) {
      const RowBlocks& states = reset_before && g == 2 ? reset : before;
      for (int64_t k = k0; k < k1; ++k) {
        const int64_t at = rows_.offset[k] - first;
        if (at < 0) continue;
        TimesDropout(d_, job_, rows_, g, states.data + at * states.stride, states.stride,
                     rows_.active(k), area_.scaled + at * width_);
      }
      add(g, g + 1, {area_.scaled, width_, 0});
    }
  }

  // dx = dz·wᵀ.
  void WriteInputGradients(int64_t k0, int64_t k1) {
    const int64_t features = sizes_.features, stride = job_.plan.x_stride;
    const int64_t rows = rows_.offset[k1] - rows_.offset[k0];
    Product(d_, area_.dz, dz_row_, rows, layout_.gates * width_, job_.w_transposed, stride / kLanes,
            nullptr, 0, area_.dx, stride);
    ForRows(job_, rows_, k0, k1, [&](int64_t place, int64_t token) {
      UnpadRow(d_, area_.dx + place * stride, features, dx_ + token * features);
    });
  }

  // dx = dz where the input is projected.
  void WriteProjectedGradients(int64_t k, const float* dz) {
    const int64_t units = sizes_.units;
    for (int64_t r = 0; r < rows_.active(k); ++r) {
      float* dx = dx_ + job_.Token(rows_, r, k) * sizes_.columns();
      if (k > 0) {
        FetchAhead(dx_ + job_.Token(rows_, r, k - 1) * sizes_.columns(), sizes_.columns());
      }
      for (int i = 0; i < layout_.gates; ++i) {
        UnpadRow(d_, dz + r * dz_row_ + i * width_, units, dx + layout_.input_gate[i] * units);
      }
    }
  }

  // The same where it is looked up: the task's sums of the table's rows.
  void AddToTable(int64_t k, const float* dz) {
    const int64_t row = layout_.gates * width_;
    for (int64_t r = 0; r < rows_.active(k); ++r) {
      AddRow(d_, dz + r * dz_row_, row, area_.dw + job_.in.ids[job_.Token(rows_, r, k)] * row);
    }
  }

  // Masked steps keep zeros.
  void ClearInputGradients() {
    const int64_t floats = sizes_.time * (sizes_.projected ? sizes_.columns() : sizes_.features);
    for (int64_t r = 0; r < rows_.count; ++r) {
      if (rows_.length[r] < sizes_.time) {
        std::fill_n(dx_ + rows_.row[r] * floats, floats, 0.0f);
      }
    }
  }

  const D d_;
  const BackwardJob& job_;
  const RecurrenceSizes& sizes_;
  const CellLayout& layout_;
  const BackwardArea& area_;
  const GroupRows rows_;
  const GroupTrace trace_;
  const int64_t width_, dz_row_;
  float* const dx_;  // of all tokens; null: not wanted, or summed by rows of a table at once
  void (*const cell_)(D, const CellBackward&);
};

void PackBackward(const BackwardJob& job) {
  ByLanes(job.plan, [&job](auto d) {
    const RecurrenceSizes& sizes = job.plan.sizes;
    const int64_t units = sizes.units, width = job.plan.width;
    static constexpr int kInOrder[] = {0, 1, 2, 3};
    PackPeepholes(d, job);
    // As StepBack multiplies them: all gates at once, where nothing stands between.
    const bool at_once = !sizes.dropout && sizes.cell != CellKind::kGruBefore;
    for (int i = 0; i < (at_once ? 1 : job.parts()); ++i) {
      const auto [first, last] = at_once ? std::pair(0, job.layout.gates) : job.part(i);
      PackGatesTransposed(d, job.in.u, sizes.columns(), units, kInOrder + first, last - first,
                          units, width, job.u_transposed + first * width * width);
    }
    if (sizes.projected || job.out.dx == nullptr) return;
    PackGatesTransposed(d, job.in.w, sizes.columns(), sizes.features, job.layout.input_gate,
                        job.layout.gates, units, width, job.w_transposed);
  });
}

void BackwardTask(const BackwardJob& job, int64_t task) {
  const BackwardArea area = job.area(task);
  std::fill(area.du, area.db + (job.layout.dz + job.layout.peepholes) * job.plan.width, 0.0f);
  const int64_t end = job.plan.first_group(task + 1, job.plan.backward_tasks);
  for (int64_t g = job.plan.first_group(task, job.plan.backward_tasks); g < end; ++g) {
    if (job.anew) TraceGroup(job, job.forward_area(task), g, job.incoming.sequence);
    ByLanes(job.plan, [&](auto d) { BackwardGroup<decltype(d)>(d, job, area, g).Run(); });
  }
}

// to[0, units) = the sums of all tasks, in their order, at sums[task] + at.
template <class D>
void AddSums(D d, const float* const* sums, int64_t tasks, int64_t at, int64_t units, float* to) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < units; j += kLanes) {
    auto sum = hn::Load(d, sums[0] + at + j);
    for (int64_t t = 1; t < tasks; ++t) sum = hn::Add(sum, hn::Load(d, sums[t] + at + j));
    StoreSome(d, sum, to + j, units - j);
  }
}

void AddTasks(const BackwardJob& job, int64_t part, int64_t parts) {
  ByLanes(job.plan, [&](auto d) {
    const RecurrencePlan& plan = job.plan;
    const RecurrenceSizes& sizes = plan.sizes;
    const CellLayout& layout = job.layout;
    const int64_t tasks = plan.backward_tasks, units = sizes.units, width = plan.width;
    const float* sums[kMaxRecurrenceTasks];
    for (int64_t t = 0; t < tasks; ++t) sums[t] = job.area(t).du;
    const int64_t row_floats = layout.gates * width;
    const int64_t first = part * job.sum_rows() / parts, last = (part + 1) * job.sum_rows() / parts;
    for (int64_t r = first; r < last; ++r) {
      const bool of_u = r < units;
      float* to = of_u ? job.out.du : sizes.rows > 0 ? job.out.dx : job.out.dw;
      if (to == nullptr) continue;
      to += (of_u ? r : r - units) * sizes.columns();
      for (int i = 0; i < layout.gates; ++i) {
        const int gate = of_u ? i : layout.input_gate[i];
        AddSums(d, sums, tasks, r * row_floats + i * width, units, to + gate * units);
      }
    }
    if (part != 0 || job.out.db == nullptr) return;
    const int64_t db = job.sum_rows() * row_floats;
    for (int i = 0; i < layout.gates; ++i) {
      AddSums(d, sums, tasks, db + i * width, units, job.out.db + layout.input_gate[i] * units);
    }
    for (int i = 0; i < layout.peepholes; ++i) {
      AddSums(d, sums, tasks, db + (layout.dz + i) * width, units,
              job.out.db + sizes.columns() + i * units);
    }
    if (sizes.cell != CellKind::kGruAfter) return;
    for (int i = 0; i < layout.gates; ++i) {  // b'
      AddSums(d, sums, tasks, db + (layout.state_dz + i) * width, units,
              job.out.db + sizes.columns() + i * units);
    }
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(PackBackward);
void PackBackward(const BackwardJob& job) { HWY_DYNAMIC_DISPATCH(PackBackward)(job); }

HWY_EXPORT(BackwardTask);
void BackwardTask(const BackwardJob& job, int64_t task) {
  HWY_DYNAMIC_DISPATCH(BackwardTask)(job, task);
}

HWY_EXPORT(AddTasks);
void AddTasks(const BackwardJob& job, int64_t part, int64_t parts) {
  HWY_DYNAMIC_DISPATCH(AddTasks)(job, part, parts);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
