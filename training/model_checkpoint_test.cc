#include "training/model_checkpoint.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/testing.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

// A small model in a folder of its own, and what a loop would do with the callback.
struct Fixture {
  std::string folder = MakeTempDir();
  Model model = *MakeTextModel({.num_words = 5, .maxlen = 2, .embedding_dim = 1, .units = 1});
  FitContext context{model};

  // Ends epochs with these validation losses; the weight dense/bias holds the number of the epoch
  // (from 1).
  absl::Status Feed(ModelCheckpoint& checkpoint, const std::vector<double>& losses) {
    absl::Status status = checkpoint.OnTrainBegin(context);
    for (int epoch = 0; status.ok() && epoch < static_cast<int>(losses.size()); ++epoch) {
      SEQ_EXPECT_OK(model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {epoch + 1.0f})));
      Logs logs = {{"loss", 1.5}, {"val_loss", losses[epoch]}};
      status = checkpoint.OnEpochBegin(context, epoch);
      if (status.ok()) status = checkpoint.OnEpochEnd(context, epoch, logs);
    }
    return status;
  }
  // The epoch that the file was saved after; 0 if there is none.
  int SavedEpoch(const std::string& path) const {
    if (!std::filesystem::exists(path)) return 0;
    const auto saved = LoadModel(path, AllOps());
    SEQ_EXPECT_OK(saved);
    return static_cast<int>(saved->variables.Find("dense/bias")->value.Elements<float>()[0]);
  }
};

TEST(ModelCheckpoint, SavesAfterEachEpochByDefault) {
  Fixture f;
  ModelCheckpoint checkpoint(f.folder + "/{epoch:02d}.pb");
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.7, .8}));
  EXPECT_EQ(f.SavedEpoch(f.folder + "/01.pb"), 1);
  EXPECT_EQ(f.SavedEpoch(f.folder + "/02.pb"), 2);
  EXPECT_EQ(checkpoint.last_path(), f.folder + "/02.pb");
  EXPECT_THAT(f.context.messages,
              ::testing::ElementsAre("Epoch 1: saving model to " + f.folder + "/01.pb",
                                     "Epoch 2: saving model to " + f.folder + "/02.pb"));
}

TEST(ModelCheckpoint, SavesOnlyTheBestWhenAskedTo) {
  Fixture f;
  const std::string path = f.folder + "/best.pb";
  ModelCheckpoint checkpoint(path, {.save_best_only = true});
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.697431, .6956, .6956, .8}));
  EXPECT_EQ(f.SavedEpoch(path), 2);
  EXPECT_EQ(checkpoint.best(), .6956);
  EXPECT_THAT(f.context.messages,
              ::testing::ElementsAre(
                  "Epoch 1: val_loss improved from None to 0.69743, saving model to " + path,
                  "Epoch 2: val_loss improved from 0.69743 to 0.69560, saving model to " + path,
                  "Epoch 3: val_loss did not improve from 0.69560",
                  "Epoch 4: val_loss did not improve from 0.69560"));
}

TEST(ModelCheckpoint, TheFirstValueMustBeatTheThreshold) {
  Fixture f;
  ModelCheckpoint checkpoint(f.folder + "/best.pb",
                             {.save_best_only = true, .initial_value_threshold = .5});
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.7, .5}));
  EXPECT_EQ(f.SavedEpoch(f.folder + "/best.pb"), 0);
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.4}));
  EXPECT_EQ(f.SavedEpoch(f.folder + "/best.pb"), 1);
}

TEST(ModelCheckpoint, TheBestValueOutlivesARun) {
  Fixture f;
  const std::string path = f.folder + "/best.pb";
  ModelCheckpoint checkpoint(path, {.save_best_only = true});
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.7, .5}));
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.6}));
  EXPECT_EQ(f.SavedEpoch(path), 2);
}

// A run that goes on finds a file that is better than what it had come to.
TEST(ModelCheckpoint, ABetterFileThatCameSinceIsReplacedByWhatIsNoWorse) {
  Fixture f;
  const std::string path = f.folder + "/best.pb";
  Records records;
  {
    ModelCheckpoint first(path, {.save_best_only = true, .initial_value_threshold = .9});
    SEQ_ASSERT_OK(f.Feed(first, {.8, .7}));
    StateWriter state(&records, "");
    first.SaveState(state);
  }
  SEQ_ASSERT_OK(f.model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {100})));
  SEQ_ASSERT_OK(SaveModel(f.model, path));
  ModelCheckpoint again(path, {.save_best_only = true, .initial_value_threshold = .5});
  SEQ_ASSERT_OK(again.OnTrainBegin(f.context));
  SEQ_ASSERT_OK(again.LoadState(f.context, StateReader(&records, "")));
  EXPECT_EQ(again.best(), .7);
  EXPECT_EQ(again.last_path(), "");
  for (const auto& [loss, saved] :
       std::vector<std::pair<double, int>>{{.65, 100}, {.6, 100}, {.5, 3}, {.55, 3}, {.45, 5}}) {
    SEQ_ASSERT_OK(f.model.variables.Assign(
        "dense/bias", Tensor::Of<float>({1}, {saved == 100 ? 7.0f : static_cast<float>(saved)})));
    Logs logs = {{"loss", 1.5}, {"val_loss", loss}};
    SEQ_ASSERT_OK(again.OnEpochEnd(f.context, 2, logs));
    EXPECT_EQ(f.SavedEpoch(path), saved) << loss;
    EXPECT_EQ(again.last_path(), saved == 100 ? "" : path);
  }
}

TEST(ModelCheckpoint, WithoutTheMetricItSavesAnywayAndSaysSo) {
  Fixture f;
  const std::string path = f.folder + "/best.pb";
  ModelCheckpoint checkpoint(path, {.save_best_only = true, .verbose = false});
  SEQ_ASSERT_OK(checkpoint.OnTrainBegin(f.context));
  Logs logs = {{"loss", .5}};
  SEQ_ASSERT_OK(checkpoint.OnEpochEnd(f.context, 0, logs));
  EXPECT_TRUE(std::filesystem::exists(path));
  ASSERT_EQ(f.context.messages.size(), 1u);
  EXPECT_THAT(f.context.messages[0],
              ::testing::StartsWith("Can save best model only with val_loss available."));
}

TEST(ModelCheckpoint, CountsBatchesOverAllEpochs) {
  Fixture f;
  ModelCheckpoint checkpoint(f.folder + "/{epoch}-{batch}-{loss:.1f}.pb",
                             {.save_every_batches = 4});
  SEQ_ASSERT_OK(checkpoint.OnTrainBegin(f.context));
  for (int epoch = 0; epoch < 2; ++epoch) {
    SEQ_ASSERT_OK(checkpoint.OnEpochBegin(f.context, epoch));
    Logs logs = {{"loss", .25}};
    for (int64_t batch = 0; batch < 3; ++batch) {
      SEQ_ASSERT_OK(checkpoint.OnBatchEnd(f.context, batch, logs));
    }
    SEQ_ASSERT_OK(checkpoint.OnEpochEnd(f.context, epoch, logs));
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(f.folder)) {
    files.push_back(entry.path().filename());
  }
  EXPECT_THAT(files, ::testing::ElementsAre("2-1-0.2.pb"));
}

TEST(ModelCheckpoint, MakesMissingFolders) {
  Fixture f;
  ModelCheckpoint checkpoint(f.folder + "/a/b{epoch}/best.textproto");
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.7}));
  EXPECT_EQ(f.SavedEpoch(f.folder + "/a/b1/best.textproto"), 1);
}

// Written at most once a second, by a clock that the test sets.
struct TimedFixture : Fixture {
  double now = 100;
  ModelCheckpointOptions options{
      .save_best_only = true, .seconds_between_writes = 1, .clock = [this] { return now; }};
  std::string path = folder + "/best.pb";
  ModelCheckpoint checkpoint{path, options};
};

TEST(ModelCheckpoint, WritesAtMostSoOftenAndTheBestAtTheEnd) {
  TimedFixture f;
  SEQ_ASSERT_OK(f.Feed(f.checkpoint, {.9, .8, .7, .75}));
  EXPECT_EQ(f.SavedEpoch(f.path), 1);
  EXPECT_EQ(f.checkpoint.best(), .7);
  EXPECT_EQ(f.context.messages.size(), 4u);  // They tell of saves, whenever these are written.
  // The model has gone on; the file gets what was saved, and the model keeps what it has.
  SEQ_ASSERT_OK(f.checkpoint.OnTrainEnd(f.context));
  EXPECT_EQ(f.SavedEpoch(f.path), 3);
  EXPECT_EQ(f.model.variables.Find("dense/bias")->value.Elements<float>()[0], 4);
  // Nothing is left to write.
  std::filesystem::remove(f.path);
  SEQ_ASSERT_OK(f.checkpoint.OnTrainEnd(f.context));
  EXPECT_EQ(f.SavedEpoch(f.path), 0);
}

TEST(ModelCheckpoint, WhatWaitsIsWrittenWhenTheTimeIsOver) {
  TimedFixture f;
  SEQ_ASSERT_OK(f.Feed(f.checkpoint, {.9, .8}));
  Logs logs = {{"loss", .5}, {"val_loss", .95}};
  f.now += .75;
  SEQ_ASSERT_OK(f.checkpoint.OnBatchEnd(f.context, 0, logs));
  EXPECT_EQ(f.SavedEpoch(f.path), 1);
  f.now += .25;
  SEQ_ASSERT_OK(f.checkpoint.OnBatchEnd(f.context, 1, logs));
  EXPECT_EQ(f.SavedEpoch(f.path), 2);
  // The next save is as soon again.
  SEQ_EXPECT_OK(f.model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {3.0f})));
  logs["val_loss"] = .7;
  SEQ_ASSERT_OK(f.checkpoint.OnEpochEnd(f.context, 2, logs));
  EXPECT_EQ(f.SavedEpoch(f.path), 2);
  f.now += 1;
  logs["val_loss"] = .75;  // No save, but the time is over.
  SEQ_ASSERT_OK(f.checkpoint.OnEpochEnd(f.context, 3, logs));
  EXPECT_EQ(f.SavedEpoch(f.path), 3);
}

TEST(ModelCheckpoint, EachPathIsWrittenHoweverSoon) {
  TimedFixture f;
  f.options.save_best_only = false;
  ModelCheckpoint checkpoint(f.folder + "/{epoch}.pb", f.options);
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.7, .8, .9}));
  SEQ_ASSERT_OK(checkpoint.OnTrainEnd(f.context));
  for (int epoch : {1, 2, 3}) {
    EXPECT_EQ(f.SavedEpoch(f.folder + "/" + std::to_string(epoch) + ".pb"), epoch);
  }
}

TEST(ModelCheckpoint, ARunThatFailsLosesNoSave) {
  TimedFixture f;
  SEQ_ASSERT_OK(f.Feed(f.checkpoint, {.9, .8}));
  SEQ_ASSERT_OK(f.checkpoint.OnTrainFailure(f.context));
  EXPECT_EQ(f.SavedEpoch(f.path), 2);
}

TEST(ModelCheckpoint, SelfTestsSeeTheModelThatIsWritten) {
  TimedFixture f;
  std::vector<float> seen;
  f.options.self_tests = [&]() -> absl::StatusOr<std::vector<SelfTest>> {
    seen.push_back(f.model.variables.Find("dense/bias")->value.Elements<float>()[0]);
    return std::vector<SelfTest>();
  };
  ModelCheckpoint checkpoint(f.path, f.options);
  SEQ_ASSERT_OK(f.Feed(checkpoint, {.9, .8, .7, .75}));
  SEQ_ASSERT_OK(checkpoint.OnTrainEnd(f.context));
  EXPECT_THAT(seen, ::testing::ElementsAre(1, 3));
}

TEST(ModelCheckpoint, MistakesShowBeforeTheFirstStep) {
  Fixture f;
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  ModelCheckpoint ending(f.folder + "/best.h5");
  EXPECT_THAT(ending.OnTrainBegin(f.context), StatusIs(kInvalid, ".textproto"));
  ModelCheckpoint monitor(f.folder + "/best.pb", {.monitor = "auc", .save_best_only = true});
  EXPECT_THAT(monitor.OnTrainBegin(f.context), StatusIs(kInvalid, "'auc'"));
  ModelCheckpoint seconds(f.folder + "/best.pb", {.seconds_between_writes = -1});
  EXPECT_THAT(seconds.OnTrainBegin(f.context), StatusIs(kInvalid, "seconds_between_writes"));
  std::ofstream(f.folder + "/file") << "x";
  ModelCheckpoint folder(f.folder + "/file/best.pb");
  EXPECT_THAT(folder.OnTrainBegin(f.context),
              StatusIs(absl::StatusCode::kFailedPrecondition, "cannot make the folder"));
}

TEST(ModelCheckpoint, AnUnknownNameInThePathIsAnError) {
  Fixture f;
  ModelCheckpoint checkpoint(f.folder + "/{val_auc:.2f}.pb");
  EXPECT_THAT(f.Feed(checkpoint, {.7}), StatusIs(absl::StatusCode::kInvalidArgument, "'val_auc'"));
}

}  // namespace
}  // namespace seqgraph
