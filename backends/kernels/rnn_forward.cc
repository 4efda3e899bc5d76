#include <algorithm>
#include <cstdint>

#include "backends/kernels/rnn_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/rnn_forward.cc"
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

RnnLanes LanesOfTarget() { return {hn::MaxLanes(FN()), kRegister}; }

// Samples [first, first + count) at steps [step, step + steps): a piece of the work that is
// prepared, run and finished before the next.
struct Piece {
  int64_t first, count, step, steps;
};

// z of a piece, at z + sample sample_stride + step step_stride: the projected input, and the bias
// if `with_bias`.
template <class D>
void ProjectInput(D d, const RnnForwardJob& job, const Piece& p, int64_t sample_stride,
                  int64_t step_stride, bool with_bias, float* z) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const RnnSizes& sizes = job.plan.sizes;
  const int64_t width = job.plan.width, vectors = width / kLanes, units = sizes.units;
  const auto bias = [&](int64_t v) SEQ_INLINE {
    return with_bias ? hn::Load(d, job.bias + v * kLanes) : hn::Zero(d);
  };
  for (int64_t s = 0; s < p.count; ++s) {
    const int64_t token = (p.first + s) * sizes.time + p.step;
    float* to = z + s * sample_stride;
    if (sizes.input == RnnInput::kFeatures) {
      if (s + 1 < p.count) {
        FetchAhead(job.in.x + (token + sizes.time) * sizes.features, p.steps * sizes.features);
      }
      Product(d, job.in.x + token * sizes.features, sizes.features, p.steps, sizes.features, job.w,
              vectors, with_bias ? job.bias : nullptr, 0, to, step_stride);
      continue;
    }
    const bool lookup = sizes.input == RnnInput::kLookup;
    const float* rows = lookup ? job.in.table : job.in.x + token * units;
    for (int64_t t = 0; t < p.steps; ++t) {
      const float* row = rows + (lookup ? job.in.ids[token + t] : t) * units;
      for (int64_t v = 0; v < vectors; ++v) {
        const V x = LoadSome(d, row + v * kLanes, units - v * kLanes);
        hn::Store(hn::Add(x, bias(v)), d, to + t * step_stride + v * kLanes);
      }
    }
  }
}

// States of `count` samples before the first step: h0, or zeros.
template <class D>
void FirstStates(D d, const RnnForwardJob& job, int64_t first, int64_t count, float* states) {
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  if (job.in.h0 == nullptr) {
    std::fill_n(states, count * width, 0.0f);
    return;
  }
  for (int64_t s = 0; s < count; ++s) {
    PadRow(d, job.in.h0 + (first + s) * units, units, width, states + s * width);
  }
}

template <class D>
void WriteLast(D d, const RnnForwardJob& job, int64_t first, int64_t count, const float* states) {
  if (job.out.last == nullptr) return;
  const int64_t units = job.plan.sizes.units, width = job.plan.width;
  for (int64_t s = 0; s < count; ++s) {
    UnpadRow(d, states + s * width, units, job.out.last + (first + s) * units);
  }
}

// A group whose states stay in registers.
template <Activation act>
void GroupInRegisters(const RnnForwardJob& job, const RnnForwardArea& area, int64_t first,
                      int64_t count) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const bool whole = sizes.units == kRegister;  // rows of the operands are whole vectors
  const bool lookup = whole && sizes.input == RnnInput::kLookup;
  const bool direct = lookup || (whole && sizes.input == RnnInput::kProjected);
  const int64_t piece_stride = plan.chunk * kRegister, sample_stride = sizes.time * kRegister;
  FirstStates(d, job, first, count, area.states);
  for (int64_t t = 0; t < sizes.time; t += plan.chunk) {
    const Piece p = {first, count, t, std::min(plan.chunk, sizes.time - t)};
    if (!direct) ProjectInput(d, job, p, piece_stride, kRegister, /*with_bias=*/false, area.z);
    ForSamples<8>(count, [&](auto tag, int64_t s, auto vectors) {
      constexpr int kVectors = decltype(vectors)::value;
      const int64_t token = (first + s) * sizes.time + t;
      ForwardSteps steps = {.rows = area.z + s * piece_stride,
                            .row_stride = piece_stride,
                            .ids = nullptr,
                            .id_stride = sizes.time,
                            .steps = p.steps,
                            .u = job.u,
                            .bias = job.bias,
                            .units = sizes.units,
                            .states = area.states + s * kRegister,
                            .sequence = nullptr,
                            .sequence_stride = whole ? sample_stride : piece_stride};
      if (job.out.sequence != nullptr) {
        steps.sequence =
            whole ? job.out.sequence + token * kRegister : area.sequence + s * piece_stride;
      }
      if (lookup) {
        steps.rows = job.in.table;
        steps.ids = job.in.ids + token;
        RunForwardSteps<act, true, kVectors>(tag, steps);
        return;
      }
      if (direct) {
        steps.rows = job.in.x + token * kRegister;
        steps.row_stride = sample_stride;
      }
      RunForwardSteps<act, false, kVectors>(tag, steps);
    });
    if (job.out.sequence == nullptr || whole) continue;
    for (int64_t s = 0; s < count; ++s) {
      for (int64_t i = 0; i < p.steps; ++i) {
        UnpadRow(d, area.sequence + s * piece_stride + i * kRegister, sizes.units,
                 job.out.sequence + ((first + s) * sizes.time + t + i) * sizes.units);
      }
    }
  }
  WriteLast(d, job, first, count, area.states);
}

// States of a step from their z, in place; also to rows of the sequence if that is not null.
template <Activation act>
void ActivateStates(int64_t count, int64_t units, int64_t width, float* states, float* sequence,
                    int64_t stride) {
  const FN d;
  using V = hn::Vec<FN>;
  constexpr int64_t kLanes = hn::MaxLanes(FN());
  int64_t at = 0;
  for (; at + 4 * kLanes <= count * width; at += 4 * kLanes) {
    V x[4];
    Unroll<4>([&](auto i) SEQ_INLINE { x[i] = hn::Load(d, states + at + i * kLanes); });
    Activate<act>(d, x);
    Unroll<4>([&](auto i) SEQ_INLINE { hn::Store(x[i], d, states + at + i * kLanes); });
  }
  for (; at < count * width; at += kLanes) {
    V x[1] = {hn::Load(d, states + at)};
    Activate<act>(d, x);
    hn::Store(x[0], d, states + at);
  }
  if (sequence == nullptr) return;
  for (int64_t s = 0; s < count; ++s) {
    UnpadRow(d, states + s * width, units, sequence + s * stride);
    FetchAhead(sequence + s * stride + units, units);  // the next step's
  }
}

// A group of any width: step by step, h_t = act(z_t + h_{t-1}·u).
template <Activation act>
void WideGroup(const RnnForwardJob& job, const RnnForwardArea& area, int64_t first, int64_t count) {
  const FN d;
  constexpr int64_t kLanes = hn::MaxLanes(FN());
  const RnnPlan& plan = job.plan;
  const int64_t width = plan.width, units = plan.sizes.units, time = plan.sizes.time;
  float* states = area.states;
  float* next = area.states + plan.group * width;
  FirstStates(d, job, first, count, states);
  for (int64_t t0 = 0; t0 < time; t0 += plan.chunk) {
    const Piece p = {first, count, t0, std::min(plan.chunk, time - t0)};
    ProjectInput(d, job, p, width, count * width, /*with_bias=*/true, area.z);
    for (int64_t t = t0; t < t0 + p.steps; ++t) {
      const float* z = area.z + (t - t0) * count * width;
      Product(d, states, width, count, units, job.u, width / kLanes, z, width, next, width);
      float* sequence = nullptr;
      if (job.out.sequence != nullptr) sequence = job.out.sequence + (first * time + t) * units;
      ActivateStates<act>(count, units, width, next, sequence, time * units);
      std::swap(states, next);
    }
  }
  WriteLast(d, job, first, count, states);
}

template <Activation act>
void ForwardGroups(const RnnForwardJob& job, int64_t task) {
  const RnnPlan& plan = job.plan;
  const RnnForwardArea area = job.area(task);
  const int64_t end = plan.first_group(task + 1, plan.forward_tasks);
  for (int64_t g = plan.first_group(task, plan.forward_tasks); g < end; ++g) {
    const int64_t first = g * plan.group;
    const int64_t count = std::min(plan.group, plan.sizes.batch - first);
    if (job.order.has_value()) {
      ForwardOwnSteps<act>(job, area, g);
    } else if (plan.in_registers) {
      GroupInRegisters<act>(job, area, first, count);
    } else {
      WideGroup<act>(job, area, first, count);
    }
  }
}

void ForwardTask(const RnnForwardJob& job, int64_t task) {
  ByActivation<void>(job.plan.sizes.activation,
                     [&](auto act) { ForwardGroups<decltype(act)::value>(job, task); });
}

void PackForward(const RnnForwardJob& job) {
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units, width = plan.width;
  std::fill_n(job.bias, width, 0.0f);
  if (job.in.b != nullptr) std::copy_n(job.in.b, units, job.bias);
  if (plan.in_registers) {
    PackDiagonals(job.in.u, units, 1, units, job.u);
    PackPanels(F8(), job.in.w, units, 1, plan.sizes.features, units, width, job.w);
  } else {
    PackPanels(FN(), job.in.u, units, 1, units, units, width, job.u);
    PackPanels(FN(), job.in.w, units, 1, plan.sizes.features, units, width, job.w);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {

HWY_EXPORT(LanesOfTarget);
RnnLanes LanesOfTarget() { return HWY_DYNAMIC_DISPATCH(LanesOfTarget)(); }

HWY_EXPORT(PackForward);
void PackForward(const RnnForwardJob& job) { HWY_DYNAMIC_DISPATCH(PackForward)(job); }

HWY_EXPORT(ForwardTask);
void ForwardTask(const RnnForwardJob& job, int64_t task) {
  HWY_DYNAMIC_DISPATCH(ForwardTask)(job, task);
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
