#include "backends/kernels/rnn_loops.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "backends/kernels/rnn_job.h"
#include "backends/kernels/rnn_passes.h"
#include "backends/kernels/target.h"

namespace seqgraph::kernels {
namespace {

constexpr int64_t kFloat = sizeof(float);

// Areas of tasks lie one behind the other.
template <typename Area>
Area AreaOfTask(const RnnPlan& plan, float* areas, int64_t task) {
  const int64_t floats = Area(plan, Pieces(nullptr)).floats;
  return Area(plan, Pieces(areas + task * floats));
}

}  // namespace

bool RnnFitsRegisters(int64_t units) { return units <= LanesOfTarget().in_registers; }

RnnPlan MakeRnnPlan(const RnnSizes& sizes) {
  const RnnLanes lanes = LanesOfTarget();
  RnnPlan plan;
  plan.sizes = sizes;
  plan.in_registers = sizes.units <= lanes.in_registers;
  plan.lanes = plan.in_registers ? lanes.in_registers : lanes.vector;
  plan.width = RoundUp(std::max<int64_t>(sizes.units, 1), plan.lanes);
  if (plan.in_registers) {
    plan.group = 32;
    plan.chunk = 128;
  } else {
    // One step of a group has to be done before the next: it should be long against its latency.
    // What a chunk holds fits the second-level cache.
    plan.group = plan.width <= 32 ? 64 : plan.width <= 64 ? 48 : 24;
    plan.chunk = plan.width <= 32 ? 24 : 12;
  }
  const int64_t tokens = plan.group * plan.chunk;  // of a whole group in a chunk
  plan.group = std::min(plan.group, std::max<int64_t>(sizes.batch, 1));
  // Few samples have longer chunks: each goes once over all sums of weights' gradients.
  if (!plan.in_registers) plan.chunk = tokens / plan.group;
  plan.chunk = std::min(plan.chunk, sizes.time);
  plan.groups = (sizes.batch + plan.group - 1) / plan.group;
  plan.forward_tasks = std::min(std::max<int64_t>(plan.groups, 1), kMaxRnnTasks);
  // Each row of a task's sums is cleared and added twice, which takes about as long as one step of
  // one sample.
  const int64_t rows = sizes.units + sizes.features + sizes.rows;
  constexpr int64_t kFewTasks = 8;
  const bool sums_are_cheap = 8 * kMaxRnnTasks * rows <= sizes.batch * sizes.time;
  plan.backward_tasks = std::min(plan.forward_tasks, sums_are_cheap ? kMaxRnnTasks : kFewTasks);
  plan.sums_table =
      plan.backward_tasks == 1 || plan.backward_tasks * sizes.rows <= 2 * sizes.batch * sizes.time;
  plan.rows.sizes = {
      .batch = sizes.batch, .time = sizes.time, .reverse = sizes.reverse, .masked = sizes.masked};
  plan.rows.groups = plan.groups;
  plan.rows.group = plan.group;
  return plan;
}

RnnForwardArea::RnnForwardArea(const RnnPlan& plan, Pieces scratch) {
  const int64_t state = plan.group * plan.width;
  z = scratch.Take(plan.chunk * state);
  states = scratch.Take(2 * state);
  sequence = scratch.Take(plan.in_registers ? plan.chunk * state : 0);
  ids = scratch.Take<int32_t>(plan.sizes.ordered() ? plan.chunk * plan.group : 0);
  floats = scratch.bytes() / kFloat;
}

RnnForwardJob::RnnForwardJob(const RnnPlan& plan, Pieces& scratch) : plan(plan) {
  const int64_t width = plan.width;
  u = scratch.Take(plan.sizes.units * width + width * width * plan.in_registers);
  w = scratch.Take(plan.sizes.features * width);
  bias = scratch.Take(width);
  areas = scratch.Take(plan.forward_tasks * RnnForwardArea(plan, Pieces(nullptr)).floats);
  if (plan.sizes.ordered()) order.emplace(plan.rows, scratch);
}

RnnForwardArea RnnForwardJob::area(int64_t task) const {
  return AreaOfTask<RnnForwardArea>(plan, areas, task);
}

RnnBackwardArea::RnnBackwardArea(const RnnPlan& plan, Pieces scratch) {
  const RnnSizes& sizes = plan.sizes;
  const int64_t width = plan.width, state = plan.group * width;
  dz = scratch.Take((plan.chunk + 1) * state);
  if (plan.in_registers) {
    states = scratch.Take(plan.chunk * state);
    carry = scratch.Take(2 * state);
    d_sequence = scratch.Take(plan.chunk * state);
    du_diagonals = scratch.Take(width * width);
  }
  ids = scratch.Take<int32_t>(sizes.ordered() ? plan.chunk * plan.group : 0);
  dx = scratch.Take(plan.chunk * RoundUp(sizes.features, plan.lanes));
  if (!plan.in_registers) dh = scratch.Take(state);
  du = scratch.Take(plan.sum_rows() * width);
  floats = scratch.bytes() / kFloat;
  if (du == nullptr) return;
  db = du + sizes.units * width;
  dw = db + width;
  dtable = dw + sizes.features * width;
}

RnnBackwardJob::RnnBackwardJob(const RnnPlan& plan, Pieces& scratch) : plan(plan) {
  const RnnSizes& sizes = plan.sizes;
  const int64_t width = plan.width;
  u = scratch.Take(sizes.units * width + width * width * plan.in_registers);
  w = scratch.Take(sizes.units * RoundUp(sizes.features, plan.lanes));
  const bool keeps_dz = sizes.input == RnnInput::kLookup && !plan.sums_table;
  dz_all = scratch.Take(keeps_dz ? sizes.batch * sizes.time * width : 0);
  areas = scratch.Take(plan.backward_tasks * RnnBackwardArea(plan, Pieces(nullptr)).floats);
  if (sizes.ordered()) order.emplace(plan.rows, scratch);
  for (int64_t t = 0; t < plan.backward_tasks; t += kRnnTeam) {
    teams[t / kRnnTeam].unfinished_tasks = std::min(kRnnTeam, plan.backward_tasks - t);
  }
}

RnnBackwardArea RnnBackwardJob::area(int64_t task) const {
  return AreaOfTask<RnnBackwardArea>(plan, areas, task);
}

int64_t RnnForwardScratch(const RnnPlan& plan) {
  Pieces scratch(nullptr);
  RnnForwardJob job(plan, scratch);
  return scratch.bytes();
}

int64_t RnnBackwardScratch(const RnnPlan& plan) {
  Pieces scratch(nullptr);
  RnnBackwardJob job(plan, scratch);
  return scratch.bytes();
}

void RnnForward(const RnnPlan& plan, const RnnOperands& operands, const RnnOutputs& outputs,
                void* scratch, kernels::ThreadPool& pool) {
  Pieces pieces(scratch);
  RnnForwardJob job(plan, pieces);
  job.in = operands;
  job.out = outputs;
  PackForward(job);
  if (plan.groups == 0) return;
  if (job.order.has_value()) job.order->Fill(operands.mask);
  pool.ParallelFor(plan.forward_tasks, [&job](int64_t task) { ForwardTask(job, task); });
}

void RnnBackward(const RnnPlan& plan, const RnnOperands& operands,
                 const RnnOutputGradients& incoming, const RnnGradients& gradients, void* scratch,
                 kernels::ThreadPool& pool) {
  Pieces pieces(scratch);
  RnnBackwardJob job(plan, pieces);
  job.in = operands;
  job.incoming = incoming;
  job.out = gradients;
  PackBackward(job);
  if (job.order.has_value()) {
    job.order->Fill(operands.mask);
    const float* const end = operands.u + plan.sizes.units * plan.sizes.units;
    job.exact = !std::all_of(operands.u, end, [](float u) { return std::isfinite(u); });
  }
  pool.ParallelFor(plan.backward_tasks, [&job](int64_t task) {
    BackwardTask(job, task);
    if (job.EndsTeam(task)) AddTeam(job, task / kRnnTeam);
  });
  constexpr int64_t kFloatsWorthParts = 1 << 14;
  const int64_t floats = plan.teams() * plan.sum_rows() * plan.width;
  const int64_t sum_parts = floats < kFloatsWorthParts ? 1 : 8;
  pool.ParallelFor(sum_parts, [&job, sum_parts](int64_t part) { AddTeams(job, part, sum_parts); });
  if (gradients.dtable == nullptr || plan.sums_table) return;
  // Each part looks at all ids, so that few tokens are left to one.
  constexpr int64_t kTokensWorthParts = 1 << 15;
  const int64_t rows = plan.sizes.rows;
  const int64_t parts = plan.sizes.batch * plan.sizes.time < kTokensWorthParts ? 1 : 4;
  pool.ParallelFor(parts, [&job, rows, parts](int64_t part) {
    SumTableRows(job, part * rows / parts, (part + 1) * rows / parts);
  });
}

std::string DescribeRnn(const RnnPlan& plan) {
  return absl::StrCat("simd rnn ", kernels::TargetName(), ": ",
                      plan.in_registers ? "a state is one vector of "
                                        : absl::StrCat(plan.width / plan.lanes, " vectors of "),
                      plan.lanes, " lanes, ", plan.group, " samples together",
                      plan.sizes.masked ? ", masked" : "", plan.sizes.reverse ? ", reverse" : "");
}

}  // namespace seqgraph::kernels
