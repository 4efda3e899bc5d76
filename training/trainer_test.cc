#include "training/trainer.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "base/counter_random.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/testing.h"
#include "training/early_stopping.h"
#include "training/lambda_callback.h"
#include "training/learning_rate_scheduler.h"
#include "training/model_checkpoint.h"
#include "training/terminate_on_nan.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

constexpr int64_t kMaxlen = 4;
const RunnerOptions kReference = {.backend = "reference"};

// Rows of random codes from 4 to 9; class 1 if the last code is 7 or more.
struct Data {
  explicit Data(int64_t rows, uint64_t seed = 1) : rows(rows) {
    CounterRandom random(seed, "examples");
    for (int64_t i = 0; i < rows * kMaxlen; ++i) tokens.push_back(4 + random.NextBelow(6));
    for (int64_t i = 0; i < rows; ++i) targets.push_back(tokens[(i + 1) * kMaxlen - 1] >= 7);
  }
  Examples All() const { return {tokens, rows, kMaxlen, targets}; }

  int64_t rows;
  std::vector<int32_t> tokens, targets;
};
const Examples kNone = {{}, 0, kMaxlen, {}};

Model Small(const Optimizer& optimizer = RMSProp{.learning_rate = 1e-2}) {
  return *MakeTextModel({.num_words = 10, .maxlen = kMaxlen, .embedding_dim = 3, .units = 4},
                        {.optimizer = optimizer, .seed = 5});
}

void ExpectSameVariables(const Model& a, const Model& b) {
  for (const Variable& variable : a.variables.all()) {
    EXPECT_TRUE(b.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value))
        << variable.def.name;
  }
}

// Writes down what is called, with the number of logs.
class Recorder : public Callback {
 public:
  absl::Status OnTrainBegin(FitContext&) override { return Add("train_begin"); }
  absl::Status OnEpochBegin(FitContext&, int epoch) override {
    return Add(absl::StrCat("epoch_begin ", epoch));
  }
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override {
    if (stop_at_batch == batch) context.stop_training = true;
    if (interrupt_at_batch == batch) interrupt = true;
    return Add(absl::StrCat("batch_end ", batch, " ", logs.size()));
  }
  absl::Status OnEpochEnd(FitContext&, int epoch, Logs& logs) override {
    if (fail_at_epoch == epoch) return absl::DataLossError("disk on fire");
    return Add(absl::StrCat("epoch_end ", epoch, " ", logs.size()));
  }
  absl::Status OnTrainEnd(FitContext&) override { return Add("train_end"); }

  std::vector<std::string> calls;
  int64_t stop_at_batch = -1, interrupt_at_batch = -1;
  int fail_at_epoch = -1;
  std::atomic<bool> interrupt{false};

 private:
  absl::Status Add(std::string call) {
    calls.push_back(std::move(call));
    return absl::OkStatus();
  }
};

TEST(Trainer, TheHistoryNamesBackendsAndThreads) {
  const Data data(12);
  Model model = Small();
  Trainer trainer(&model, {.backend = "simd,onednn,reference", .threads = 2});
  SEQ_ASSERT_OK_AND_ASSIGN(const FitResult fit, trainer.Fit(data.All(), kNone, {.batch = 4}));
  const auto& facts = fit.history.run_facts();
  // Each backend with its version and instruction set; those that run nothing are not named.
  const BackendInfo& simd = (*AllBackends().Get("simd"))->info();
  EXPECT_THAT(facts.at("backends"),
              ::testing::StartsWith(absl::StrCat("simd ", simd.version, ": ", simd.description)));
  EXPECT_THAT(facts.at("backends"), ::testing::Not(::testing::HasSubstr("reference")));
  EXPECT_EQ(facts.at("threads"), "2");
}

TEST(Trainer, CallsBackInKerasOrder) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  Recorder recorder;
  const Data train(5), validation(3);
  SEQ_ASSERT_OK(trainer.Fit(train.All(), validation.All(),
                            {.epochs = 2, .batch = 2, .callbacks = {&recorder}}));
  EXPECT_THAT(
      recorder.calls,
      ::testing::ElementsAre("train_begin", "epoch_begin 0", "batch_end 0 2", "batch_end 1 2",
                             "batch_end 2 2", "epoch_end 0 4", "epoch_begin 1", "batch_end 0 2",
                             "batch_end 1 2", "batch_end 2 2", "epoch_end 1 4", "train_end"));
}

TEST(Trainer, LearnsAndKeepsAHistory) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  const Data train(200), validation(60, 2);
  SEQ_ASSERT_OK_AND_ASSIGN(const FitResult result,
                           trainer.Fit(train.All(), validation.All(), {.epochs = 30, .batch = 16}));
  EXPECT_FALSE(result.interrupted);
  ASSERT_EQ(result.history.epochs().size(), 30u);
  for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
    EXPECT_EQ(result.history[name].size(), 30u) << name;
  }
  EXPECT_NEAR(result.history["loss"].front(), std::log(2.0), 0.2);
  EXPECT_LT(result.history["val_loss"].back(), 0.2);
  EXPECT_GT(result.history["val_accuracy"].back(), 0.95);
  SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs, trainer.Evaluate(validation.All(), {.batch = 16}));
  EXPECT_EQ(logs.at("loss"), result.history["val_loss"].back());
}

// With a learning rate of 0 the weights stay: the epoch's means must be those of one evaluation,
// whatever the batches, and every row must have been seen once.
TEST(Trainer, EpochMeansWeighEachBatchByItsSize) {
  const Data train(11);
  for (const bool shuffle : {false, true}) {
    Model model = Small(SGD{.learning_rate = 0});
    Trainer trainer(&model, kReference);
    SEQ_ASSERT_OK_AND_ASSIGN(
        const FitResult result,
        trainer.Fit(train.All(), kNone, {.epochs = 1, .batch = 4, .shuffle = shuffle}));
    SEQ_ASSERT_OK_AND_ASSIGN(const Logs whole, trainer.Evaluate(train.All(), {.batch = 11}));
    EXPECT_NEAR(result.history["loss"][0], whole.at("loss"), 1e-7);
    EXPECT_EQ(result.history["accuracy"][0], whole.at("accuracy"));
    EXPECT_TRUE(result.history["val_loss"].empty());
  }
}

TEST(Trainer, CountsASteppedBatchEvenIfItIsPartial) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  SEQ_ASSERT_OK(trainer.Fit(Data(9).All(), kNone, {.epochs = 2, .batch = 4}));
  EXPECT_EQ(model.variables.Find("optimizer/iteration")->value.Elements<int64_t>()[0], 6);
}

TEST(Trainer, TheSameSeedGivesTheSameBits) {
  const Data train(50), validation(20, 2);
  const auto fit = [&](uint64_t seed, Model& model) {
    Trainer trainer(&model, kReference);
    return trainer.Fit(train.All(), validation.All(), {.epochs = 3, .batch = 8, .seed = seed})
        ->history.ToCsv();
  };
  Model a = Small(), b = Small(), c = Small();
  const std::string history = fit(1, a);
  EXPECT_EQ(fit(1, b), history);
  ExpectSameVariables(a, b);
  EXPECT_NE(fit(2, c), history);
}

TEST(Trainer, TwoThreadsAreTriedAgainstOneAndGiveItsBits) {
  const Data data(130);
  Model models[] = {Small(), Small()};
  std::vector<std::string> notes[2];
  for (int i = 0; i < 2; ++i) {
    Trainer trainer(&models[i], {.threads = i + 1});
    // 16 whole batches and one of 2 rows, 30 times.
    SEQ_ASSERT_OK_AND_ASSIGN(
        const FitResult fit,
        trainer.Fit(data.All(), data.All(), {.epochs = 30, .batch = 8, .seed = 3}));
    EXPECT_EQ(fit.messages, std::vector<std::string>());
    notes[i] = fit.notes;
  }
  EXPECT_EQ(notes[0], std::vector<std::string>());
  ASSERT_EQ(notes[1].size(), 2u);
  EXPECT_EQ(notes[1][0].find("train_step in batches of 8: "), 0u) << notes[1][0];
  EXPECT_EQ(notes[1][1].find("evaluate in batches of 8: "), 0u) << notes[1][1];
  ExpectSameVariables(models[0], models[1]);
}

TEST(Trainer, AResumedRunEndsWithTheSameBits) {
  const Data train(50), validation(20, 2);
  Model whole = Small(), first = Small();
  FitOptions options = {.epochs = 4, .batch = 8};
  SEQ_ASSERT_OK_AND_ASSIGN(const FitResult all,
                           Trainer(&whole, kReference).Fit(train.All(), validation.All(), options));
  options.epochs = 2;
  SEQ_ASSERT_OK(Trainer(&first, kReference).Fit(train.All(), validation.All(), options));
  // Through a file, as another process would do it.
  const std::string path = MakeTempDir() + "/half.pb";
  SEQ_ASSERT_OK(SaveModel(first, path));
  SEQ_ASSERT_OK_AND_ASSIGN(Model second, LoadModel(path, AllOps()));
  options.epochs = 4;
  options.first_epoch = 2;
  SEQ_ASSERT_OK_AND_ASSIGN(
      const FitResult rest,
      Trainer(&second, kReference).Fit(train.All(), validation.All(), options));
  ExpectSameVariables(whole, second);
  EXPECT_EQ(rest.history.epochs(), (std::vector<int>{2, 3}));
  EXPECT_EQ(rest.history["val_loss"][1], all.history["val_loss"][3]);
}

TEST(Trainer, StopsAfterTheBatchWhenACallbackSaysSo) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  Recorder recorder;
  recorder.stop_at_batch = 1;
  SEQ_ASSERT_OK_AND_ASSIGN(
      const FitResult result,
      trainer.Fit(Data(20).All(), kNone, {.epochs = 5, .batch = 4, .callbacks = {&recorder}}));
  EXPECT_THAT(recorder.calls,
              ::testing::ElementsAre("train_begin", "epoch_begin 0", "batch_end 0 2",
                                     "batch_end 1 2", "epoch_end 0 2", "train_end"));
  EXPECT_FALSE(result.interrupted);
}

TEST(Trainer, AnInterruptFinishesTheBatchAndTellsTheCallbacks) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  Recorder recorder;
  recorder.interrupt_at_batch = 1;
  SEQ_ASSERT_OK_AND_ASSIGN(
      const FitResult result,
      trainer.Fit(
          Data(20).All(), Data(4).All(),
          {.epochs = 5, .batch = 4, .callbacks = {&recorder}, .interrupt = &recorder.interrupt}));
  EXPECT_TRUE(result.interrupted);
  EXPECT_TRUE(result.history.epochs().empty());
  EXPECT_THAT(recorder.calls,
              ::testing::ElementsAre("train_begin", "epoch_begin 0", "batch_end 0 2",
                                     "batch_end 1 2", "train_end"));
  EXPECT_EQ(model.variables.Find("optimizer/iteration")->value.Elements<int64_t>()[0], 2);
}

TEST(Trainer, EarlyStoppingEndsTheRun) {
  Model model = Small(SGD{.learning_rate = 0});  // the loss never improves after the first epoch
  Trainer trainer(&model, kReference);
  EarlyStopping stopping({.patience = 2});
  SEQ_ASSERT_OK_AND_ASSIGN(
      const FitResult result,
      trainer.Fit(Data(8).All(), Data(4).All(), {.epochs = 9, .callbacks = {&stopping}}));
  EXPECT_EQ(result.history.epochs().size(), 3u);
  EXPECT_EQ(stopping.stopped_epoch(), 2);
  EXPECT_THAT(result.messages, ::testing::ElementsAre("Epoch 3: early stopping"));
}

// Adds a number to the logs, for the callbacks after it and the history.
class AddsALog : public Callback {
 public:
  absl::Status OnEpochEnd(FitContext&, int epoch, Logs& logs) override {
    logs["learning_rate"] = 1.0 / (epoch + 1);
    return absl::OkStatus();
  }
};

TEST(Trainer, WhatACallbackLogsReachesTheHistory) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  SEQ_ASSERT_OK_AND_ASSIGN(
      const FitResult result,
      trainer.Fit(Data(8).All(), kNone, {.epochs = 2, .callbacks = {AddsALog()}}));
  EXPECT_EQ(result.history["learning_rate"], (std::vector<double>{1, 0.5}));
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// Sets a weight to NaN at the beginning of an epoch (from 0); keeps what the file then holds.
class Poison : public Callback {
 public:
  explicit Poison(std::string path, int epoch = 1) : path_(std::move(path)), epoch_(epoch) {}
  absl::Status OnEpochBegin(FitContext& context, int epoch) override {
    if (epoch != epoch_) return absl::OkStatus();
    checkpoint = ReadAll(path_);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    return context.model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {nan}));
  }
  std::string checkpoint;

 private:
  std::string path_;
  int epoch_;
};

TEST(Trainer, ANaNLossIsAnErrorThatLeavesTheCheckpoint) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  const std::string path = MakeTempDir() + "/best.pb";
  Poison poison(path);
  EXPECT_THAT(
      trainer.Fit(Data(12).All(), kNone,
                  {.epochs = 3, .batch = 4, .callbacks = {&poison, ModelCheckpoint(path)}}),
      StatusIs(absl::StatusCode::kFailedPrecondition, "epoch 2: batch 1 of 3: the loss is nan"));
  EXPECT_FALSE(poison.checkpoint.empty());
  EXPECT_EQ(ReadAll(path), poison.checkpoint);
}

TEST(Trainer, TerminateOnNaNEndsTheRunWithAMessage) {
  Model model = Small();
  const Data data(20);
  std::vector<std::string> calls;
  LambdaCallback poison({.on_epoch_begin = [](FitContext& context, int epoch) {
    if (epoch == 1) {
      const float nan = std::numeric_limits<float>::quiet_NaN();
      return context.model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {nan}));
    }
    return absl::OkStatus();
  }});
  LambdaCallback watch({.on_train_begin =
                            [&](FitContext&) {
                              calls.push_back("train_begin");
                              return absl::OkStatus();
                            },
                        .on_batch_end =
                            [&](FitContext&, int64_t batch, const Logs&) {
                              calls.push_back(absl::StrCat("batch ", batch));
                              return absl::OkStatus();
                            },
                        .on_epoch_end =
                            [&](FitContext&, int epoch, Logs&) {
                              calls.push_back(absl::StrCat("epoch ", epoch));
                              return absl::OkStatus();
                            },
                        .on_train_end =
                            [&](FitContext&) {
                              calls.push_back("train_end");
                              return absl::OkStatus();
                            }});
  const absl::StatusOr<FitResult> result =
      Trainer(&model, kReference)
          .Fit(data.All(), data.All(),
               {.epochs = 5, .batch = 10, .callbacks = {&poison, TerminateOnNaN(), &watch}});
  SEQ_ASSERT_OK(result);
  EXPECT_EQ(calls, (std::vector<std::string>{"train_begin", "batch 0", "batch 1", "epoch 0",
                                             "batch 0", "epoch 1", "train_end"}));
  EXPECT_EQ(result->messages,
            std::vector<std::string>{"Batch 0: Invalid loss, terminating training"});
}

// The rate of each step shows in how far it moves a weight: with a rate of 0 not at all.
TEST(Trainer, AScheduleSetsTheRateOfTheVeryStep) {
  Model model = Small(SGD{.learning_rate = 1});
  const Data data(40);
  std::vector<float> bias;
  LambdaCallback watch({.on_batch_end = [&](FitContext& context, int64_t, const Logs&) {
    bias.push_back(context.model.variables.Find("dense/bias")->value.Elements<float>()[0]);
    return absl::OkStatus();
  }});
  const LearningRateSchedule schedule = *PiecewiseConstantDecay({0, 2}, {0.0, 0.5, 0.0});
  SEQ_ASSERT_OK(
      Trainer(&model, kReference)
          .Fit(data.All(), kNone,
               {.epochs = 1, .batch = 10, .callbacks = {StepLearningRate(schedule), &watch}}));
  ASSERT_EQ(bias.size(), 4);
  EXPECT_EQ(bias[0], 0);
  EXPECT_NE(bias[1], bias[0]);
  EXPECT_NE(bias[2], bias[1]);
  EXPECT_EQ(bias[3], bias[2]);
}

TEST(Trainer, ARunThatFailsStillWritesTheLastSave) {
  // One run that ends well after the second epoch, and one that fails in the third, before the time
  // to write the second save has come.
  const std::string good = MakeTempDir() + "/good.pb";
  const std::string bad = MakeTempDir() + "/bad.pb";
  const ModelCheckpointOptions seldom{.seconds_between_writes = 1000};
  {
    Model model = Small();
    Trainer trainer(&model, kReference);
    SEQ_ASSERT_OK(
        trainer.Fit(Data(12).All(), kNone,
                    {.epochs = 2, .batch = 4, .callbacks = {ModelCheckpoint(good, seldom)}}));
  }
  Model model = Small();
  Trainer trainer(&model, kReference);
  Poison poison(bad, 2);
  EXPECT_THAT(
      trainer.Fit(Data(12).All(), kNone,
                  {.epochs = 3, .batch = 4, .callbacks = {&poison, ModelCheckpoint(bad, seldom)}}),
      StatusIs(absl::StatusCode::kFailedPrecondition, "the loss is nan"));
  EXPECT_NE(ReadAll(bad), poison.checkpoint);
  EXPECT_EQ(ReadAll(bad), ReadAll(good));
}

TEST(Trainer, AnErrorOfACallbackEndsTheRun) {
  Model model = Small();
  Trainer trainer(&model, kReference);
  Recorder recorder;
  recorder.fail_at_epoch = 1;
  EXPECT_THAT(trainer.Fit(Data(4).All(), kNone, {.epochs = 3, .callbacks = {&recorder}}),
              StatusIs(absl::StatusCode::kDataLoss, "epoch 2: disk on fire"));
}

TEST(Trainer, EverythingIsCheckedBeforeTheFirstStep) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  const Data train(8);
  Model model = Small();
  Recorder recorder;
  const auto fit = [&](const Examples& t, const Examples& v, FitOptions options,
                       const RunnerOptions& runner = kReference) {
    options.callbacks = {&recorder};
    return Trainer(&model, runner).Fit(t, v, options).status();
  };
  const std::vector<int32_t> longer(10), targets(2);
  EXPECT_THAT(fit(train.All(), {longer, 2, 5, targets}, {}), StatusIs(kInvalid, "have 5"));
  EXPECT_THAT(fit(kNone, kNone, {}), StatusIs(kInvalid, "no examples"));
  EXPECT_THAT(fit(train.All(), kNone, {.epochs = 0}), StatusIs(kInvalid, "epochs"));
  EXPECT_THAT(fit(train.All(), kNone, {.batch = 0}), StatusIs(kInvalid, "batch"));
  EXPECT_THAT(fit(train.All(), kNone, {.first_epoch = 2}), StatusIs(kInvalid, "first_epoch"));
  EXPECT_THAT(fit(train.All(), kNone, {.prediction = "odds"}), StatusIs(kInvalid, "odds"));
  EXPECT_THAT(fit(train.All(), kNone, {}, {.backend = "abacus"}),
              StatusIs(absl::StatusCode::kNotFound, "abacus"));
  EXPECT_TRUE(recorder.calls.empty());
}

}  // namespace
}  // namespace seqgraph
