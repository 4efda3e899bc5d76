// Recurrences in registers (rnn_registers-inl.h) whose rows take their own steps only, in the order
// of a RowOrder: masked or reversed ones. What the steps read and write is copied to and from the
// places of the tokens, so that own steps lie side by side.

#if defined(SEQGRAPH_BACKENDS_KERNELS_RNN_OWN_STEPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_RNN_OWN_STEPS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_RNN_OWN_STEPS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_RNN_OWN_STEPS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "backends/kernels/rnn_registers-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

/// Rows [first, first + rows) of a group at their steps [begin, end).
struct Segment {
  int64_t first, rows, begin, end;
};

constexpr int64_t kRowsAtATime = 16;

/// Cuts steps [k0, k1) of the rows from `first` on, at most kRowsAtATime of them, into segments;
/// their number. A segment ends with its longest rows' lower half: so that vectors are filled, rows
/// that have fewer steps run along, and further ones up to a multiple of 4 (`limit`: there are no
/// more). `exact`: each segment has just the rows that take all of its steps.
inline int CutIntoSegments(const GroupRows& rows, int64_t first, int64_t k0, int64_t k1,
                           int64_t limit, bool exact, Segment* segments) {
  const int32_t* length = rows.length + first;
  int64_t count = std::min(kRowsAtATime, rows.active(k0) - first);
  int cut = 0;
  for (int64_t k = k0; k < k1;) {
    while (count > 0 && length[count - 1] <= k) --count;
    if (count == 0) break;
    const int64_t shortest = exact ? count - 1 : count > 4 ? count / 2 : 0;
    const int64_t end = std::min<int64_t>(k1, length[shortest]);
    const int64_t filled = exact ? count : std::min(RoundUp(count, 4), limit - first);
    segments[cut++] = {first, filled, k, end};
    k = end;
  }
  return cut;
}

/// f(position among the places of time) of step k of a row and of the masked steps behind it.
template <class F>
HWY_INLINE void ForPlaces(const RowOrder& order, int64_t row, int64_t k, int64_t length, F&& f) {
  const int64_t end = order.NextPosition(row, k, length);
  for (int64_t p = order.Position(row, k); p < end; ++p) f(order.Time(p));
}

template <class Job>
int64_t TokenOf(const Job& job, const GroupRows& rows, int64_t r, int64_t k) {
  const int64_t row = rows.row[r];
  return row * job.plan.sizes.time + job.order->Time(job.order->Position(row, k));
}

/// f(token, k) for the steps [begin, end) of a row, where it has them.
template <class Job, class F>
HWY_INLINE void ForTokens(const Job& job, const GroupRows& rows, int64_t r, int64_t begin,
                          int64_t end, F&& f) {
  end = std::min<int64_t>(end, rows.length[r]);
  if (begin >= end) return;
  if (job.order->FirstOfRun(rows.row[r]) < 0) {
    for (int64_t k = begin; k < end; ++k) f(TokenOf(job, rows, r, k), k);
    return;
  }
  const int64_t direction = job.plan.sizes.reverse ? -1 : 1;
  int64_t token = TokenOf(job, rows, r, begin);
  for (int64_t k = begin; k < end; ++k, token += direction) f(token, k);
}

/// What steps [k0, k1) of a group read: ids, or rows of z.
inline void StageInput(const RnnForwardJob& job, const RnnForwardArea& area, const GroupRows& rows,
                       int64_t k0, int64_t k1, bool by_id) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const bool lookup = sizes.input == RnnInput::kLookup;
  if (by_id) std::fill_n(area.ids, plan.group * plan.chunk, 0);  // for rows that run along
  for (int64_t r = 0; r < rows.active(k0); ++r) {
    const int64_t place = r * plan.chunk - k0;
    ForTokens(job, rows, r, k0, k1, [&](int64_t token, int64_t k) SEQ_INLINE {
      if (by_id) {
        area.ids[place + k] = job.in.ids[token];
      } else {
        const float* row = lookup ? job.in.table + job.in.ids[token] * sizes.units
                                  : job.in.x + token * sizes.units;
        PadRow(d, row, sizes.units, kRegister, area.z + (place + k) * kRegister);
      }
    });
  }
}

/// The states after steps [k0, k1), also to the masked steps behind each.
inline void WriteOwnSteps(const RnnForwardJob& job, const RnnForwardArea& area,
                          const GroupRows& rows, int64_t k0, int64_t k1) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units;
  for (int64_t r = 0; r < rows.active(k0); ++r) {
    const int64_t row = rows.row[r], length = rows.length[r], end = std::min(k1, length);
    const float* h = area.sequence + (r * plan.chunk - k0) * kRegister;
    if (job.out.sequence != nullptr) {
      ForTokens(job, rows, r, k0, k1, [&](int64_t token, int64_t k) SEQ_INLINE {
        UnpadRow(d, h + k * kRegister, units, job.out.sequence + token * units);
      });
      // In a run only the last step has masked ones behind it.
      const bool run = job.order->FirstOfRun(row) >= 0;
      const int64_t first = job.out.own_steps_only ? end : run ? std::max(k0, length - 1) : k0;
      for (int64_t k = first; k < end; ++k) {
        ForPlaces(*job.order, row, k, length, [&](int64_t t) SEQ_INLINE {
          UnpadRow(d, h + k * kRegister, units,
                   job.out.sequence + (row * plan.sizes.time + t) * units);
        });
      }
    }
    if (length > k1 || job.out.last == nullptr) continue;
    UnpadRow(d, h + (length - 1) * kRegister, units, job.out.last + row * units);
  }
}

/// What comes before the first step of each row; all of a row that has none.
inline void WriteBeforeFirstStep(const RnnForwardJob& job, const GroupRows& rows,
                                 const float* states) {
  const int64_t units = job.plan.sizes.units, time = job.plan.sizes.time;
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t row = rows.row[r];
    const int64_t end = rows.length[r] > 0 ? job.order->Position(row, 0) : time;
    if (job.out.sequence != nullptr && !job.out.own_steps_only) {
      const int64_t first = job.plan.sizes.reverse ? time - end : 0;
      std::fill_n(job.out.sequence + (row * time + first) * units, end * units, 0.0f);
    }
    if (rows.length[r] > 0 || job.out.last == nullptr) continue;
    std::copy_n(states + r * kRegister, units, job.out.last + row * units);
  }
}

template <Activation act>
void ForwardOwnSteps(const RnnForwardJob& job, const RnnForwardArea& area, int64_t g) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const GroupRows rows = job.order->group(g);
  const bool by_id = sizes.input == RnnInput::kLookup && sizes.units == kRegister;
  const int64_t row_floats = plan.chunk * kRegister;
  for (int64_t r = 0; r < plan.group; ++r) {
    float* to = area.states + r * kRegister;
    if (r < rows.count && job.in.h0 != nullptr) {
      PadRow(d, job.in.h0 + rows.row[r] * sizes.units, sizes.units, kRegister, to);
    } else {
      std::fill_n(to, kRegister, 0.0f);
    }
  }
  WriteBeforeFirstStep(job, rows, area.states);
  for (int64_t k0 = 0; k0 < rows.steps; k0 += plan.chunk) {
    const int64_t k1 = std::min(k0 + plan.chunk, rows.steps);
    StageInput(job, area, rows, k0, k1, by_id);
    for (int64_t first = 0; first < rows.active(k0); first += kRowsAtATime) {
      Segment segments[kRowsAtATime];
      const int count = CutIntoSegments(rows, first, k0, k1, plan.group, false, segments);
      for (const Segment* s = segments; s < segments + count; ++s) {
        ForSamples<8>(s->rows, [&](auto tag, int64_t sample, auto vectors) {
          constexpr int kVectors = decltype(vectors)::value;
          const int64_t r = s->first + sample, place = r * plan.chunk + s->begin - k0;
          const ForwardSteps steps = {.rows = by_id ? job.in.table : area.z + place * kRegister,
                                      .row_stride = row_floats,
                                      .ids = by_id ? area.ids + place : nullptr,
                                      .id_stride = plan.chunk,
                                      .steps = s->end - s->begin,
                                      .u = job.u,
                                      .bias = job.bias,
                                      .units = sizes.units,
                                      .states = area.states + r * kRegister,
                                      .sequence = area.sequence + place * kRegister,
                                      .sequence_stride = row_floats};
          if (by_id) {
            RunForwardSteps<act, true, kVectors>(tag, steps);
          } else {
            RunForwardSteps<act, false, kVectors>(tag, steps);
          }
        });
      }
    }
    WriteOwnSteps(job, area, rows, k0, k1);
  }
}

/// States and incoming gradients of steps [k0, k1), and ids if there are any to be read; zeros for
/// what is no step, so that rows that run along add nothing. d_last comes with the last step. False
/// if a row's last state is not finite: zero times that would not be nothing.
inline bool StageSteps(const RnnBackwardJob& job, const RnnBackwardArea& area,
                       const GroupRows& rows, int64_t k0, int64_t k1, bool by_id) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units, last_row = RoundUp(rows.active(k0), 4);
  bool finite = true;
  for (int64_t r = 0; r < std::min(last_row, plan.group); ++r) {
    const int64_t length = r < rows.count ? rows.length[r] : 0, end = std::clamp(length, k0, k1);
    const int64_t first = r * plan.chunk, rest = first + end - k0;
    float* const incoming = area.d_sequence + first * kRegister;
    std::fill_n(area.states + rest * kRegister, (k1 - end) * kRegister, 0.0f);
    if (job.incoming.d_sequence != nullptr) {
      std::fill_n(incoming, (k1 - k0) * kRegister, 0.0f);
    } else if (length > k1) {  // what a chunk before, where the row ended, has left in the zeros
      std::fill_n(incoming + (length - 1) % plan.chunk * kRegister, kRegister, 0.0f);
    }
    if (by_id) std::fill_n(area.ids + rest, k1 - end, 0);
    if (end == k0) continue;
    ForTokens(job, rows, r, k0, k1, [&](int64_t token, int64_t k) SEQ_INLINE {
      const int64_t place = first + k - k0;
      PadRow(d, job.incoming.sequence + token * units, units, kRegister,
             area.states + place * kRegister);
      if (by_id) area.ids[place] = job.in.ids[token];
    });
    const auto add = [&](int64_t k, const float* from) SEQ_INLINE {
      float* to = incoming + (k - k0) * kRegister;
      hn::Store(hn::Add(hn::Load(d, to), LoadSome(d, from, units)), d, to);
    };
    const int64_t row = rows.row[r];
    for (int64_t k = k0; job.incoming.d_sequence != nullptr && k < end; ++k) {
      ForPlaces(*job.order, row, k, length, [&](int64_t t) SEQ_INLINE {
        add(k, job.incoming.d_sequence + (row * plan.sizes.time + t) * units);
      });
    }
    if (length > k1) continue;
    if (job.incoming.d_last != nullptr) add(length - 1, job.incoming.d_last + row * units);
    const V8 last = hn::Load(d, area.states + (first + length - 1 - k0) * kRegister);
    finite = finite && hn::AllTrue(d, hn::IsFinite(last));
  }
  return finite;
}

/// The states before step `k` of a segment's rows, [rows, kRegister]; null: there are none.
inline const float* StatesBefore(const RnnBackwardJob& job, const RnnBackwardArea& area,
                                 const GroupRows& rows, const Segment& s, int64_t k0) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units, k = s.begin;
  if (k == 0 && job.in.h0 == nullptr) return nullptr;
  float* const before = area.carry + plan.group * kRegister;
  for (int64_t i = 0; i < s.rows; ++i) {
    const int64_t r = s.first + i;
    float* to = before + i * kRegister;
    if (r >= rows.count || rows.length[r] <= k) {
      std::fill_n(to, kRegister, 0.0f);
    } else if (k > k0) {
      std::copy_n(area.states + (r * plan.chunk + k - 1 - k0) * kRegister, kRegister, to);
    } else if (k > 0) {
      const int64_t token = TokenOf(job, rows, r, k - 1);
      PadRow(d, job.incoming.sequence + token * units, units, kRegister, to);
    } else {
      PadRow(d, job.in.h0 + rows.row[r] * units, units, kRegister, to);
    }
  }
  return before;
}

/// Gradients of the inputs of steps [k0, k1).
inline void WriteOwnGradients(const RnnBackwardJob& job, const RnnBackwardArea& area,
                              const GroupRows& rows, int64_t k0, int64_t k1) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const int64_t units = plan.sizes.units;
  for (int64_t r = 0; r < rows.active(k0); ++r) {
    ForTokens(job, rows, r, k0, k1, [&](int64_t token, int64_t k) SEQ_INLINE {
      const float* dz = area.dz + (r * plan.chunk + k - k0) * kRegister;
      if (plan.sizes.input == RnnInput::kProjected) {
        UnpadRow(d, dz, units, job.out.dx + token * units);
      } else if (plan.sums_table) {
        AddRow(d, dz, kRegister, area.dtable + job.in.ids[token] * kRegister);
      } else {
        std::copy_n(dz, kRegister, job.dz_all + token * kRegister);
      }
    });
  }
}

template <Activation act>
void BackwardOwnSteps(const RnnBackwardJob& job, const RnnBackwardArea& area, int64_t g) {
  const F8 d;
  const RnnPlan& plan = job.plan;
  const RnnSizes& sizes = plan.sizes;
  const GroupRows rows = job.order->group(g);
  const int64_t units = sizes.units, row_floats = plan.chunk * kRegister;
  const bool lookup = sizes.input == RnnInput::kLookup;
  const bool scatter = lookup && plan.sums_table && job.out.dtable != nullptr;
  const bool wants_dz = !scatter && (job.out.dx != nullptr || job.out.dtable != nullptr);
  float* const dh = area.carry;
  std::fill_n(dh, plan.group * kRegister, 0.0f);
  if (job.incoming.d_sequence == nullptr) {  // zeros but for d_last
    std::fill_n(area.d_sequence, plan.group * plan.chunk * kRegister, 0.0f);
  }
  for (int64_t r = 0; wants_dz && r < rows.count; ++r) {  // masked steps keep zeros
    if (rows.length[r] == sizes.time) continue;
    float* const all = lookup ? job.dz_all : job.out.dx;
    const int64_t floats = sizes.time * (lookup ? kRegister : units);
    std::fill_n(all + rows.row[r] * floats, floats, 0.0f);
  }
  for (int64_t k1 = rows.steps, k0; k1 > 0; k1 = k0) {
    k0 = (k1 - 1) / plan.chunk * plan.chunk;
    const bool exact = !StageSteps(job, area, rows, k0, k1, scatter) || job.exact;
    for (int64_t first = 0; first < rows.active(k0); first += kRowsAtATime) {
      Segment segments[kRowsAtATime];
      int s = CutIntoSegments(rows, first, k0, k1, plan.group, exact, segments);
      while (--s >= 0) {
        const Segment& segment = segments[s];
        const float* before = StatesBefore(job, area, rows, segment, k0);
        ForSamples<4>(segment.rows, [&](auto tag, int64_t sample, auto vectors) {
          constexpr int kVectors = decltype(vectors)::value;
          const int64_t r = segment.first + sample, place = r * plan.chunk + segment.begin - k0;
          const BackwardSteps args = {
              .states = area.states + place * kRegister,
              .state_stride = row_floats,
              .before = before == nullptr ? nullptr : before + sample * kRegister,
              .d_sequence = area.d_sequence + place * kRegister,
              .d_sequence_stride = row_floats,
              .ids = scatter ? area.ids + place : nullptr,
              .id_stride = plan.chunk,
              .steps = segment.end - segment.begin,
              .units = units,
              .u = job.u,
              .dh = dh + r * kRegister,
              .dz = wants_dz ? area.dz + place * kRegister : nullptr,
              .dz_stride = row_floats,
              .dtable = area.dtable,
              .du = area.du_diagonals,
              .db = area.db};
          if (scatter) {
            RunBackwardSteps<act, true, kVectors>(tag, args);
          } else {
            RunBackwardSteps<act, false, kVectors>(tag, args);
          }
        });
      }
    }
    if (wants_dz) WriteOwnGradients(job, area, rows, k0, k1);
  }
  for (int64_t r = 0; job.out.dh0 != nullptr && r < rows.count; ++r) {
    float* to = job.out.dh0 + rows.row[r] * units;
    if (rows.length[r] > 0) {
      UnpadRow(d, dh + r * kRegister, units, to);
    } else if (job.incoming.d_last != nullptr) {
      std::copy_n(job.incoming.d_last + rows.row[r] * units, units, to);
    } else {
      std::fill_n(to, units, 0.0f);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_RNN_OWN_STEPS_INL_H_
