#include "backends/kernels/recurrence.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kernels/lookup_loops.h"
#include "backends/kernels/recurrence_job.h"
#include "backends/kernels/target.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {

CellLayout LayoutOf(const RecurrenceSizes& sizes) {
  const bool plain = sizes.functions.plain();
  switch (sizes.cell) {
    case CellKind::kSimple:  // keeps h; or, with any functions, the slope
      return {.gates = 1, .inputs = 1, .kept = 1, .dz = 1, .split = 1};
    case CellKind::kLstm:  // keeps i, f, g, o, act(c), and behind them their slopes
      return {.gates = 4,
              .inputs = 4,
              .kept = plain ? 5 : 10,
              .dz = 4,
              .has_cell = true,
              .split = 4,
              .peepholes = sizes.functions.peepholes ? 3 : 0};
    case CellKind::kGruAfter:  // keeps z, r, n, q = h·u_n + b'_n, slopes; gives dn, dz, dr, dq
      return {.gates = 3,
              .inputs = 4,
              .kept = plain ? 4 : 7,
              .dz = 4,
              .state_dz = 1,
              .split = 3,
              .input_gate = {2, 0, 1}};
    case CellKind::kGruBefore:  // keeps z, r, n, r h, slopes; gives dz, dr, dn
      return {.gates = 3, .inputs = 3, .kept = plain ? 4 : 7, .dz = 3, .split = 2};
  }
  return {};
}

int64_t DzStride(const RecurrencePlan& plan) {
  const int64_t floats = LayoutOf(plan.sizes).dz * plan.width;
  return floats % 256 == 0 ? floats + 16 : floats;
}

RowOrder::RowOrder(const RecurrencePlan& plan, Pieces& pieces)
    : plan_(plan), time_(plan.sizes.time), reverse_(plan.sizes.reverse) {
  rows_ = pieces.Take<int32_t>(plan.sizes.batch);
  lengths_ = pieces.Take<int32_t>(plan.sizes.batch);
  offsets_ = pieces.Take<int32_t>(plan.groups * (time_ + 2));
  if (!plan.sizes.masked) return;
  firsts_ = pieces.Take<int32_t>(plan.sizes.batch);
  positions_ = pieces.Take<int32_t>(plan.sizes.batch * time_);
  starts_ = pieces.Take<int32_t>(time_ + 2);
  counts_ = pieces.Take<int32_t>(plan.sizes.batch);
}

namespace {

constexpr int64_t kBlock = 16;  // a constant, so that compilers use vectors

int32_t CountSteps(const int32_t* mask, int64_t time) {
  int32_t count = 0;
  int64_t t = 0;
  for (; t + kBlock <= time; t += kBlock) {
    for (int64_t i = 0; i < kBlock; ++i) count += mask[t + i] != 0;
  }
  for (; t < time; ++t) count += mask[t] != 0;
  return count;
}

bool AllZero(const int32_t* mask) {
  int32_t any = 0;
  for (int64_t i = 0; i < kBlock; ++i) any |= mask[i];
  return any == 0;
}

}  // namespace

void RowOrder::FindPositions(const int32_t* mask) {
  for (int64_t b = 0; b < plan_.sizes.batch; ++b, mask += time_) {
    int64_t first = 0, end = time_;
    while (first + kBlock <= end && AllZero(mask + first)) first += kBlock;
    while (first < end && mask[first] == 0) ++first;
    while (end - kBlock >= first && AllZero(mask + end - kBlock)) end -= kBlock;
    while (end > first && mask[end - 1] == 0) --end;
    const int32_t count = counts_[b] = CountSteps(mask + first, end - first);
    firsts_[b] = static_cast<int32_t>(reverse_ ? time_ - end : first);
    if (end - first == count) continue;
    firsts_[b] = -1;
    int32_t* to = positions_ + b * time_;
    int32_t k = 0;
    for (int32_t p = 0; p < time_; ++p) {
      to[k] = p;
      k += mask[Time(p)] != 0;
    }
  }
}

// Rows by their number of steps, the longest first, are dealt to the groups in turn, so that groups
// take about as long as each other.
void RowOrder::DealRows() {
  const int64_t batch = plan_.sizes.batch;
  std::fill_n(starts_, time_ + 2, 0);
  for (int64_t b = 0; b < batch; ++b) ++starts_[time_ - counts_[b] + 1];
  for (int64_t i = 1; i <= time_ + 1; ++i) starts_[i] += starts_[i - 1];
  // Card i of the deck is row deck[i]; lengths_ is not used yet.
  int32_t* deck = lengths_;
  for (int32_t b = 0; b < batch; ++b) deck[starts_[time_ - counts_[b]]++] = b;
  int64_t card = 0;
  for (int64_t r = 0; r < plan_.group; ++r) {
    for (int64_t g = 0; g < plan_.groups; ++g) {
      const int64_t first = plan_.first_row(g);
      if (first + r < plan_.first_row(g + 1)) rows_[first + r] = deck[card++];
    }
  }
  for (int64_t i = 0; i < batch; ++i) lengths_[i] = counts_[rows_[i]];
}

void RowOrder::Fill(const int32_t* mask) {
  const int64_t batch = plan_.sizes.batch;
  if (positions_ != nullptr) {
    FindPositions(mask);
    DealRows();
  } else {
    for (int64_t i = 0; i < batch; ++i) {
      rows_[i] = static_cast<int32_t>(i);
      lengths_[i] = static_cast<int32_t>(time_);
    }
  }
  for (int64_t g = 0; g < plan_.groups; ++g) {
    const int32_t* length = lengths_ + plan_.first_row(g);
    int64_t active = plan_.first_row(g + 1) - plan_.first_row(g);
    int32_t* offset = offsets_ + g * (time_ + 2);
    offset[0] = 0;
    for (int64_t k = 0; k <= time_; ++k) {
      while (active > 0 && length[active - 1] <= k) --active;
      offset[k + 1] = offset[k] + static_cast<int32_t>(active);
    }
  }
}

GroupRows RowOrder::group(int64_t g) const {
  const int64_t first = plan_.first_row(g);
  return {.count = plan_.first_row(g + 1) - first,
          .steps = lengths_[first],
          .row = rows_ + first,
          .length = lengths_ + first,
          .offset = offsets_ + g * (time_ + 2)};
}

GroupTrace::GroupTrace(const RecurrencePlan& plan, bool whole, Pieces pieces) {
  const CellLayout layout = LayoutOf(plan.sizes);
  const int64_t rows = (whole ? plan.sizes.time : 2) * plan.group;
  if (whole) kept = pieces.Take(rows * layout.kept * plan.width);
  before = pieces.Take(rows * plan.width);
  if (layout.has_cell) cells = pieces.Take(rows * plan.width);
  bytes = pieces.bytes();
}

ForwardArea::ForwardArea(const RecurrencePlan& plan, Pieces pieces) {
  const CellLayout layout = LayoutOf(plan.sizes);
  const int64_t state = plan.group * plan.width;
  x = pieces.Take(plan.sizes.projected ? 0 : plan.chunk * plan.group * plan.x_stride);
  z = pieces.Take(plan.chunk * layout.inputs * state);
  sums = pieces.Take(layout.gates * state);
  product = pieces.Take(state);
  scaled = pieces.Take(state);
  reset = pieces.Take(state);
  last = pieces.Take(state);
  last_cell = pieces.Take(layout.has_cell ? state : 0);
  unused = pieces.Take(state);
  const int64_t trace_bytes = GroupTrace(plan, /*whole=*/false, Pieces(nullptr)).bytes;
  trace = pieces.Take<char>(trace_bytes);
  bytes = pieces.bytes();
}

BackwardArea::BackwardArea(const RecurrencePlan& plan, Pieces pieces) {
  const CellLayout layout = LayoutOf(plan.sizes);
  const RecurrenceSizes& sizes = plan.sizes;
  const int64_t state = plan.group * plan.width, rows = plan.chunk * plan.group;
  dz = pieces.Take(rows * DzStride(plan));
  x = pieces.Take(sizes.projected ? 0 : rows * plan.x_stride);
  dx = pieces.Take(sizes.projected ? 0 : rows * plan.x_stride);
  dh = pieces.Take(state);
  dc = pieces.Take(layout.has_cell ? state : 0);
  carry = pieces.Take(layout.gates == 3 ? state : 0);
  gate = pieces.Take(state);
  scaled = pieces.Take(sizes.dropout ? rows * plan.width : 0);
  du = pieces.Take(((sizes.units + plan.input_rows) * layout.gates + layout.dz + layout.peepholes) *
                   plan.width);
  dw = du + sizes.units * layout.gates * plan.width;
  db = dw + plan.input_rows * layout.gates * plan.width;
  bytes = pieces.bytes();
}

RecurrenceJob::RecurrenceJob(const RecurrencePlan& plan, Pieces& pieces, void* packed)
    : plan(plan), layout(LayoutOf(plan.sizes)), order(plan, pieces) {
  Pieces weights(packed);
  TakeWeights(packed == nullptr ? pieces : weights);
}

void RecurrenceJob::TakeWeights(Pieces& pieces) {
  const RecurrenceSizes& sizes = plan.sizes;
  const int64_t vectors = layout.gates * plan.width / plan.lanes;
  u = PackedMatrix::Take(pieces, sizes.weights, sizes.units, vectors, plan.lanes);
  w = PackedMatrix::Take(pieces, sizes.weights, sizes.projected ? 0 : sizes.features, vectors,
                         plan.lanes);
  bias = pieces.Take((layout.inputs + layout.peepholes) * plan.width);
  peepholes = layout.peepholes > 0 ? bias + layout.inputs * plan.width : nullptr;
  table = plan.packs_table ? pieces.Take(sizes.rows * layout.inputs * plan.width) : nullptr;
}

std::pair<int, int> RecurrenceJob::part(int i) const {
  if (plan.sizes.dropout) return {i, i + 1};
  return i == 0 ? std::pair(0, layout.split) : std::pair(layout.split, layout.gates);
}

namespace {

// Of what forward leaves of all groups.
int64_t TraceBytes(const RecurrencePlan& plan) {
  return plan.groups * GroupTrace(plan, /*whole=*/true, Pieces(nullptr)).bytes;
}

}  // namespace

ForwardJob::ForwardJob(const RecurrencePlan& plan, Pieces& pieces, void* packed)
    : RecurrenceJob(plan, pieces, packed) {
  area_bytes = ForwardArea(plan, Pieces(nullptr)).bytes;
  areas = pieces.Take<char>(plan.forward_tasks * area_bytes);
}

void PrepareArea(const RecurrenceJob& job, const ForwardArea& area) {
  const int64_t width = job.plan.width, row = job.layout.inputs * width;
  if (job.layout.inputs == job.layout.gates) return;
  for (int64_t r = 0; r < job.plan.chunk * job.plan.group; ++r) {
    std::copy_n(job.bias + 2 * width, width, area.z + r * row + 2 * width);  // b'_n
  }
}

BackwardJob::BackwardJob(const RecurrencePlan& plan, bool anew, Pieces& pieces)
    : RecurrenceJob(plan, pieces), anew(anew) {
  const int64_t row = layout.gates * plan.width;
  u_transposed = pieces.Take(plan.width * row);
  w_transposed =
      pieces.Take(plan.sizes.projected ? 0 : RoundUp(plan.sizes.features, plan.lanes) * row);
  area_bytes = BackwardArea(plan, Pieces(nullptr)).bytes;
  areas = pieces.Take<char>(plan.backward_tasks * area_bytes);
  const RecurrenceSizes& sizes = plan.sizes;
  const bool later = sizes.rows > 0 && plan.input_rows == 0;
  const int64_t tokens = later ? sizes.batch * sizes.time : 0;
  dx_rows = pieces.Take(tokens * sizes.columns());
  table_sums = pieces.Take(later ? ScatterAddScratch(tokens, sizes.columns(), sizes.rows) : 0);
  if (!anew) return;
  forward_bytes = ForwardArea(plan, Pieces(nullptr)).bytes;
  forward_areas = pieces.Take<char>(plan.backward_tasks * forward_bytes);
  traces = pieces.Take<char>(TraceBytes(plan));
}

namespace {

RecurrencePlan MakePlan(const RecurrenceSizes& sizes) {
  RecurrencePlan plan;
  plan.sizes = sizes;
  plan.lanes = FloatsInVector(sizes.units);
  plan.width = RoundUp(std::max<int64_t>(sizes.units, 1), plan.lanes);
  plan.x_stride = RoundUp(sizes.features, plan.lanes);
  // A step of a group has to be done before the next: it should be long against its latency and
  // use each row of the weights often.
  constexpr int64_t kGroup = 32;
  plan.groups = std::max<int64_t>(1, (sizes.batch + kGroup - 1) / kGroup);
  plan.group = (sizes.batch + plan.groups - 1) / plan.groups;
  // Sums of a chunk fit the second-level cache; but a chunk goes once over all sums of weights'
  // gradients, so it should not be short.
  constexpr int64_t kFloatsInChunk = 1 << 16, kRowsInChunk = 256;
  const int64_t row = LayoutOf(sizes).dz * plan.width;
  const int64_t rows = std::max(kFloatsInChunk / row, kRowsInChunk);
  plan.chunk = std::clamp<int64_t>(rows / std::max<int64_t>(plan.group, 1), 1,
                                   std::max<int64_t>(sizes.time, 1));
  plan.forward_tasks = std::min(plan.groups, kMaxRecurrenceTasks);
  // Each row of a task's sums is cleared and added, which takes about as long as a step of a row.
  plan.input_rows = sizes.rows > 0 ? sizes.rows : sizes.projected ? 0 : sizes.features;
  const int64_t sums = sizes.units + plan.input_rows, tokens = sizes.batch * sizes.time;
  constexpr int64_t kFewTasks = 8;
  const bool sums_are_cheap = 4 * kMaxRecurrenceTasks * sums <= tokens;
  plan.backward_tasks = std::min(plan.groups, sums_are_cheap ? kMaxRecurrenceTasks : kFewTasks);
  // Those of a table of many rows are not: see docs/design/0023.
  if (plan.backward_tasks * sizes.rows > tokens) plan.input_rows = 0;
  // A row that is packed saves a tenth of a step, and packing it takes about a fifth of one. What
  // is kept between calls is worth it unless it is too large for a cache.
  constexpr int64_t kSmallTable = 1 << 18;  // floats
  plan.packs_table =
      sizes.rows > 0 &&
      (4 * sizes.rows <= tokens || (!sizes.trained && sizes.rows * sizes.columns() <= kSmallTable));
  return plan;
}

}  // namespace

Recurrence::Recurrence(const RecurrenceSizes& sizes) : plan_(MakePlan(sizes)) {
  workspace_bytes_ = TraceBytes(plan_);
  Pieces forward(nullptr), packed(nullptr);
  ForwardJob(plan_, forward).TakeWeights(packed);
  forward_bytes_ = forward.bytes();
  packed_bytes_ = packed.bytes();
  // All but the weights, whose pieces come between others.
  forward_packed_bytes_ = forward_bytes_ - packed_bytes_;
  for (const bool anew : {false, true}) {
    Pieces backward(nullptr);
    BackwardJob(plan_, anew, backward);
    backward_bytes_[anew] = backward.bytes();
  }
}

absl::Status Recurrence::Validate(const RecurrenceSizes& sizes) {
  if (std::min({sizes.batch, sizes.time, sizes.units, sizes.projected ? 1 : sizes.features}) < 1) {
    return InvalidArgument(
        "a recurrence with an extent of 0: steps, batch, features and units must be at least 1");
  }
  const double rows = static_cast<double>(sizes.time) * static_cast<double>(sizes.batch);
  const double widest = static_cast<double>(std::max(sizes.features, sizes.columns()));
  if (rows <= INT32_MAX && 4.0 * rows * widest <= 1e11 && 4.0 * widest * widest <= 1e10) {
    return absl::OkStatus();
  }
  return ResourceExhausted("a recurrence of ", sizes.time, " steps, batch ", sizes.batch, ", ",
                           sizes.features, " features and ", sizes.units,
                           " units needs more than 100 GB");
}

void Recurrence::Forward(const RecurrenceOperands& in, const RecurrenceOutputs& out,
                         void* workspace, void* scratch, ThreadPool& pool,
                         PackedWeights packed) const {
  Pieces pieces(scratch);
  ForwardJob job(plan_, pieces, packed.memory);
  job.in = in;
  job.out = out;
  job.traces = static_cast<char*>(workspace);
  if (packed.memory == nullptr || !packed.current) PackForward(job);
  if (plan_.one_step() && workspace == nullptr) {
    const StepCell cell = FindStepCell(job);
    pool.ParallelFor(plan_.forward_tasks,
                     [&](int64_t task) { StepTask(job, job.area(task), task, cell); });
    return;
  }
  job.order.Fill(in.mask);
  pool.ParallelFor(plan_.forward_tasks, [&job](int64_t task) { ForwardTask(job, task); });
}

void Recurrence::Backward(const RecurrenceOperands& in, const RecurrenceOutputGradients& incoming,
                          const RecurrenceGradients& out, void* workspace, void* scratch,
                          ThreadPool& pool) const {
  Pieces pieces(scratch);
  BackwardJob job(plan_, /*anew=*/workspace == nullptr, pieces);
  job.in = in;
  job.incoming = incoming;
  job.out = out;
  if (!job.anew) job.traces = static_cast<char*>(workspace);
  job.order.Fill(in.mask);
  if (job.anew) PackForward(job);
  PackBackward(job);
  // The last one first: a cache still has what forward left of it.
  const int64_t last = plan_.backward_tasks - 1;
  pool.ParallelFor(last + 1, [&job, last](int64_t task) { BackwardTask(job, last - task); });
  constexpr int64_t kFloatsWorthParts = 1 << 14;
  const int64_t floats = job.sum_rows() * plan_.sizes.columns() * plan_.backward_tasks;
  const int64_t parts = floats < kFloatsWorthParts ? 1 : 8;
  pool.ParallelFor(parts, [&job, parts](int64_t part) { AddTasks(job, part, parts); });
  if (!job.sums_rows_later()) return;
  const RecurrenceSizes& sizes = plan_.sizes;
  ScatterAddRows(job.dx_rows, in.ids, sizes.batch * sizes.time, sizes.columns(), sizes.rows, out.dx,
                 job.table_sums, pool);
}

std::string Recurrence::Describe() const {
  static constexpr const char* kNames[] = {"rnn", "lstm", "gru", "gru (reset before)"};
  const RecurrenceSizes& sizes = plan_.sizes;
  std::string text = absl::StrCat("simd ", kNames[static_cast<int>(sizes.cell)], " ", TargetName(),
                                  ": ", plan_.width / plan_.lanes, " vectors of ", plan_.lanes,
                                  " lanes, ", plan_.group, " rows together");
  if (sizes.projected) text += sizes.rows > 0 ? ", looked-up input" : ", projected input";
  if (sizes.masked) text += ", masked";
  if (sizes.dropout) text += ", dropout";
  if (sizes.reverse) text += ", reverse";
  if (sizes.weights != WeightFormat::kFloat32) {
    absl::StrAppend(&text, ", ", WeightFormatName(sizes.weights), " weights");
  }
  return text;
}

}  // namespace seqgraph::kernels
