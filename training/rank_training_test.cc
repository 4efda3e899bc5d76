// Training on the ranks of a job: the same bits on any number of ranks and threads, and those of
// training alone but for rounding.

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/atomic_file.h"
#include "base/counter_random.h"
#include "distributed/testing/on_ranks.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/testing.h"
#include "training/early_stopping.h"
#include "training/lambda_callback.h"
#include "training/learning_rate_scheduler.h"
#include "training/model_checkpoint.h"
#include "training/optimizer_share.h"
#include "training/reduce_lr_on_plateau.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMaxlen = 5, kRows = 45, kBatch = 20, kBlock = 6;

struct Data {
  Data(int64_t rows, uint64_t seed, bool each_step) : rows(rows) {
    CounterRandom random(seed, "examples");
    for (int64_t i = 0; i < rows * kMaxlen; ++i) tokens.push_back(random.NextBelow(10));
    for (int64_t i = 0; i < rows * kMaxlen; ++i) {
      if (each_step || i % kMaxlen == kMaxlen - 1) targets.push_back(tokens[i] >= 5);
    }
  }
  Examples All() const { return {tokens, rows, kMaxlen, targets}; }

  int64_t rows;
  std::vector<int32_t> tokens, targets;
};

struct Case {
  const char* name;
  Optimizer optimizer;
  std::string cell = "SimpleRNN";
  bool bidirectional = false, mask_zero = false, each_step = false;
  double dropout = 0;
  std::map<int32_t, double> class_weights = {};
  bool like_alone = true;  // Dropout draws other numbers.
};

std::vector<Case> Cases() {
  return {
      {.name = "RNN", .optimizer = RMSProp{.learning_rate = 1e-2}},
      {.name = "masked LSTM",
       .optimizer = Adam{.learning_rate = 1e-2},
       .cell = "LSTM",
       .mask_zero = true},
      {.name = "a mask over the loss",
       .optimizer = Adam{.learning_rate = 1e-2},
       .mask_zero = true,
       .each_step = true},
      {.name = "a step's momentum", .optimizer = SGD{.learning_rate = .1, .momentum = .9}},
      {.name = "GRU, both directions, dropout",
       .optimizer = SGD{.learning_rate = .1, .momentum = .9},
       .cell = "GRU",
       .bidirectional = true,
       .dropout = 0.3,
       .like_alone = false},
      {.name = "a slot for all, clipped by each norm",
       .optimizer = Nadam{.learning_rate = 1e-2, .clipping = GradientClipping::Norm(0.05)}},
      {.name = "clipped by the norm of all, decay",
       .optimizer = AdamW{.learning_rate = 1e-2,
                          .clipping = GradientClipping::GlobalNorm(0.05),
                          .weight_decay = 0.01},
       .class_weights = {{0, 0.5}, {1, 2}}},
      {.name = "clipped by value, accumulators that start above 0",
       .optimizer = Adagrad{.learning_rate = 1e-2, .clipping = GradientClipping::Value(0.01)}},
  };
}

absl::StatusOr<Model> ModelOf(const Case& c) {
  return MakeTextModel(
      {.num_words = 10,
       .maxlen = kMaxlen,
       .embedding_dim = 3,
       .mask_zero = c.mask_zero,
       .cell = c.cell,
       .units = 4,
       .bidirectional = c.bidirectional,
       .dropout = c.dropout,
       .recurrent_dropout = c.dropout,
       .each_step = c.each_step},
      {.optimizer = c.optimizer, .sample_weight = !c.class_weights.empty(), .seed = 5});
}

// What is left of a run.
struct Outcome {
  std::string history, model;
  std::vector<double> losses;
  std::vector<std::string> messages;
};

class EveryState : public StateKeeper {
 public:
  bool Wants(const RunPosition&) override { return true; }
  absl::Status Keep(RunState state) override {
    states.push_back(std::move(state));
    return absl::OkStatus();
  }
  std::vector<RunState> states;
};

struct RunOptions {
  int threads = 1, epochs = 3;
  int64_t bucket_bytes = 0;
  const RunState* state = nullptr;
  StateKeeper* keeper = nullptr;
  std::function<std::vector<CallbackHandle>()> callbacks = [] {
    return std::vector<CallbackHandle>();
  };
};

Outcome TrainOne(const Case& c, Communicator* communicator, const RunOptions& options) {
  Outcome outcome;
  auto model = ModelOf(c);
  EXPECT_TRUE(model.ok()) << model.status();
  const Data train(kRows, 1, c.each_step), validation(17, 2, c.each_step);
  Trainer trainer(&*model, {.threads = options.threads});
  const bool root = communicator == nullptr || communicator->is_root();
  FitOptions fit{.epochs = options.epochs,
                 .batch = kBatch,
                 .metrics = {Accuracy(), AUC()},
                 .class_weights = c.class_weights,
                 .state = root ? options.state : nullptr,
                 .communicator = communicator,
                 .block_rows = kBlock,
                 .bucket_bytes = options.bucket_bytes,
                 .keeper = root ? options.keeper : nullptr};
  if (root) fit.callbacks = options.callbacks();
  const auto result = trainer.Fit(train.All(), validation.All(), fit);
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok() || !root) return outcome;
  for (const char* name : {"loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc"}) {
    EXPECT_EQ(result->history[name].size(), result->history.epochs().size()) << name;
    for (const double value : result->history[name]) {
      absl::StrAppend(&outcome.history, absl::StrFormat("%s %.17g\n", name, value));
    }
  }
  outcome.losses = result->history["loss"];
  outcome.messages = result->messages;
  const std::string path = MakeTempDir() + "/m.pb";
  EXPECT_TRUE(SaveModel(*model, path).ok());
  outcome.model = *ReadFile(path, 1 << 20);
  return outcome;
}

Outcome OnRanksOf(int ranks, const Case& c, const RunOptions& options) {
  Outcome outcome;
  OnRanks(ranks, [&](Communicator& communicator) {
    Outcome own = TrainOne(c, &communicator, options);
    if (communicator.is_root()) outcome = std::move(own);
  });
  return outcome;
}

TEST(RankTraining, HasTheSameBitsOnAnyRanksAndThreads) {
  for (const Case& c : Cases()) {
    const Outcome one = OnRanksOf(1, c, {});
    ASSERT_FALSE(one.model.empty());
    for (int ranks = 1; ranks <= 5; ++ranks) {
      // All in one exchange, or a few tensors each.
      const Outcome other =
          OnRanksOf(ranks, c, {.threads = 1 + ranks % 2, .bucket_bytes = 64 * (ranks % 3)});
      EXPECT_EQ(other.history, one.history) << c.name << " on " << ranks;
      EXPECT_TRUE(other.model == one.model) << c.name << " on " << ranks;
    }
    // The same formula as without ranks: sums in another order.
    const Outcome alone = TrainOne(c, nullptr, {});
    for (size_t i = 0; i < alone.losses.size() && c.like_alone; ++i) {
      EXPECT_NEAR(one.losses[i], alone.losses[i], 1e-5) << c.name << ", epoch " << i + 1;
    }
  }
}

TEST(RankTraining, GoesOnFromAnyStateOnAnotherNumberOfRanks) {
  const Case c = Cases()[4];
  EveryState keeper;
  const Outcome whole = OnRanksOf(3, c, {.keeper = &keeper});
  // The beginning, each step, each epoch, the end.
  ASSERT_EQ(keeper.states.size(), 1 + 3 * 3 + 3 + 1);
  for (size_t i = 0; i < keeper.states.size(); ++i) {
    const Outcome rest = OnRanksOf(1 + static_cast<int>(i) % 4, c, {.state = &keeper.states[i]});
    EXPECT_EQ(rest.history, whole.history) << i;
    EXPECT_TRUE(rest.model == whole.model) << i;
  }
}

TEST(RankTraining, CallbacksOfTheRootActOnAll) {
  const Case c = Cases()[0];
  std::string folder = MakeTempDir();
  const auto run = [&](int ranks) {
    int step = 0;
    return OnRanksOf(
        ranks, c,
        {.epochs = 8, .callbacks = [&, step]() mutable -> std::vector<CallbackHandle> {
           // One that writes weights in the middle of an epoch, as a limit on them would.
           LambdaCallback limit(
               {.on_batch_end = [step](FitContext& context, int64_t, const Logs&) mutable {
                 if (++step == 4) {
                   VariableStore& variables = context.model.variables;
                   variables.Mutate<float>(*variables.Find("dense/bias"),
                                           [](absl::Span<float> bias) { bias[0] = .5; });
                 }
                 return absl::OkStatus();
               }});
           return {std::move(limit),
                   ReduceLROnPlateau({.factor = 0.1, .patience = 1, .min_delta = 0.5}),
                   ModelCheckpoint(absl::StrCat(folder, "/", ranks, "-{epoch}-{batch}.pb"),
                                   {.save_every_batches = 2, .verbose = false}),
                   EarlyStopping({.min_delta = 1, .patience = 4, .restore_best_weights = true})};
         }});
  };
  const Outcome one = run(1);
  EXPECT_EQ(one.losses.size(), 5);
  for (const int ranks : {2, 4}) {
    const Outcome other = run(ranks);
    EXPECT_EQ(other.history, one.history);
    EXPECT_EQ(other.messages, one.messages);
    EXPECT_TRUE(other.model == one.model);
    for (const char* file : {"-1-2.pb", "-2-1.pb", "-3-2.pb"}) {
      const std::string first = *ReadFile(absl::StrCat(folder, "/1", file), 1 << 20);
      EXPECT_TRUE(first == *ReadFile(absl::StrCat(folder, "/", ranks, file), 1 << 20)) << file;
    }
  }
}

TEST(RankTraining, AScheduleAndACheckpointThatWaitsGoOnBetweenSteps) {
  const Case c = Cases()[0];
  const std::string folder = MakeTempDir();
  const auto run = [&](int ranks) {
    const auto callbacks = [&folder, ranks]() -> std::vector<CallbackHandle> {
      // Each look at the clock is a second later, so that writes come within epochs.
      auto now = std::make_shared<double>(0);
      return {StepLearningRate([](int64_t step) { return 0.1 / (1.0 + step); }),
              ModelCheckpoint(absl::StrCat(folder, "/", ranks, ".pb"),
                              {.save_best_only = true, .seconds_between_writes = 3, .clock = [now] {
                                 return *now += 1;
                               }})};
    };
    return OnRanksOf(ranks, c, {.epochs = 4, .callbacks = callbacks});
  };
  const Outcome one = run(1), three = run(3);
  EXPECT_EQ(three.history, one.history);
  EXPECT_TRUE(three.model == one.model);
  EXPECT_TRUE(*ReadFile(folder + "/1.pb", 1 << 20) == *ReadFile(folder + "/3.pb", 1 << 20));
}

TEST(RankTraining, EachRankKeepsItsShareOfTheOptimizer) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model,
      MakeTextModel({.num_words = 500, .maxlen = kMaxlen, .units = 64}, {.optimizer = Adam{}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const StepParts parts, SplitTrainStep(model, AllOps()));
  const FlatLayout layout(parts.weights);
  int64_t all = 0;
  for (const VariableDef& weight : parts.weights) all += 2 * weight.type.num_bytes();
  for (const int ranks : {1, 2, 3, 4, 7}) {
    int64_t sum = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      SEQ_ASSERT_OK_AND_ASSIGN(
          const OptimizerShare share,
          OptimizerShare::Create(parts, layout, {PartOf(layout.elements(), ranks, rank, 16)}, {}));
      EXPECT_LE(share.slot_bytes(), 1.05 * all / ranks) << rank << " of " << ranks;
      sum += share.slot_bytes();
    }
    EXPECT_EQ(sum, all);
  }
}

TEST(RankTraining, WhatCannotBeDealtIsRefusedByAll) {
  class NoRows : public BatchSource {
    absl::StatusOr<Examples> Batch(absl::Span<const int64_t>) override { return Examples(); }
  } source;
  OnRanks(2, [&](Communicator& communicator) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, ModelOf(Cases()[0]));
    Trainer trainer(&model);
    const auto result = trainer.Fit({.rows = 4, .maxlen = kMaxlen, .source = &source}, {},
                                    {.batch = 2, .communicator = &communicator});
    EXPECT_TRUE(absl::IsUnimplemented(result.status())) << result.status();
    EXPECT_THAT(std::string(result.status().message()), HasSubstr("source"));
  });
}

}  // namespace
}  // namespace seqgraph
