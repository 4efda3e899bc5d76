#include "backends/simd/rnn_loops.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "backends/simd/rnn_job.h"
#include "backends/simd/rnn_passes.h"
#include "backends/simd/target.h"

namespace seqgraph::simd {
namespace {

int64_t RoundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace

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
  plan.tasks = std::min(std::max<int64_t>(plan.groups, 1), kMaxRnnTasks);
  plan.sums_table = plan.tasks == 1 || plan.tasks * sizes.rows <= 2 * sizes.batch * sizes.time;
  return plan;
}

RnnForwardJob::RnnForwardJob(const RnnPlan& plan, RnnScratch& scratch) : plan(plan) {
  const int64_t width = plan.width, state = plan.group * width;
  u = scratch.Take(plan.sizes.units * width + width * width * plan.in_registers);
  w = scratch.Take(plan.sizes.features * width);
  bias = scratch.Take(width);
  for (int64_t t = 0; t < plan.tasks; ++t) {
    area[t].z = scratch.Take(plan.chunk * state);
    area[t].states = scratch.Take(2 * state);
    if (plan.in_registers) area[t].sequence = scratch.Take(plan.chunk * state);
  }
}

RnnBackwardJob::RnnBackwardJob(const RnnPlan& plan, RnnScratch& scratch) : plan(plan) {
  const RnnSizes& sizes = plan.sizes;
  const int64_t width = plan.width, state = plan.group * width, units = sizes.units;
  u = scratch.Take(units * width + width * width * plan.in_registers);
  w = scratch.Take(units * RoundUp(sizes.features, plan.lanes));
  const bool lookup = sizes.input == RnnInput::kLookup;
  if (lookup && !plan.sums_table) dz_all = scratch.Take(sizes.batch * sizes.time * width);
  for (int64_t t = 0; t < plan.tasks; ++t) {
    area[t].dz = scratch.Take((plan.chunk + 1) * state);
    if (plan.in_registers) {
      area[t].states = scratch.Take(plan.chunk * state);
      area[t].carry = scratch.Take(2 * state);
      area[t].d_sequence = scratch.Take(plan.chunk * state);
      area[t].du_diagonals = scratch.Take(width * width);
    }
    area[t].dx = scratch.Take(plan.chunk * RoundUp(sizes.features, plan.lanes));
    if (!plan.in_registers) area[t].dh = scratch.Take(state);
    area[t].du = scratch.Take(units * width);
    area[t].db = scratch.Take(width);
    if (sizes.input == RnnInput::kFeatures) area[t].dw = scratch.Take(sizes.features * width);
    if (lookup && plan.sums_table) area[t].dtable = scratch.Take(sizes.rows * width);
  }
}

int64_t RnnForwardScratch(const RnnPlan& plan) {
  RnnScratch scratch(nullptr);
  RnnForwardJob job(plan, scratch);
  return scratch.bytes();
}

int64_t RnnBackwardScratch(const RnnPlan& plan) {
  RnnScratch scratch(nullptr);
  RnnBackwardJob job(plan, scratch);
  return scratch.bytes();
}

void RnnForward(const RnnPlan& plan, const RnnOperands& operands, const RnnOutputs& outputs,
                void* scratch, ThreadPool& pool) {
  RnnScratch pieces(scratch);
  RnnForwardJob job(plan, pieces);
  job.in = operands;
  job.out = outputs;
  PackForward(job);
  if (plan.groups == 0) return;
  pool.ParallelFor(plan.tasks, [&job](int64_t task) { ForwardTask(job, task); });
}

void RnnBackward(const RnnPlan& plan, const RnnOperands& operands,
                 const RnnOutputGradients& incoming, const RnnGradients& gradients, void* scratch,
                 ThreadPool& pool) {
  RnnScratch pieces(scratch);
  RnnBackwardJob job(plan, pieces);
  job.in = operands;
  job.incoming = incoming;
  job.out = gradients;
  PackBackward(job);
  pool.ParallelFor(plan.tasks, [&job](int64_t task) { BackwardTask(job, task); });
  const int64_t added =
      plan.tasks * plan.width *
      (plan.sizes.units + plan.sizes.features + plan.sums_table * plan.sizes.rows);
  constexpr int64_t kFloatsWorthParts = 1 << 14;
  const int64_t sum_parts = added < kFloatsWorthParts ? 1 : 8;
  pool.ParallelFor(sum_parts, [&job, sum_parts](int64_t part) { AddTasks(job, part, sum_parts); });
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
  return absl::StrCat("simd rnn ", TargetName(), ": ",
                      plan.in_registers ? "a state is one vector of "
                                        : absl::StrCat(plan.width / plan.lanes, " vectors of "),
                      plan.lanes, " lanes, ", plan.group, " samples together");
}

}  // namespace seqgraph::simd
