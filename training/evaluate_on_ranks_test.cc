#include "training/evaluate_on_ranks.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "distributed/testing/on_ranks.h"
#include "tests/testing.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

constexpr int64_t kCodes = 6, kTokens = 3, kManyRows = 331;

// The oracle is a pass on one rank, by ModelRunner::Evaluate().
class EvaluateOnRanksTest : public ::testing::Test {
 protected:
  EvaluateOnRanksTest() {
    std::printf("seed %u\n", seed_);
    std::mt19937 random(seed_);
    for (int64_t i = 0; i < kManyRows * kTokens; ++i) {
      tokens_.push_back(static_cast<int32_t>(random() % kCodes));
    }
    for (int64_t i = 0; i < kManyRows; ++i) targets_.push_back(static_cast<int32_t>(random() % 2));
  }
  Examples All() const { return {tokens_, kManyRows, kTokens, targets_}; }
  static absl::StatusOr<Model> Make() {
    return MakeTextModel({.num_words = kCodes, .maxlen = kTokens, .embedding_dim = 2, .units = 4},
                         {.seed = 11});
  }
  // At the root.
  absl::StatusOr<Logs> Run(int ranks, const EvaluateOptions& options,
                           std::vector<float>* predictions, const Examples& examples) {
    absl::StatusOr<Logs> logs = Logs();
    OnRanks(ranks, [&](Communicator& communicator) {
      SEQ_ASSERT_OK_AND_ASSIGN(Model model, Make());
      ModelRunner runner(&model);
      auto own =
          EvaluateOnRanks(runner, communicator, examples, options, [&](const JudgedBatch& batch) {
            const MetricBatch judged = batch.metric_batch(false);
            predictions->insert(predictions->end(), judged.predictions.begin(),
                                judged.predictions.end());
          });
      if (communicator.is_root()) logs = std::move(own);
    });
    return logs;
  }

  const unsigned seed_ = std::random_device{}();
  std::vector<int32_t> tokens_, targets_;
};

TEST_F(EvaluateOnRanksTest, LossAndMetricsHaveTheBitsOfOneRank) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Make());
  ModelRunner runner(&model);
  for (const int64_t batch : {1, 7, 64, 1000}) {
    const EvaluateOptions options{.batch = batch, .metrics = {Accuracy(), AUC()}};
    SEQ_ASSERT_OK_AND_ASSIGN(const Logs expected, runner.Evaluate(All(), options));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<float> told,
                             runner.Predict(All(), {.batch = batch, .function = "evaluate"}));
    for (int ranks = 1; ranks <= 4; ++ranks) {
      std::vector<float> predictions;
      SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs, Run(ranks, options, &predictions, All()));
      EXPECT_EQ(logs, expected) << ranks;  // every bit
      EXPECT_EQ(predictions, told);
    }
  }
}

TEST_F(EvaluateOnRanksTest, AnErrorIsSaid) {
  tokens_[100 * kTokens] = 999;
  std::vector<float> predictions;
  const absl::Status status = Run(2, {.batch = 8}, &predictions, All()).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("batch 13 of 42"));
  EXPECT_THAT(Run(2, {}, &predictions, {{}, 0, kTokens, {}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace seqgraph
