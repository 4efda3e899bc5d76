#include "distributed/step_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "distributed/tree_reduce.h"

namespace seqgraph {
namespace {

constexpr double kWellUsed = 0.8;  // the efficiency from which ranks are said to pay
constexpr int64_t kMostRows = 1'000'000'000;

int64_t BlocksOf(const StepFacts& facts) {
  return (facts.batch + facts.block_rows - 1) / facts.block_rows;
}

// The rank that has the most to do, and what all have.
struct Share {
  int64_t blocks = 0, nodes = 0;  // after its own additions
  double rows = 0;                // in blocks: the last block of all may be a part of one
  double all_rows = 0;
};

Share LargestShare(const StepFacts& facts, int ranks) {
  const int64_t blocks = BlocksOf(facts);
  const IndexRange own = PartOf(blocks, ranks, 0);
  Share share;
  share.blocks = own.size();
  share.nodes = static_cast<int64_t>(BlockTree(blocks).NodesIn(own).size());
  share.all_rows = static_cast<double>(facts.batch) / static_cast<double>(facts.block_rows);
  share.rows = std::min(static_cast<double>(share.blocks), share.all_rows);
  return share;
}

// How many times longer computing takes where ranks take turns on cores.
double TakingTurns(const StepFacts& facts, int ranks) {
  return facts.cores == 0 || ranks <= facts.cores
             ? 1
             : static_cast<double>(ranks) / static_cast<double>(facts.cores);
}

// Each takes its own time, or all together the cores'.
double ComputingSeconds(const StepFacts& facts, const Share& share) {
  const double all = share.all_rows / std::max(facts.cores, 1);
  return (facts.cores == 0 ? share.rows : std::max(share.rows, all)) * facts.block_seconds;
}

// Seconds from the end of the last block's backward pass until the last bucket has been reduced:
// each goes when it is there and the one before it has gone. What is received is added then.
double SecondsOfReducing(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                         const std::vector<int64_t>& buckets, StepPlan& plan) {
  NetworkCosts without_adding = costs;
  without_adding.per_added_byte = 0;
  const double backward = facts.block_seconds * facts.backward_share;
  double free = 0, adding = 0, elements = 0;
  for (const int64_t bucket : buckets) {
    elements += static_cast<double>(bucket);
    const double made =
        buckets.size() == 1 ? backward : backward * elements / static_cast<double>(facts.weights);
    const CollectiveCost all = ReduceScatterCost(costs, ranks, BlocksOf(facts), bucket);
    const double moving = ReduceScatterCost(without_adding, ranks, BlocksOf(facts), bucket).seconds;
    free = std::max(free, made) + moving;
    adding += all.seconds - moving;
    plan.traffic += all.bytes;
  }
  return free - backward + adding;
}

// What TreeReduceScatter keeps: an array for each node on its stack and one that is filled, what
// comes from others, and one share a level of the tree.
int64_t GradientFloats(const StepFacts& facts, int ranks, const Share& share) {
  const auto arrays = static_cast<int64_t>(std::log2(std::max<int64_t>(share.blocks, 1))) + 1;
  if (ranks == 1) return arrays * facts.weights;
  const int64_t own = PartOf(facts.weights, ranks, 0, TreeReduceScatter::kUnit).size();
  const BlockTree tree(BlocksOf(facts));
  int64_t received = 0, levels = 3;
  for (int r = 1; r < ranks; ++r) {
    received += static_cast<int64_t>(tree.NodesIn(PartOf(tree.blocks(), ranks, r)).size());
  }
  for (int64_t blocks = 1; blocks < tree.blocks(); blocks *= 2) ++levels;
  return std::max(arrays, share.nodes) * facts.weights + (received + levels) * own;
}

void PlanMemory(const StepFacts& facts, const Share& share, StepPlan& plan) {
  constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));
  const int64_t own = plan.ranks == 1
                          ? facts.weights
                          : PartOf(facts.weights, plan.ranks, 0, TreeReduceScatter::kUnit).size();
  plan.weight_bytes = facts.weights * kFloatBytes * (plan.ranks == 1 ? 1 : 2);
  plan.gradient_bytes = GradientFloats(facts, plan.ranks, share) * kFloatBytes;
  plan.optimizer_bytes = own * facts.slots * kFloatBytes;
  plan.call_bytes = facts.call_bytes;
}

double SecondsOfOne(const StepFacts& facts, const NetworkCosts& costs) {
  return PlanStep(facts, costs, 1).seconds;
}

std::string Seconds(double seconds) {
  if (seconds < 1e-3) return absl::StrFormat("%.3g us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.3g ms", seconds * 1e3);
  return absl::StrFormat("%.3g s", seconds);
}

std::string Bytes(double bytes) {
  if (bytes < 1e6) return absl::StrFormat("%.3g KB", bytes / 1e3);
  if (bytes < 1e9) return absl::StrFormat("%.3g MB", bytes / 1e6);
  return absl::StrFormat("%.3g GB", bytes / 1e9);
}

}  // namespace

std::vector<int64_t> BucketsOf(const StepFacts& facts, const StepOptions& options) {
  if (!options.overlap || facts.tensors.empty()) return {facts.weights};
  std::vector<int64_t> buckets;
  for (const IndexRange tensors :
       GroupsFromTheLast(facts.tensors, FloatsOfBucket(options.bucket_bytes))) {
    buckets.push_back(std::accumulate(facts.tensors.begin() + tensors.begin,
                                      facts.tensors.begin() + tensors.end, int64_t{0}));
  }
  return buckets;
}

StepPlan PlanStep(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                  const StepOptions& options) {
  const Share share = LargestShare(facts, ranks);
  const double turns = TakingTurns(facts, ranks);
  StepPlan plan{.ranks = ranks};
  const double array_bytes = static_cast<double>(facts.weights) * sizeof(float);
  // Besides what is added, each block's gradient is put where it is added, and the weights back.
  const auto arrays = static_cast<double>(2 * share.blocks - share.nodes + 1);
  const double moved = arrays * array_bytes * costs.per_added_byte * turns;
  const double computing = ComputingSeconds(facts, share) + moved +
                           facts.optimizer_seconds / static_cast<double>(ranks) * turns;
  if (ranks > 1) {
    const std::vector<int64_t> buckets = BucketsOf(facts, options);
    plan.communication = SecondsOfReducing(facts, costs, ranks, buckets, plan);
    for (const int64_t bucket : buckets) {
      const CollectiveCost gather = AllGatherCost(costs, ranks, bucket);
      plan.communication += gather.seconds;
      plan.traffic += gather.bytes;
    }
    const auto rows =
        static_cast<int64_t>(std::ceil(share.rows * static_cast<double>(facts.block_rows)));
    const CollectiveCost records = GatherCost(costs, ranks, rows * facts.record_bytes);
    const CollectiveCost command = BroadcastCost(costs, ranks, facts.command_bytes);
    plan.communication += records.seconds + command.seconds;
    plan.traffic += std::max(records.bytes, command.bytes);
  }
  plan.seconds = computing + plan.communication;
  plan.samples_per_second = static_cast<double>(facts.batch) / plan.seconds;
  if (ranks > 1) plan.efficiency = SecondsOfOne(facts, costs) / (ranks * plan.seconds);
  PlanMemory(facts, share, plan);
  return plan;
}

std::vector<int> RanksToShow(int ranks) {
  std::vector<int> shown;
  for (int64_t r = 1; r < ranks; r *= 2) shown.push_back(static_cast<int>(r));
  shown.push_back(ranks);
  return shown;
}

int64_t LeastBatch(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                   const StepOptions& options, double efficiency) {
  StepFacts larger = facts;
  for (int64_t each = 1; each * facts.block_rows * ranks < kMostRows; each *= 2) {
    larger.batch = each * facts.block_rows * ranks;
    // The tree over very many blocks says no more than that over some.
    if (each > 1024) {
      larger.block_seconds *= 2;
      larger.batch = 1024 * facts.block_rows * ranks;
    }
    if (PlanStep(larger, costs, ranks, options).efficiency >= efficiency) {
      return each * facts.block_rows * ranks;
    }
  }
  return 0;
}

std::string StepAdvice(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                       const StepOptions& options) {
  const double one = SecondsOfOne(facts, costs);
  const std::string step =
      absl::StrCat("A step of ", Seconds(one), " and ",
                   Bytes(static_cast<double>(facts.weights) * sizeof(float)), " of gradients: ");
  if (ranks == 1) return absl::StrCat(step, "one rank has nobody to exchange them with.\n");
  const StepPlan plan = PlanStep(facts, costs, ranks, options);
  const int64_t least = LeastBatch(facts, costs, ranks, options, kWellUsed);
  const std::string batch =
      least == 0 ? absl::StrCat("no batch below 10^9 rows keeps ", ranks, " ranks busy")
                 : absl::StrFormat("a batch of at least %d rows keeps %d ranks busy to %.0f %%",
                                   least, ranks, 100 * kWellUsed);
  if (plan.efficiency >= kWellUsed) {
    return absl::StrCat(
        step, ranks, " ranks make it ",
        absl::StrFormat("%.3g times as fast, with %.0f %% of the time in messages",
                        one / plan.seconds, 100 * plan.communication / plan.seconds),
        ". Data-parallel steps (`train --distributed`) pay.\n");
  }
  if (plan.seconds >= one) {
    return absl::StrCat(step, "messages between ", ranks, " ranks take ",
                        Seconds(plan.communication), ", and a step ", Seconds(plan.seconds),
                        ": no faster than one rank. Run independent trainings instead (`sweep`); ",
                        batch, ".\n");
  }
  const std::vector<int> shown = RanksToShow(ranks);
  int well_used = 1;
  for (const int r : shown) {
    if (PlanStep(facts, costs, r, options).efficiency >= kWellUsed) well_used = r;
  }
  const int64_t blocks = BlocksOf(facts);
  return absl::StrCat(
      step, ranks, " ranks make it only ",
      absl::StrFormat("%.3g times as fast (efficiency %.0f %%)", one / plan.seconds,
                      100 * plan.efficiency),
      blocks < ranks ? absl::StrCat("; ", blocks, " blocks of rows are work for as many ranks")
                     : "",
      ". ",
      well_used > 1 ? absl::StrCat(well_used, " ranks are well used with this batch; ")
                    : "Independent trainings (`sweep`) use them better; ",
      batch, ".\n");
}

}  // namespace seqgraph
