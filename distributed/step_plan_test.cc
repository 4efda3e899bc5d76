#include "distributed/step_plan.h"

#include <string>

#include "distributed/measure_network.h"
#include "distributed/run_steps.h"
#include "distributed/testing/on_ranks.h"
#include "distributed/thread_transport.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Four blocks of a second each, and 512 bytes of gradients.
StepFacts FourBlocks() {
  StepFacts facts;
  facts.batch = 256;
  facts.block_rows = 64;
  facts.block_seconds = 1;
  facts.backward_share = 0.5;
  facts.optimizer_seconds = 0.4;
  facts.weights = 128;
  facts.slots = 2;
  facts.call_bytes = 10'000;
  return facts;
}

constexpr NetworkCosts kSlow{.latency = 0.01, .per_byte = 1e-4, .overhead = 0, .per_added_byte = 0};

TEST(StepPlan, AddsUpWhatAStepConsistsOf) {
  const StepPlan one = PlanStep(FourBlocks(), kSlow, 1);
  EXPECT_DOUBLE_EQ(one.seconds, 4.4);
  EXPECT_EQ(one.communication, 0);
  EXPECT_EQ(one.traffic, 0);
  EXPECT_EQ(one.efficiency, 1);
  EXPECT_DOUBLE_EQ(one.samples_per_second, 256 / 4.4);
  // Reduce: 3 x 128 bytes. Gather of weights: 3 rounds of 128 bytes. Records: 3 x (64 x 8 + 8)
  // bytes. 24 bytes to all, in 2 rounds.
  const double reduce = 0.01 + 0.0384, weights = 3 * (0.01 + 0.0128), records = 0.01 + 0.156,
               command = 2 * (0.01 + 0.0024);
  const StepPlan four = PlanStep(FourBlocks(), kSlow, 4);
  EXPECT_NEAR(four.communication, reduce + weights + records + command, 1e-12);
  EXPECT_NEAR(four.seconds, 1.1 + four.communication, 1e-12);
  EXPECT_NEAR(four.efficiency, 4.4 / 4 / four.seconds, 1e-12);
  EXPECT_EQ(four.traffic, 3 * 128 + 3 * 128 + 64 * 8 + 8);
}

TEST(StepPlan, BucketsAreOfWholeTensorsTheLastFirst) {
  StepFacts facts = FourBlocks();
  EXPECT_THAT(BucketsOf(facts, {}), ElementsAre(128));
  facts.tensors = {100, 300'000, 10, 200'000};
  facts.weights = 500'110;
  EXPECT_THAT(BucketsOf(facts, {}), ElementsAre(500'010, 100));
  EXPECT_THAT(BucketsOf(facts, {.bucket_bytes = 40}), ElementsAre(200'000, 10, 300'000, 100));
  EXPECT_THAT(BucketsOf(facts, {.overlap = false}), ElementsAre(500'110));
}

TEST(StepPlan, HidesBucketsBehindTheBackwardPass) {
  const StepOptions none{.overlap = false}, two{.overlap = true, .bucket_bytes = 256};
  StepFacts facts = FourBlocks();
  facts.tensors = {64, 64};
  // Of two buckets the last one remains, 3 x 64 bytes; there are two rings instead of one.
  const double more = 3 * 0.01;
  EXPECT_NEAR(PlanStep(facts, kSlow, 4, two).seconds - PlanStep(facts, kSlow, 4, none).seconds,
              (0.01 + 0.0192) - (0.01 + 0.0384) + more, 1e-12);
  // Buckets that take longer than the backward pass wait for each other.
  facts.block_seconds = 0.02;
  EXPECT_NEAR(PlanStep(facts, kSlow, 4, two).seconds - PlanStep(facts, kSlow, 4, none).seconds,
              (0.005 + 2 * 0.0292 - 0.01) - 0.0484 + more, 1e-12);
  EXPECT_EQ(PlanStep(facts, kSlow, 4, two).traffic, PlanStep(facts, kSlow, 4, none).traffic);
}

TEST(StepPlan, RanksTakeTurnsOnCores) {
  StepFacts facts = FourBlocks();
  facts.cores = 2;
  EXPECT_NEAR(PlanStep(facts, kSlow, 4).seconds - PlanStep(FourBlocks(), kSlow, 4).seconds, 1.1,
              1e-12);
  EXPECT_NEAR(PlanStep(facts, kSlow, 2).seconds, PlanStep(FourBlocks(), kSlow, 2).seconds, 1e-12);
  // 2, 1 and 1 blocks: two cores are done with four of them when the first is.
  EXPECT_NEAR(PlanStep(facts, kSlow, 3).seconds - PlanStep(FourBlocks(), kSlow, 3).seconds,
              0.4 / 3 / 2, 1e-12);
}

TEST(StepPlan, CountsTheMemoryOfARank) {
  const StepPlan one = PlanStep(FourBlocks(), kSlow, 1);
  EXPECT_EQ(one.weight_bytes, 512);
  EXPECT_EQ(one.gradient_bytes, 3 * 512);  // of 4 blocks: a pair, one, and one that is filled
  EXPECT_EQ(one.optimizer_bytes, 2 * 512);
  EXPECT_EQ(one.memory(), 512 + 3 * 512 + 2 * 512 + 10'000);
  const StepPlan four = PlanStep(FourBlocks(), kSlow, 4);
  EXPECT_EQ(four.optimizer_bytes, 2 * 512 / 4);
  // An array, three shares of others, five of the tree and the sum.
  EXPECT_EQ(four.gradient_bytes, 512 + (3 + 5) * 128);
}

TEST(StepPlan, ShowsPowersOfTwoAndTheNumberItself) {
  EXPECT_THAT(RanksToShow(1), ElementsAre(1));
  EXPECT_THAT(RanksToShow(8), ElementsAre(1, 2, 4, 8));
  EXPECT_THAT(RanksToShow(12), ElementsAre(1, 2, 4, 8, 12));
}

// A small step: two blocks of 14 us, 1 us of the optimizer, and four times 3.3 us to move or add 33
// KB.
TEST(StepAdvice, SmallStepsRunApart) {
  StepFacts facts;
  facts.batch = 64;
  facts.block_seconds = 14e-6;
  facts.optimizer_seconds = 1e-6;
  facts.weights = 8'250;
  const NetworkCosts costs;
  EXPECT_GT(PlanStep(facts, costs, 4).seconds, PlanStep(facts, costs, 1).seconds);
  const std::string advice = StepAdvice(facts, costs, 4);
  EXPECT_THAT(advice, HasSubstr("A step of 42.2 us"));
  EXPECT_THAT(advice, HasSubstr("33 KB of gradients"));
  EXPECT_THAT(advice, HasSubstr("no faster than one rank"));
  EXPECT_THAT(advice, HasSubstr("`sweep`"));
  const int64_t least = LeastBatch(facts, costs, 4, {}, 0.8);
  EXPECT_THAT(advice, HasSubstr(absl::StrCat("at least ", least, " rows")));
  facts.batch = least;
  EXPECT_GE(PlanStep(facts, costs, 4).efficiency, 0.8);
  facts.batch = least / 2;
  EXPECT_LT(PlanStep(facts, costs, 4).efficiency, 0.8);
}

TEST(StepAdvice, LargeStepsAreShared) {
  EXPECT_THAT(StepAdvice(FourBlocks(), {}, 4), HasSubstr("pay"));
  EXPECT_THAT(StepAdvice(FourBlocks(), {}, 16), HasSubstr("4 blocks of rows"));
  EXPECT_THAT(StepAdvice(FourBlocks(), {}, 16), HasSubstr("4 ranks are well used"));
  EXPECT_THAT(StepAdvice(FourBlocks(), {}, 1), HasSubstr("nobody"));
}

// The plan against the collectives on the simulated network.
TEST(SimulateStep, TakesWhatThePlanSays) {
  for (const double block_seconds : {20e-6, 5e-3}) {
    for (const int ranks : {1, 2, 3, 4, 7, 16}) {
      SCOPED_TRACE(testing::Message() << block_seconds << ", " << ranks);
      StepFacts facts;
      facts.batch = 64 * 4 * ranks;
      facts.block_rows = 64;
      facts.block_seconds = block_seconds;
      facts.optimizer_seconds = 50e-6;
      facts.weights = 100'000;
      facts.tensors = {30'000, 10'000, 40'000, 20'000};
      const StepOptions buckets{.bucket_bytes = 80'000};
      SEQ_ASSERT_OK_AND_ASSIGN(const SimulatedStep hidden,
                               SimulateStep(facts, {}, ranks, {.step = buckets}));
      EXPECT_NEAR(hidden.seconds / PlanStep(facts, {}, ranks, buckets).seconds, 1, 0.1);
      const StepPlan plan = PlanStep(facts, {}, ranks);
      SEQ_ASSERT_OK_AND_ASSIGN(const SimulatedStep step, SimulateStep(facts, {}, ranks));
      EXPECT_NEAR(step.seconds / plan.seconds, 1, 0.1);
      SEQ_ASSERT_OK_AND_ASSIGN(const SimulatedStep again, SimulateStep(facts, {}, ranks));
      EXPECT_EQ(step.seconds, again.seconds);
      SEQ_ASSERT_OK_AND_ASSIGN(const SimulatedStep shorter,
                               SimulateStep(facts, {}, ranks, {.floats_each = 8}));
      EXPECT_NEAR(shorter.seconds / step.seconds, 1, 0.03);
    }
  }
}

// LSTMs of (512, 512) units on 64 features, 13 MB of gradients, on machines that take 90 ms for 64
// rows: in messages are 2 x 13 MB at 3.125 GB/s and some 80 times 10 us.
TEST(SimulateStep, SixtyFourRanksAreWellUsedByALargeModel) {
  StepFacts facts;
  facts.batch = 64 * 64;
  facts.block_rows = 64;
  facts.block_seconds = 0.09;
  facts.weights = 3'280'000;
  SEQ_ASSERT_OK_AND_ASSIGN(const SimulatedStep step,
                           SimulateStep(facts, {}, 64, {.steps = 1, .floats_each = 16}));
  EXPECT_GT(0.09 / step.seconds, 0.85);
  EXPECT_GT(step.communication, 2 * 13.1e6 / 3.125e9);
  EXPECT_NEAR(step.seconds / PlanStep(facts, {}, 64).seconds, 1, 0.02);
}

TEST(MeasureNetwork, FindsTheConstantsOfASimulatedOne) {
  const NetworkCosts costs{.latency = 12e-6, .per_byte = 1 / 2e9, .overhead = 0.75e-6};
  SimulatedNetwork network(3, costs);
  SEQ_ASSERT_OK(network.Run([&](SimulatedRank& rank) -> absl::Status {
    MeasureNetworkOptions options{.longest = 1 << 20, .rounds = 3};
    options.now = [&] { return rank.clock(); };
    absl::StatusOr<NetworkCosts> found = MeasureNetwork(rank.communicator(), options);
    if (!found.ok()) return found.status();
    EXPECT_NEAR(found->latency, costs.latency, 1e-8);
    EXPECT_NEAR(found->per_byte, costs.per_byte, 1e-13);
    EXPECT_NEAR(found->overhead, costs.overhead, 1e-8);
    return absl::OkStatus();
  }));
}

TEST(MeasureNetwork, TakesTimesBetweenThreads) {
  OnRanks(2, [](Communicator& communicator) {
    SEQ_ASSERT_OK_AND_ASSIGN(const NetworkCosts found,
                             MeasureNetwork(communicator, {.longest = 1 << 16, .rounds = 20}));
    EXPECT_GT(found.latency, 0);
    EXPECT_LT(found.latency, 1);
    EXPECT_GE(found.per_byte, 0);
    EXPECT_GE(found.overhead, 0);
  });
  Communicator alone{std::move(ThreadTransports(1)[0])};
  const absl::Status status = MeasureNetwork(alone).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_GT(MeasureAddedByte(10'000), 0);
}

}  // namespace
}  // namespace seqgraph
