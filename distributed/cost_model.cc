#include "distributed/cost_model.h"

#include <algorithm>

#include "distributed/tree_reduce.h"

namespace seqgraph {
namespace {

constexpr int64_t kFloat = sizeof(float);

int64_t RoundsOfTree(int ranks) {
  int64_t rounds = 0;
  for (int64_t reached = 1; reached < ranks; reached *= 2) ++rounds;
  return rounds;
}

}  // namespace

double MessageSeconds(const NetworkCosts& costs, double bytes) {
  return costs.latency + bytes * costs.per_byte;
}

double ExchangeSeconds(const NetworkCosts& costs, int64_t messages, double bytes) {
  if (messages == 0) return 0;
  const double link = bytes * costs.per_byte, busy = costs.busy();
  const auto count = static_cast<double>(messages);
  return std::max(costs.latency + link + (count - 1) * std::max(busy, link), 2 * count * busy);
}

CollectiveCost ReduceScatterCost(const NetworkCosts& costs, int ranks, int64_t blocks,
                                 int64_t elements) {
  CollectiveCost cost;
  if (ranks == 1) return cost;
  const BlockTree tree(blocks);
  int64_t all = 0, most = 0, least = blocks;
  for (int r = 0; r < ranks; ++r) {
    const auto nodes = static_cast<int64_t>(tree.NodesIn(PartOf(blocks, ranks, r)).size());
    all += nodes;
    most = std::max(most, nodes);
    least = std::min(least, nodes);
  }
  // The first rank has the largest share.
  const int64_t share = PartOf(elements, ranks, 0, TreeReduceScatter::kUnit).size();
  cost.messages = most * (ranks - 1);
  cost.bytes = most * elements * (ranks - 1) / ranks * kFloat;
  const int64_t received = all - least;
  cost.seconds = ExchangeSeconds(costs, std::max(cost.messages, received),
                                 static_cast<double>(share * kFloat)) +
                 static_cast<double>((all - 1) * share * kFloat) * costs.per_added_byte;
  return cost;
}

CollectiveCost AllGatherCost(const NetworkCosts& costs, int ranks, int64_t elements) {
  const int64_t rounds = ranks - 1;
  const int64_t share = PartOf(elements, ranks, 0, TreeReduceScatter::kUnit).size();
  return {static_cast<double>(rounds) * MessageSeconds(costs, static_cast<double>(share * kFloat)),
          rounds, elements * rounds / ranks * kFloat};
}

CollectiveCost BroadcastCost(const NetworkCosts& costs, int ranks, int64_t bytes) {
  const int64_t rounds = RoundsOfTree(ranks);
  return {static_cast<double>(rounds) * MessageSeconds(costs, static_cast<double>(bytes)), rounds,
          rounds * bytes};
}

CollectiveCost GatherCost(const NetworkCosts& costs, int ranks, int64_t bytes) {
  if (ranks == 1) return {};
  const double others = ranks - 1;
  const int64_t with_length = bytes + static_cast<int64_t>(sizeof(int64_t));
  return {costs.latency +
              std::max((2 * others - 1) * costs.busy(),
                       costs.busy() + others * static_cast<double>(with_length) * costs.per_byte),
          bytes > 0 ? 2 : 1, with_length};
}

CollectiveCost BarrierCost(const NetworkCosts& costs, int ranks) {
  const int64_t rounds = RoundsOfTree(ranks);
  return {static_cast<double>(rounds) * MessageSeconds(costs, 1), rounds, rounds};
}

}  // namespace seqgraph
