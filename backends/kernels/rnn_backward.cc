#include <algorithm>
#include <cstdint>

#include "backends/kernels/rnn_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/rnn_backward.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/products-inl.h"
#include "backends/kernels/rnn_own_steps-inl.h"
#include "backends/kernels/rnn_registers-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

using FN = hn::ScalableTag<float>;

// Samples [first, first + count) at steps [step, step + steps), with gradients of z at
// dz + sample sample_stride + step step_stride.
struct Gradients {
  int64_t first, count, step, steps;
  const float* dz;
  int64_t sample_stride, step_stride;
};

// dx = dz·wᵀ, or dz itself where the input is projected.
template <class D>
void WriteInputGradient(D d, const RnnBackwardJob& job, const RnnBackwardArea& area,
                        const Gradients& g) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const RnnSizes& sizes = job.plan.sizes;
  if (job.out.dx == nullptr) return;
  for (int64_t s = 0; s < g.count; ++s) {
    const int64_t token = (g.first + s) * sizes.time + g.step;
    const float* dz = g.dz + s * g.sample_stride;
    if (sizes.input == RnnInput::kProjected) {
      for (int64_t t = 0; t < g.steps; ++t) {
        UnpadRow(d, dz + t * g.step_stride, sizes.units, job.out.dx + (token + t) * sizes.units);
      }
      continue;
    }
    float* dx = job.out.dx + token * sizes.features;
    // The next sample's, and what dw needs afterwards.
    if (s + 1 < g.count) {
      FetchAhead(dx + sizes.time * sizes.features, g.steps * sizes.features);
    }
    if (job.out.dw != nullptr) {
      FetchAhead(job.in.x + token * sizes.features, g.steps * sizes.features);
    }
    const int64_t vectors = (sizes.features + kLanes - 1) / kLanes, padded = vectors * kLanes;
    if (padded == sizes.features) {
      Product(d, dz, g.step_stride, g.steps, sizes.units, job.w, vectors, nullptr, 0, dx, padded);
      continue;
    }
    Product(d, dz, g.step_stride, g.steps, sizes.units, job.w, vectors, nullptr, 0, area.dx,
            padded);
    for (int64_t t = 0; t < g.steps; ++t) {
      UnpadRow(d, area.dx + t * padded, sizes.features, dx + t * sizes.features);
    }
  }
}

// Rows of the table's gradient get dz added, in the order of the samples, or dz is kept for
// SumTableRows.
template <class D>
void AddToTable(D d, const RnnBackwardJob& job, const RnnBackwardArea& area, const Gradients& g) {
  const RnnPlan& plan = job.plan;
  if (job.out.dtable == nullptr) return;
  for (int64_t s = 0; s < g.count; ++s) {
    const int64_t token = (g.first + s) * plan.sizes.time + g.step;
    for (int64_t t = 0; t < g.steps; ++t) {
      const float* dz = g.dz + s * g.sample_stride + t * g.step_stride;
      if (plan.sums_table) {
        AddRow(d, dz, plan.width, area.dtable + job.in.ids[token + t] * plan.width);
      } else {
        std::copy_n(dz, plan.width, job.dz_all + (token + t) * plan.width);
      }
    }
  }
}

// The state before step `step` of a sample: padded.
template <class D>
void StateBefore(D d, const RnnBackwardJob& job, int64_t sample, int64_t step, float* to) {
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  if (step > 0) {
    const int64_t token = sample * job.plan.sizes.time + step - 1;
    PadRow(d, job.incoming.sequence + token * units, units, width, to);
  } else if (job.in.h0 != nullptr) {
    PadRow(d, job.in.h0 + sample * units, units, width, to);
  } else {
    std::fill_n(to, width, 0.0f);
  }
}

// The input of a piece: x, not projected.
RowBlocks InputRows(const RnnBackwardJob& job, int64_t first, int64_t step) {
  const RnnSizes& sizes = job.plan.sizes;
  return {job.in.x + (first * sizes.time + step) * sizes.features, sizes.features,
          sizes.time * sizes.features};
}

// The steps of a chunk that ends at `end`.
int64_t ChunkBegin(const RnnPlan& plan, int64_t end) { return (end - 1) / plan.chunk * plan.chunk; }

// Padded copies of a chunk of [batch, time, units], [group, chunk, width].
void StageChunk(const RnnPlan& plan, const float* from, int64_t first, int64_t count, int64_t step,
                int64_t steps, float* to) {
  const F8 d;
  const int64_t units = plan.sizes.units;
  for (int64_t s = 0; s < count; ++s) {
    for (int64_t t = 0; t < steps; ++t) {
      PadRow(d, from + ((first + s) * plan.sizes.time + step + t) * units, units, kRegister,
             to + (s * plan.chunk + t) * kRegister);
    }
  }
}

template <Activation act>
void GroupInRegisters(const RnnBackwardJob& job, const RnnBackwardArea& area, int64_t first,
                      int64_t count) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const int64_t units = sizes.units;
  const bool whole = units == kRegister;
  const bool scatter =
      sizes.input == RnnInput::kLookup && plan.sums_table && job.out.dtable != nullptr;
  const bool wants_dz =
      !scatter && (job.out.dx != nullptr || job.out.dw != nullptr || job.out.dtable != nullptr);
  const int64_t piece_stride = plan.chunk * kRegister, sample_stride = sizes.time * kRegister;
  float* dh = area.carry;
  float* before = area.carry + plan.group * kRegister;
  std::fill_n(dh, count * kRegister, 0.0f);
  if (job.incoming.d_last != nullptr) {
    for (int64_t s = 0; s < count; ++s) {
      PadRow(d, job.incoming.d_last + (first + s) * units, units, kRegister, dh + s * kRegister);
    }
  }
  for (int64_t end = sizes.time, begin; end > 0; end = begin) {
    begin = ChunkBegin(plan, end);
    const int64_t steps = end - begin;
    for (int64_t s = 0; s < count; ++s) {
      StateBefore(d, job, first + s, begin, before + s * kRegister);
    }
    if (!whole) {
      StageChunk(plan, job.incoming.sequence, first, count, begin, steps, area.states);
      if (job.incoming.d_sequence != nullptr) {
        StageChunk(plan, job.incoming.d_sequence, first, count, begin, steps, area.d_sequence);
      }
    }
    ForSamples<4>(count, [&](auto tag, int64_t s, auto vectors) {
      constexpr int kVectors = decltype(vectors)::value;
      const int64_t token = (first + s) * sizes.time + begin, staged = s * piece_stride;
      const float* d_sequence = job.incoming.d_sequence;
      if (d_sequence != nullptr) {
        d_sequence = whole ? d_sequence + token * kRegister : area.d_sequence + staged;
      }
      const BackwardSteps args = {
          .states = whole ? job.incoming.sequence + token * kRegister : area.states + staged,
          .state_stride = whole ? sample_stride : piece_stride,
          .before = begin > 0 || job.in.h0 != nullptr ? before + s * kRegister : nullptr,
          .d_sequence = d_sequence,
          .d_sequence_stride = whole ? sample_stride : piece_stride,
          .ids = scatter ? job.in.ids + token : nullptr,
          .id_stride = sizes.time,
          .steps = steps,
          .units = units,
          .u = job.u,
          .dh = dh + s * kRegister,
          .dz = wants_dz ? area.dz + staged : nullptr,
          .dz_stride = piece_stride,
          .dtable = area.dtable,
          .du = area.du_diagonals,
          .db = area.db};
      if (scatter) {
        RunBackwardSteps<act, true, kVectors>(tag, args);
      } else {
        RunBackwardSteps<act, false, kVectors>(tag, args);
      }
    });
    if (!wants_dz) continue;
    const Gradients g = {first, count, begin, steps, area.dz, piece_stride, kRegister};
    if (sizes.input == RnnInput::kLookup) {
      AddToTable(d, job, area, g);
      continue;
    }
    WriteInputGradient(d, job, area, g);
    if (job.out.dw == nullptr) continue;
    AddTransposedProduct(d, InputRows(job, first, begin), {area.dz, kRegister, piece_stride}, count,
                         steps, sizes.features, kRegister, area.dw, kRegister);
  }
  if (job.out.dh0 == nullptr) return;
  for (int64_t s = 0; s < count; ++s) {
    UnpadRow(d, dh + s * kRegister, units, job.out.dh0 + (first + s) * units);
  }
}

// Adds rows of `units` floats to padded rows, each a stride apart.
template <class D>
void AddToRows(D d, const float* from, int64_t from_stride, int64_t rows, int64_t units, float* to,
               int64_t to_stride) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t r = 0; r < rows; ++r, from += from_stride, to += to_stride) {
    for (int64_t j = 0; j < units; j += kLanes) {
      hn::Store(hn::Add(hn::Load(d, to + j), LoadSome(d, from + j, units - j)), d, to + j);
    }
  }
}

// dz_t = (d_sequence_t + dz_{t+1}·uᵀ) act'(h_t) of a group at one step; in the last step d_last
// takes the place of the product. Rows of dz, here and in the step after it, are dz_stride apart.
template <Activation act>
void WideStep(const RnnBackwardJob& job, int64_t first, int64_t count, int64_t t,
              const float* later, float* dz, int64_t dz_stride) {
  const FN d;
  using V = hn::Vec<FN>;
  constexpr int64_t kLanes = hn::MaxLanes(FN());
  const RnnSizes& sizes = job.plan.sizes;
  const int64_t units = sizes.units, time = sizes.time, width = job.plan.width;
  const bool is_last = t == time - 1;
  Product(d, later, dz_stride, count, is_last ? 0 : units, job.u, width / kLanes, nullptr, 0, dz,
          dz_stride);
  const int64_t token = first * time + t, stride = time * units;
  if (job.incoming.d_sequence != nullptr) {
    AddToRows(d, job.incoming.d_sequence + token * units, stride, count, units, dz, dz_stride);
  }
  if (is_last && job.incoming.d_last != nullptr) {
    AddToRows(d, job.incoming.d_last + first * units, units, count, units, dz, dz_stride);
  }
  const float* h = job.incoming.sequence + token * units;
  for (int64_t s = 0; s < count; ++s, h += stride, dz += dz_stride) {
    for (int64_t j = 0; j < width; j += kLanes) {
      const V dh = hn::Load(d, dz + j);
      hn::Store(TimesSlope<act>(d, dh, LoadSome(d, h + j, units - j)), d, dz + j);
    }
    FetchAhead(h - units, units);  // the next step's
  }
}

// dh0 = dz_0·uᵀ.
void WriteInitialGradient(const RnnBackwardJob& job, const RnnBackwardArea& area, int64_t first,
                          int64_t count, const float* dz, int64_t dz_stride) {
  const FN d;
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  if (job.out.dh0 == nullptr) return;
  Product(d, dz, dz_stride, count, units, job.u, width / hn::MaxLanes(FN()), nullptr, 0, area.dh,
          width);
  for (int64_t s = 0; s < count; ++s) {
    UnpadRow(d, area.dh + s * width, units, job.out.dh0 + (first + s) * units);
  }
}

// du += sum of h_{t-1}ᵀ·dz_t over a piece.
void AddStateProducts(const RnnBackwardJob& job, const RnnBackwardArea& area, const Gradients& g) {
  const FN d;
  const RnnSizes& sizes = job.plan.sizes;
  const int64_t units = sizes.units, width = job.plan.width, time = sizes.time;
  const auto add = [&](const RowBlocks& before, int64_t skipped, int64_t steps) {
    AddTransposedProduct(d, before,
                         {g.dz + skipped * g.step_stride, g.step_stride, g.sample_stride}, g.count,
                         steps, units, width, area.du, width);
  };
  const bool at_start = g.step == 0;
  const float* states = job.incoming.sequence + (g.first * time + g.step - !at_start) * units;
  add({states, units, time * units}, at_start, g.steps - at_start);
  if (at_start && job.in.h0 != nullptr) add({job.in.h0 + g.first * units, 0, units}, 0, 1);
}

template <Activation act>
void WideGroup(const RnnBackwardJob& job, const RnnBackwardArea& area, int64_t first,
               int64_t count) {
  const FN d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const int64_t width = plan.width, stride = (plan.chunk + 1) * width;
  for (int64_t end = sizes.time, begin; end > 0; end = begin) {
    begin = ChunkBegin(plan, end);
    const int64_t steps = end - begin;
    for (int64_t i = steps - 1; i >= 0; --i) {
      WideStep<act>(job, first, count, begin + i, area.dz + (i + 1) * width, area.dz + i * width,
                    stride);
    }
    const Gradients g = {first, count, begin, steps, area.dz, stride, width};
    const RowBlocks dz = {area.dz, width, stride};
    if (job.out.du != nullptr) AddStateProducts(job, area, g);
    if (job.out.db != nullptr) AddColumnSums(d, dz, count, steps, width, area.db);
    if (sizes.input == RnnInput::kLookup) AddToTable(d, job, area, g);
    if (sizes.input != RnnInput::kLookup) WriteInputGradient(d, job, area, g);
    if (job.out.dw != nullptr) {
      AddTransposedProduct(d, InputRows(job, first, begin), dz, count, steps, sizes.features, width,
                           area.dw, width);
    }
    // The first step of this chunk comes after the last one of the chunk before.
    const int64_t before = std::min(plan.chunk, begin);
    for (int64_t s = 0; before > 0 && s < count; ++s) {
      std::copy_n(area.dz + s * stride, width, area.dz + s * stride + before * width);
    }
  }
  WriteInitialGradient(job, area, first, count, area.dz, stride);
}

template <Activation act>
void BackwardGroups(const RnnBackwardJob& job, int64_t task) {
  const RnnPlan& plan = job.plan;
  const RnnBackwardArea area = job.area(task);
  std::fill_n(area.du, plan.sum_rows() * plan.width, 0.0f);
  if (plan.in_registers) std::fill_n(area.du_diagonals, kRegister * kRegister, 0.0f);
  const int64_t end = plan.first_group(task + 1, plan.backward_tasks);
  for (int64_t g = plan.first_group(task, plan.backward_tasks); g < end; ++g) {
    const int64_t first = g * plan.group;
    const int64_t count = std::min(plan.group, plan.sizes.batch - first);
    if (job.order.has_value()) {
      BackwardOwnSteps<act>(job, area, g);
    } else if (plan.in_registers) {
      GroupInRegisters<act>(job, area, first, count);
    } else {
      WideGroup<act>(job, area, first, count);
    }
  }
  if (!plan.in_registers) return;
  for (int64_t k = 0; k < plan.sizes.units; ++k) {
    for (int64_t m = 0; m < kRegister; ++m) {
      area.du[k * kRegister + (k ^ m)] = area.du_diagonals[m * kRegister + k];
    }
  }
}

void BackwardTask(const RnnBackwardJob& job, int64_t task) {
  ByActivation<void>(job.plan.sizes.activation,
                     [&](auto act) { BackwardGroups<decltype(act)::value>(job, task); });
}

void PackBackward(const RnnBackwardJob& job) {
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units, features = plan.sizes.features;
  const int64_t features_width = RoundUp(features, plan.lanes);
  const bool needs_w = job.out.dx != nullptr && plan.sizes.input == RnnInput::kFeatures;
  if (plan.in_registers) {
    PackDiagonals(job.in.u, 1, units, units, job.u);
    if (needs_w) PackPanels(F8(), job.in.w, 1, units, units, features, features_width, job.w);
  } else {
    PackPanels(FN(), job.in.u, 1, units, units, units, plan.width, job.u);
    if (needs_w) PackPanels(FN(), job.in.w, 1, units, units, features, features_width, job.w);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(PackBackward);
void PackBackward(const RnnBackwardJob& job) { HWY_DYNAMIC_DISPATCH(PackBackward)(job); }

HWY_EXPORT(BackwardTask);
void BackwardTask(const RnnBackwardJob& job, int64_t task) {
  HWY_DYNAMIC_DISPATCH(BackwardTask)(job, task);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
