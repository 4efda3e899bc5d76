#include "distributed/cost_model.h"

#include <functional>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "distributed/simulated_transport.h"
#include "distributed/tree_reduce.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// By hand, with 10 s a message, 1 s a byte and 2 s of the processor.
constexpr NetworkCosts kSimple{.latency = 10, .per_byte = 1, .overhead = 2, .per_added_byte = 0.5};

TEST(CostModel, HasTheFormulasOfItsSources) {
  EXPECT_EQ(MessageSeconds(kSimple, 7), 17);
  EXPECT_EQ(ExchangeSeconds(kSimple, 0, 7), 0);
  EXPECT_EQ(ExchangeSeconds(kSimple, 3, 7), 10 + 3 * 7);
  EXPECT_EQ(ExchangeSeconds(kSimple, 3, 1), 10 + 1 + 2 * 2);
  EXPECT_EQ(ExchangeSeconds(kSimple, 9, 1), 2 * 9 * 2);
  // 128 floats, 4 ranks: shares of 32. 3 messages of 128 bytes, and 3 times 128 bytes are added.
  const CollectiveCost reduce = ReduceScatterCost(kSimple, 4, 4, 128);
  EXPECT_EQ(reduce.seconds, 10 + 3 * 128 + 3 * 128 * 0.5);
  EXPECT_EQ(reduce.messages, 3);
  EXPECT_EQ(reduce.bytes, 3 * 128);
  const CollectiveCost gather = AllGatherCost(kSimple, 4, 128);
  EXPECT_EQ(gather.seconds, 3 * (10 + 128));
  EXPECT_EQ(gather.bytes, 3 * 128);
  EXPECT_EQ(BroadcastCost(kSimple, 5, 100).seconds, 3 * (10 + 100));
  EXPECT_EQ(BarrierCost(kSimple, 5).seconds, 3 * (10 + 1));
  EXPECT_EQ(GatherCost(kSimple, 3, 100).seconds, 10 + 2 + 2 * 108);
}

TEST(CostModel, OneRankSendsNothing) {
  for (const CollectiveCost& cost :
       {ReduceScatterCost(kSimple, 1, 5, 100), AllGatherCost(kSimple, 1, 100),
        BroadcastCost(kSimple, 1, 100), GatherCost(kSimple, 1, 100), BarrierCost(kSimple, 1)}) {
    EXPECT_EQ(cost.seconds, 0);
    EXPECT_EQ(cost.messages, 0);
    EXPECT_EQ(cost.bytes, 0);
  }
}

// 5 blocks on 3 ranks: (0 1) | (2 3) | 4, one node each. On 2: 0 1 2 | 3 4 are (0 1), 2 | 3, 4.
TEST(CostModel, CountsTheNodesThatAreLeft) {
  EXPECT_EQ(ReduceScatterCost(kSimple, 3, 5, 48).messages, 2);
  EXPECT_EQ(ReduceScatterCost(kSimple, 2, 5, 64).messages, 2);
  EXPECT_EQ(ReduceScatterCost(kSimple, 2, 5, 64).bytes, 2 * 32 * 4);
  // A rank without a block sends nothing, but takes its share.
  EXPECT_EQ(ReduceScatterCost(kSimple, 4, 1, 64).seconds, 10 + 3 * 64);
}

// The seconds of what runs on each rank of a network without adding.
double Simulated(int ranks, const NetworkCosts& costs,
                 const std::function<absl::Status(Communicator&)>& body) {
  SimulatedNetwork network(ranks, costs);
  const absl::Status status = network.Run([&](SimulatedRank& r) { return body(r.communicator()); });
  EXPECT_TRUE(status.ok()) << status;
  return network.seconds();
}

// The collectives themselves on the simulated network, against the formulas.
TEST(CostModel, IsWhatTheCollectivesTake) {
  const NetworkCosts networks[] = {
      {.latency = 10e-6, .per_byte = 1 / 3.125e9, .overhead = 1e-6, .per_added_byte = 0},
      {.latency = 2e-6, .per_byte = 1 / 12.5e9, .overhead = 0.4e-6, .per_added_byte = 0},
      {.latency = 100e-6, .per_byte = 1 / 0.125e9, .overhead = 5e-6, .per_added_byte = 0}};
  for (const NetworkCosts& costs : networks) {
    for (const int ranks : {2, 4, 16}) {
      for (const int64_t elements : {256, 1 << 20}) {
        SCOPED_TRACE(testing::Message() << costs.latency << ", " << ranks << ", " << elements);
        const double reduced = Simulated(ranks, costs, [&](Communicator& c) {
          TreeReduceScatter reduce(&c, ranks, elements);
          reduce.NextBlock();
          reduce.AddBlock();
          return reduce.Finish();
        });
        EXPECT_NEAR(reduced / ReduceScatterCost(costs, ranks, ranks, elements).seconds, 1, 0.05);
        const double gathered = Simulated(ranks, costs, [&](Communicator& c) {
          std::vector<float> data(static_cast<size_t>(elements));
          std::vector<IndexRange> shares;
          for (int r = 0; r < ranks; ++r) shares.push_back(PartOf(elements, ranks, r, 16));
          return c.AllGather(absl::MakeSpan(data), shares);
        });
        EXPECT_NEAR(gathered / AllGatherCost(costs, ranks, elements).seconds, 1, 1e-6);
      }
      const double barrier = Simulated(ranks, costs, [](Communicator& c) { return c.Barrier(); });
      EXPECT_NEAR(barrier / BarrierCost(costs, ranks).seconds, 1, 0.05);
      const double broadcast = Simulated(ranks, costs, [](Communicator& c) {
        char bytes[100] = {};
        return c.Broadcast(absl::MakeSpan(bytes));
      });
      EXPECT_NEAR(broadcast / BroadcastCost(costs, ranks, 100).seconds, 1, 1e-6);
      for (const int64_t bytes : {100, 10'000}) {
        const double gather = Simulated(ranks, costs, [&](Communicator& c) {
          return c.Gather(std::string(static_cast<size_t>(bytes), 'x')).status();
        });
        EXPECT_NEAR(gather / GatherCost(costs, ranks, bytes).seconds, 1, 0.1) << bytes;
      }
    }
  }
}

}  // namespace
}  // namespace seqgraph
