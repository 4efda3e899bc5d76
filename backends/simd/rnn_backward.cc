#include <algorithm>
#include <cstdint>

#include "backends/simd/rnn_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/simd/rnn_backward.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/simd/rnn_products-inl.h"
#include "backends/simd/rnn_registers-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::simd {
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
void WriteInputGradient(D d, const RnnBackwardJob& job, const Gradients& g) {
  using V = hn::Vec<D>;
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
    const int64_t features = sizes.features;
    Product(
        d, dz, g.step_stride, g.steps, sizes.units, job.w, (features + kLanes - 1) / kLanes,
        [&](auto& tile, int64_t, int64_t) SEQ_INLINE {
          for (auto& row : tile) {
            for (V& element : row) element = hn::Zero(d);
          }
        },
        [&](auto& tile, int64_t r, int64_t v) SEQ_INLINE {
          for (auto& row : tile) {
            float* to = job.out.dx + (token + r++) * features;
            int64_t feature = v * kLanes;
            for (V& element : row) {
              StoreSome(d, element, to + feature, features - feature);
              feature += kLanes;
            }
          }
        });
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

template <RnnActivation act>
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
    ForTiles<4>(count, [&](int64_t s, auto tile) {
      constexpr int kSamples = decltype(tile)::value;
      const int64_t token = (first + s) * sizes.time + begin, staged = s * piece_stride;
      const float* d_sequence = job.incoming.d_sequence;
      if (d_sequence != nullptr) {
        d_sequence = whole ? d_sequence + token * kRegister : area.d_sequence + staged;
      }
      const BackwardSteps args = {
          .states = whole ? job.incoming.sequence + token * kRegister : area.states + staged,
          .state_stride = whole ? sample_stride : piece_stride,
          .before = before + s * kRegister,
          .d_sequence = d_sequence,
          .d_sequence_stride = whole ? sample_stride : piece_stride,
          .ids = scatter ? job.in.ids + token : nullptr,
          .id_stride = sizes.time,
          .steps = steps,
          .u = job.u,
          .dh = dh + s * kRegister,
          .dz = wants_dz ? area.dz + staged : nullptr,
          .dz_stride = piece_stride,
          .dtable = area.dtable,
          .du = area.du_diagonals,
          .db = area.db};
      if (scatter) {
        RunBackwardSteps<act, true, kSamples>(args);
      } else {
        RunBackwardSteps<act, false, kSamples>(args);
      }
    });
    if (!wants_dz) continue;
    const Gradients g = {first, count, begin, steps, area.dz, piece_stride, kRegister};
    if (sizes.input == RnnInput::kLookup) {
      AddToTable(d, job, area, g);
      continue;
    }
    WriteInputGradient(d, job, g);
    if (job.out.dw == nullptr) continue;
    for (int64_t s = 0; s < count; ++s) {
      const float* x = job.in.x + ((first + s) * sizes.time + begin) * sizes.features;
      AddTransposedProduct(d, x, sizes.features, area.dz + s * piece_stride, kRegister, steps,
                           sizes.features, kRegister, area.dw);
    }
  }
  if (job.out.dh0 == nullptr) return;
  for (int64_t s = 0; s < count; ++s) {
    UnpadRow(d, dh + s * kRegister, units, job.out.dh0 + (first + s) * units);
  }
}

// dz_t = (d_sequence_t + dz_{t+1}·uᵀ) act'(h_t) of a group at one step; in the last step d_last
// takes the place of the product.
template <RnnActivation act>
void WideStep(const RnnBackwardJob& job, int64_t first, int64_t count, int64_t t,
              const float* later, const float* states, float* dz) {
  const FN d;
  using V = hn::Vec<FN>;
  constexpr int64_t kLanes = hn::MaxLanes(FN());
  const RnnSizes& sizes = job.plan.sizes;
  const int64_t width = job.plan.width, units = sizes.units, time = sizes.time;
  const bool is_last = t == time - 1;
  const float* d_sequence = job.incoming.d_sequence;
  const float* d_last = is_last ? job.incoming.d_last : nullptr;
  const auto incoming = [&](int64_t sample, int64_t unit) SEQ_INLINE {
    V sum = hn::Zero(d);
    if (d_sequence != nullptr) {
      sum = LoadSome(d, d_sequence + (sample * time + t) * units + unit, units - unit);
    }
    if (d_last != nullptr) {
      sum = hn::Add(sum, LoadSome(d, d_last + sample * units + unit, units - unit));
    }
    return sum;
  };
  Product(
      d, later, width, count, is_last ? 0 : units, job.u, width / kLanes,
      [&](auto& tile, int64_t r, int64_t v) SEQ_INLINE {
        for (auto& row : tile) {
          int64_t unit = v * kLanes;
          for (V& element : row) {
            element = incoming(first + r, unit);
            unit += kLanes;
          }
          ++r;
        }
      },
      [&](auto& tile, int64_t r, int64_t v) SEQ_INLINE {
        for (auto& row : tile) {
          int64_t at = r++ * width + v * kLanes;
          for (V& element : row) {
            hn::Store(TimesSlope<act>(d, element, hn::Load(d, states + at)), d, dz + at);
            at += kLanes;
          }
        }
      });
}

// dh0 = dz_0·uᵀ.
void WriteInitialGradient(const RnnBackwardJob& job, int64_t first, int64_t count,
                          const float* dz) {
  const FN d;
  using V = hn::Vec<FN>;
  constexpr int64_t kLanes = hn::MaxLanes(FN());
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  Product(
      d, dz, width, count, units, job.u, width / kLanes,
      [&](auto& tile, int64_t, int64_t) SEQ_INLINE {
        for (auto& row : tile) {
          for (V& element : row) element = hn::Zero(d);
        }
      },
      [&](auto& tile, int64_t r, int64_t v) SEQ_INLINE {
        for (auto& row : tile) {
          int64_t unit = v * kLanes;
          for (V& element : row) {
            StoreSome(d, element, job.out.dh0 + (first + r) * units + unit, units - unit);
            unit += kLanes;
          }
          ++r;
        }
      });
}

template <RnnActivation act>
void WideGroup(const RnnBackwardJob& job, const RnnBackwardArea& area, int64_t first,
               int64_t count) {
  const FN d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const int64_t units = sizes.units, width = plan.width, slice = count * width;
  const int64_t features = sizes.features;
  for (int64_t end = sizes.time, begin; end > 0; end = begin) {
    begin = ChunkBegin(plan, end);
    const int64_t steps = end - begin, rows = steps * count;
    // Slice i + 1 of the states is h of step begin + i, slice i of dz the gradient of its z.
    for (int64_t s = 0; s < count; ++s) {
      for (int64_t i = 0; i <= steps; ++i) {
        StateBefore(d, job, first + s, begin + i, area.states + i * slice + s * width);
      }
    }
    for (int64_t i = steps - 1; i >= 0; --i) {
      const float* later = i == steps - 1 ? area.carry : area.dz + (i + 1) * slice;
      WideStep<act>(job, first, count, begin + i, later, area.states + (i + 1) * slice,
                    area.dz + i * slice);
    }
    std::copy_n(area.dz, slice, area.carry);
    if (job.out.du != nullptr) {
      AddTransposedProduct(d, area.states, width, area.dz, width, rows, units, width, area.du);
    }
    if (job.out.db != nullptr) {
      for (int64_t r = 0; r < rows; ++r) AddRow(d, area.dz + r * width, width, area.db);
    }
    const Gradients g = {first, count, begin, steps, area.dz, width, slice};
    if (sizes.input == RnnInput::kLookup) {
      AddToTable(d, job, area, g);
      continue;
    }
    WriteInputGradient(d, job, g);
    if (job.out.dw == nullptr) continue;
    for (int64_t s = 0; s < count; ++s) {
      const float* x = job.in.x + ((first + s) * sizes.time + begin) * features;
      for (int64_t i = 0; i < steps; ++i) {
        std::copy_n(x + i * features, features, area.x + (i * count + s) * features);
      }
    }
    AddTransposedProduct(d, area.x, features, area.dz, width, rows, features, width, area.dw);
  }
  if (job.out.dh0 != nullptr) WriteInitialGradient(job, first, count, area.carry);
}

template <RnnActivation act>
void BackwardGroups(const RnnBackwardJob& job, int64_t task) {
  const RnnPlan& plan = job.plan;
  const RnnBackwardArea& area = job.area[task];
  std::fill_n(area.du, plan.sizes.units * plan.width, 0.0f);
  std::fill_n(area.db, plan.width, 0.0f);
  if (area.dw != nullptr) std::fill_n(area.dw, plan.sizes.features * plan.width, 0.0f);
  if (area.dtable != nullptr) std::fill_n(area.dtable, plan.sizes.rows * plan.width, 0.0f);
  if (plan.in_registers) std::fill_n(area.du_diagonals, kRegister * kRegister, 0.0f);
  for (int64_t g = plan.first_group(task); g < plan.first_group(task + 1); ++g) {
    const int64_t first = g * plan.group;
    const int64_t count = std::min(plan.group, plan.sizes.batch - first);
    if (plan.in_registers) {
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
  switch (job.plan.sizes.activation) {
    case RnnActivation::kTanh:
      return BackwardGroups<RnnActivation::kTanh>(job, task);
    case RnnActivation::kRelu:
      return BackwardGroups<RnnActivation::kRelu>(job, task);
    case RnnActivation::kSigmoid:
      return BackwardGroups<RnnActivation::kSigmoid>(job, task);
  }
}

void PackBackward(const RnnBackwardJob& job) {
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units, features = plan.sizes.features;
  const int64_t features_width = (features + plan.lanes - 1) / plan.lanes * plan.lanes;
  const bool needs_w = job.out.dx != nullptr && plan.sizes.input == RnnInput::kFeatures;
  if (plan.in_registers) {
    PackDiagonals(job.in.u, 1, units, units, job.u);
    if (needs_w) PackPanels(F8(), job.in.w, 1, units, units, features, features_width, job.w);
  } else {
    PackPanels(FN(), job.in.u, 1, units, units, units, plan.width, job.u);
    if (needs_w) PackPanels(FN(), job.in.w, 1, units, units, features, features_width, job.w);
  }
}

// to[rows, columns] = the sum of the tasks' `sums`, whose rows are `width` apart.
void AddSums(const RnnBackwardJob& job, float* RnnBackwardArea::*sums, int64_t rows,
             int64_t columns, float* to) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  if (to == nullptr || rows * columns == 0) return;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < plan.width; j += kRegister) {
      const int64_t at = r * plan.width + j;
      V8 sum = hn::Load(d, job.area[0].*sums + at);
      for (int64_t t = 1; t < plan.tasks; ++t) {
        sum = hn::Add(sum, hn::Load(d, job.area[t].*sums + at));
      }
      if (j < columns) StoreSome(d, sum, to + r * columns + j, columns - j);
    }
  }
}

void AddTasks(const RnnBackwardJob& job) {
  const RnnSizes& sizes = job.plan.sizes;
  AddSums(job, &RnnBackwardArea::du, sizes.units, sizes.units, job.out.du);
  AddSums(job, &RnnBackwardArea::db, 1, sizes.units, job.out.db);
  AddSums(job, &RnnBackwardArea::dw, sizes.features, sizes.units, job.out.dw);
  if (job.plan.sums_table) {
    AddSums(job, &RnnBackwardArea::dtable, sizes.rows, sizes.units, job.out.dtable);
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
}  // namespace seqgraph::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::simd {

HWY_EXPORT(PackBackward);
void PackBackward(const RnnBackwardJob& job) { HWY_DYNAMIC_DISPATCH(PackBackward)(job); }

HWY_EXPORT(BackwardTask);
void BackwardTask(const RnnBackwardJob& job, int64_t task) {
  HWY_DYNAMIC_DISPATCH(BackwardTask)(job, task);
}

HWY_EXPORT(AddTasks);
void AddTasks(const RnnBackwardJob& job) { HWY_DYNAMIC_DISPATCH(AddTasks)(job); }

HWY_EXPORT(SumTableRows);
void SumTableRows(const RnnBackwardJob& job, int64_t first, int64_t last) {
  HWY_DYNAMIC_DISPATCH(SumTableRows)(job, first, last);
}

}  // namespace seqgraph::simd
#endif  // HWY_ONCE
