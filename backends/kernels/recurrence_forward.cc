#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "backends/kernels/recurrence_job.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/recurrence_forward.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/cells-inl.h"
#include "backends/kernels/recurrence-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

// One group, from the first step to the last.
template <class D>
class ForwardGroup {
 public:
  ForwardGroup(D d, const RecurrenceJob& job, const ForwardArea& area, int64_t g)
      : d_(d),
        job_(job),
        sizes_(job.plan.sizes),
        layout_(job.layout),
        area_(area),
        rows_(job.order.group(g)),
        whole_(job.traces != nullptr),
        trace_(whole_ ? job.trace(g) : GroupTrace(job.plan, false, Pieces(area.trace))),
        width_(job.plan.width),
        row_(layout_.gates * width_),
        x_row_(layout_.inputs * width_),
        cell_(ForwardFunction<D>(sizes_)),
        step_({.sizes = &sizes_,
               .width = width_,
               .z = area.sums,
               .product = area.product,
               .reset = area.reset,
               .peepholes = job.peepholes}),
        parts_(job.parts()),
        fused_(FusesInput()) {
    for (int i = 0; i < parts_; ++i) u_[i] = job.u_from(job.part(i).first);
  }

  void Run(const RecurrenceOutputs& out) {
    Start();
    ForSteps([&](int64_t k) {
      Step(k, Before(k + 1), area_.last);
      if (out.sequence != nullptr) WriteStep(k, out.sequence);
    });
    if (out.sequence != nullptr && job_.order.masked()) ClearBeforeFirstStep(out.sequence);
    WriteStates(d_, job_.plan, rows_, area_.last, out.last);
    if (layout_.has_cell) WriteStates(d_, job_.plan, rows_, area_.last_cell, out.last_cell);
  }

  // What Backward needs, from states that are known. A simple cell with plain functions keeps these
  // alone.
  void Trace(const float* sequence) {
    tracing_ = true;
    Start();
    const bool simple = sizes_.cell == CellKind::kSimple && sizes_.functions.plain();
    for (int64_t r = 0; r < rows_.count; ++r) {
      const float* states = sequence + rows_.row[r] * sizes_.time * sizes_.units;
      const auto copy = [&](int64_t position, float* to) {
        PadRow(d_, states + job_.order.Time(position) * sizes_.units, sizes_.units, width_, to);
      };
      for (int64_t k = 0; k < rows_.length[r]; ++k) {
        const int64_t position = job_.order.Position(rows_.row[r], k);
        if (k > 0) copy(job_.order.Position(rows_.row[r], k - 1), Before(k) + r * width_);
        if (simple) copy(position, trace_.kept + (Place(k) + r) * width_);
      }
    }
    if (simple) return;
    ForSteps([&](int64_t k) { Step(k, area_.unused, area_.unused); });
  }

 private:
  // Whether x·w is added up with h·u, in registers: worth it while it is short, and where rows of w
  // are read for several samples. A GRU needs the candidate's terms apart.
  bool FusesInput() const {
    constexpr int64_t kShort = 32;
    return !sizes_.projected && layout_.gates != 3 && parts_ == 1 && rows_.count > 1 &&
           sizes_.features <= kShort;
  }

  int64_t Place(int64_t k) const { return whole_ ? rows_.offset[k] : (k & 1) * rows_.count; }
  float* Before(int64_t k) const { return trace_.before + Place(k) * width_; }
  float* CellsBefore(int64_t k) const {
    return layout_.has_cell ? trace_.cells + Place(k) * width_ : nullptr;
  }

  // step(k) for all steps, with x·w of a chunk of them computed before. What is projected already,
  // or what a step multiplies itself, is read step by step: so it stays in the first-level cache.
  template <class F>
  void ForSteps(F&& step) {
    const int64_t chunk = sizes_.projected || fused_ ? 1 : job_.plan.chunk;
    for (int64_t k0 = 0; k0 < rows_.steps; k0 += chunk) {
      const int64_t k1 = std::min(k0 + chunk, rows_.steps);
      x_ = area_.z;
      if (sizes_.projected) {
        x_ = ReadProjected(k0);
      } else {
        CopyInputs(d_, job_, rows_, k0, k1, area_.x);
        const int64_t rows = rows_.offset[k1] - rows_.offset[k0];
        if (fused_) {
          x_ = area_.x;
        } else {
          InputProduct(d_, job_, area_.x, rows, area_.z, job_.plan.x_stride);
        }
      }
      for (int64_t k = k0; k < k1; ++k) {
        step(k);
        x_ += rows_.active(k) * x_row_;
      }
    }
  }

  // Initial states of the rows that have steps; of the others they are the last ones.
  void Start() {
    StartRows(job_.in.h0, Before(0), area_.last);
    if (layout_.has_cell) StartRows(job_.in.c0, CellsBefore(0), area_.last_cell);
  }

  void StartRows(const float* from, float* before, float* last) {
    for (int64_t r = 0; r < rows_.count; ++r) {
      float* to = (rows_.length[r] > 0 ? before : last) + r * width_;
      ReadState(d_, job_.plan, from, rows_.row[r], to);
    }
  }

  // z = x + b for step k; where it is. A single row of a packed table is it already.
  const float* ReadProjected(int64_t k) {
    const int64_t rows = rows_.active(k), columns = sizes_.columns();
    const auto row_of = [&](int64_t r, int64_t k) SEQ_INLINE {
      const int64_t token = job_.Token(rows_, r, k);
      return job_.in.ids == nullptr ? token : job_.in.ids[token];
    };
    const float* const from = job_.table != nullptr ? job_.table : job_.in.x;
    const int64_t floats = job_.table != nullptr ? x_row_ : columns;
    if (job_.table != nullptr && rows == 1) return from + row_of(0, k) * floats;
    for (int64_t r = 0; r < rows; ++r) {
      const float* x = from + row_of(r, k) * floats;
      if (k + 1 < rows_.length[r]) FetchAhead(from + row_of(r, k + 1) * floats, floats);
      float* z = area_.z + r * x_row_;
      if (job_.table != nullptr) {
        for (int64_t j = 0; j < x_row_; j += hn::MaxLanes(D())) {
          hn::Store(hn::Load(d_, x + j), d_, z + j);
        }
      } else {
        AddBias(d_, job_, x, z);
      }
    }
    return area_.z;
  }

  // Sums of the gates of that part from x·w + b and a state; a candidate that waits for r h gets a
  // product of its own.
  void AddProduct(int64_t k, int part, int64_t rows, const float* state) {
    constexpr int64_t kLanes = hn::MaxLanes(D());
    const auto [first, last] = job_.part(part);
    if (sizes_.dropout) {
      TimesDropout(d_, job_, rows_, first, state, width_, rows, area_.scaled);
      state = area_.scaled;
    }
    const PackedMatrix& u = u_[part];
    const int64_t vectors = (last - first) * width_ / kLanes, at = first * width_;
    if (fused_) return AddBothProducts(k, rows, state, vectors);
    if (tracing_ && k == 0 && HasNoState(job_)) {
      for (int64_t r = 0; r < rows; ++r) {
        std::copy_n(x_ + r * x_row_ + at, (last - first) * width_, area_.sums + r * row_ + at);
      }
    } else if (first >= layout_.split) {
      Product(d_, state, width_, rows, sizes_.units, u, vectors, nullptr, 0, area_.product, width_);
    } else if (rows == 1) {
      from_end_ = !from_end_;
      RowProduct(d_, {{state, sizes_.units, u}}, vectors, x_ + at, area_.sums + at, from_end_);
    } else {
      Product(d_, state, width_, rows, sizes_.units, u, vectors, x_ + at, x_row_, area_.sums + at,
              row_);
    }
  }

  // Sums of all gates from the inputs themselves.
  void AddBothProducts(int64_t k, int64_t rows, const float* state, int64_t vectors) {
    const RowTerm x = {x_, sizes_.features, job_.w, job_.plan.x_stride};
    const RowTerm h = {state, sizes_.units, u_[0], width_};
    if (tracing_ && k == 0 && HasNoState(job_)) {
      Product(d_, {x}, rows, vectors, job_.bias, 0, area_.sums, row_);
    } else {
      Product(d_, {x, h}, rows, vectors, job_.bias, 0, area_.sums, row_);
    }
  }

  // Step k: states of rows that go on to `next`, those of rows that end here to `last`.
  void Step(int64_t k, float* next, float* last) {
    const int64_t rows = rows_.active(k), going_on = rows_.active(k + 1);
    const float* before = Before(k);
    step_.rows = rows;
    step_.x = x_;
    step_.before = before;
    step_.c_before = CellsBefore(k);
    step_.kept = whole_ ? trace_.kept + Place(k) * layout_.kept * width_ : nullptr;
    for (int i = 0; i < parts_; ++i) {
      const bool of_reset = i > 0 && job_.part(i).first >= layout_.split;
      if (of_reset) GruBeforeForwardReset(d_, step_);
      AddProduct(k, i, rows, of_reset ? area_.reset : before);
    }
    step_.rows = going_on;
    step_.h = next;
    step_.c = CellsBefore(k + 1);
    if (going_on > 0) cell_(d_, step_);
    if (going_on < rows) EndRows(going_on, rows, last);
  }

  // The same step of rows [first, end), whose last one it is.
  void EndRows(int64_t first, int64_t end, float* last) {
    CellForward s = step_;
    const int64_t skipped = first * width_;
    s.rows = end - first;
    s.x += skipped * layout_.inputs;
    s.z += skipped * layout_.gates;
    s.product += skipped;
    s.before += skipped;
    if (layout_.has_cell) s.c_before += skipped;
    if (s.kept != nullptr) s.kept += skipped * layout_.kept;
    s.h = last + skipped;
    s.c = area_.last_cell + skipped;
    cell_(d_, s);
  }

  // The states after step k, also to the masked steps that follow.
  void WriteStep(int64_t k, float* sequence) {
    const int64_t going_on = rows_.active(k + 1), units = sizes_.units;
    for (int64_t r = 0; r < rows_.active(k); ++r) {
      const float* h = (r < going_on ? Before(k + 1) : area_.last) + r * width_;
      const int64_t row = rows_.row[r], end = job_.order.NextPosition(row, k, rows_.length[r]);
      for (int64_t p = job_.order.Position(row, k); p < end; ++p) {
        UnpadRow(d_, h, units, sequence + (row * sizes_.time + job_.order.Time(p)) * units);
      }
    }
  }

  void ClearBeforeFirstStep(float* sequence) {
    for (int64_t r = 0; r < rows_.count; ++r) {
      const int64_t row = rows_.row[r];
      const int64_t end = rows_.length[r] > 0 ? job_.order.Position(row, 0) : sizes_.time;
      for (int64_t p = 0; p < end; ++p) {
        std::fill_n(sequence + (row * sizes_.time + job_.order.Time(p)) * sizes_.units,
                    sizes_.units, 0.0f);
      }
    }
  }

  const D d_;
  const RecurrenceJob& job_;
  const RecurrenceSizes& sizes_;
  const CellLayout& layout_;
  const ForwardArea& area_;
  const GroupRows rows_;
  const bool whole_;  // whether all steps are kept
  const GroupTrace trace_;
  const int64_t width_, row_, x_row_;
  void (*const cell_)(D, const CellForward&);
  CellForward step_;
  const int parts_;
  const bool fused_;
  PackedMatrix u_[4];  // of each part
  bool from_end_ = false, tracing_ = false;
  const float* x_ = nullptr;  // of the step: x·w + b, or x if that is fused
};

int64_t FloatsInVector(int64_t units) {
  return units <= 8 ? hn::MaxLanes(FSmall()) : hn::MaxLanes(FN());
}

template <class D>
void PackBias(D d, const RecurrenceJob& job) {
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  const float* b = job.in.b;
  std::fill_n(job.bias, job.layout.inputs * width, 0.0f);
  if (b == nullptr) return;
  for (int g = 0; g < job.layout.gates; ++g) {
    PadRow(d, b + g * units, units, width, job.bias + InputColumn(job.layout, g) * width);
  }
  if (job.plan.sizes.cell != CellKind::kGruAfter) return;
  b += job.plan.sizes.columns();  // b'
  PadRow(d, b + 2 * units, units, width, job.bias + 2 * width);
  for (int g = 0; g < 2; ++g) {
    for (int64_t j = 0; j < units; ++j) job.bias[g * width + j] += b[g * units + j];
  }
}

void PackForward(const RecurrenceJob& job) {
  ByLanes(job.plan, [&job](auto d) {
    const RecurrencePlan& plan = job.plan;
    const RecurrenceSizes& sizes = plan.sizes;
    const int64_t units = sizes.units, columns = sizes.columns(), width = plan.width;
    for (int i = 0; i < job.parts(); ++i) {
      const auto [first, last] = job.part(i);
      PackGates(d, job.in.u + first * units, columns, units, last - first, units, width,
                job.u_from(first));
    }
    const int gates = job.layout.gates;
    if (!sizes.projected) {
      // As InputProduct multiplies them.
      const int first = job.layout.inputs > gates ? 2 : gates;
      PackGates(d, job.in.w, columns, sizes.features, first, units, width, job.w);
      PackGates(d, job.in.w + first * units, columns, sizes.features, gates - first, units, width,
                job.w.From(first * width / plan.lanes, sizes.features, plan.lanes));
    }
    PackBias(d, job);
    PackPeepholes(d, job);
    if (!plan.packs_table) return;
    const int64_t row = job.layout.inputs * width;
    for (int64_t i = 0; i < sizes.rows; ++i) {
      float* to = job.table + i * row;
      if (job.layout.inputs > gates)
        std::copy_n(job.bias + 2 * width, width, to + 2 * width);  // b'_n
      AddBias(d, job, job.in.x + i * columns, to);
    }
  });
}

void ForwardTask(const ForwardJob& job, int64_t task) {
  const ForwardArea area = job.area(task);
  PrepareArea(job, area);
  const int64_t end = job.plan.first_group(task + 1, job.plan.forward_tasks);
  ByLanes(job.plan, [&](auto d) {
    for (int64_t g = job.plan.first_group(task, job.plan.forward_tasks); g < end; ++g) {
      ForwardGroup<decltype(d)>(d, job, area, g).Run(job.out);
    }
  });
}

void TraceGroup(const RecurrenceJob& job, const ForwardArea& area, int64_t group,
                const float* sequence) {
  PrepareArea(job, area);
  ByLanes(job.plan,
          [&](auto d) { ForwardGroup<decltype(d)>(d, job, area, group).Trace(sequence); });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(FloatsInVector);
int64_t FloatsInVector(int64_t units) { return HWY_DYNAMIC_DISPATCH(FloatsInVector)(units); }

HWY_EXPORT(PackForward);
void PackForward(const RecurrenceJob& job) { HWY_DYNAMIC_DISPATCH(PackForward)(job); }

HWY_EXPORT(ForwardTask);
void ForwardTask(const ForwardJob& job, int64_t task) {
  HWY_DYNAMIC_DISPATCH(ForwardTask)(job, task);
}

HWY_EXPORT(TraceGroup);
void TraceGroup(const RecurrenceJob& job, const ForwardArea& area, int64_t group,
                const float* sequence) {
  HWY_DYNAMIC_DISPATCH(TraceGroup)(job, area, group, sequence);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
