#include "training/early_stopping.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// A model with one weight and one variable of an optimizer, both holding the number of the epoch
// (from 0) that just ended.
struct FakeRun {
  Model model;
  FitContext context{model};
  int epochs_run = 0;

  FakeRun() {
    SEQ_EXPECT_OK(model.variables.Declare({"w", {DType::kFloat32, {1}}, {}}));
    SEQ_EXPECT_OK(model.variables.Declare(
        {"slot", {DType::kFloat32, {1}}, {}, VariableRole::kOptimizer, false}));
  }

  // Feeds one value an epoch until the callback stops the run; false if it never does.
  bool Feed(EarlyStopping& stopping, const std::vector<double>& values,
            const std::string& name = "val_loss") {
    context.stop_training = false;
    context.messages.clear();
    epochs_run = 0;
    SEQ_EXPECT_OK(stopping.OnTrainBegin(context));
    for (const double value : values) {
      const int epoch = epochs_run++;
      for (const char* variable : {"w", "slot"}) {
        SEQ_EXPECT_OK(
            model.variables.Assign(variable, Tensor::Of<float>({1}, {static_cast<float>(epoch)})));
      }
      Logs logs = {{name, value}};
      SEQ_EXPECT_OK(stopping.OnEpochEnd(context, epoch, logs));
      if (context.stop_training) break;
    }
    SEQ_EXPECT_OK(stopping.OnTrainEnd(context));
    return context.stop_training;
  }
  float Content(const std::string& name) {
    return model.variables.Find(name)->value.Elements<float>()[0];
  }
};

TEST(EarlyStopping, StopsAfterPatienceEpochsWithoutImprovement) {
  FakeRun run;
  EarlyStopping stopping({.patience = 3});
  EXPECT_TRUE(run.Feed(stopping, {.7, .6, .61, .62, .6, .1}));  // .6 again is no improvement
  EXPECT_EQ(run.epochs_run, 5);
  EXPECT_EQ(stopping.stopped_epoch(), 4);
  EXPECT_EQ(stopping.best_epoch(), 1);
  EXPECT_EQ(stopping.best(), .6);
}

TEST(EarlyStopping, AnImprovementStartsThePatienceAnew) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2});
  EXPECT_TRUE(run.Feed(stopping, {.7, .8, .6, .7, .5, .6, .6}));
  EXPECT_EQ(run.epochs_run, 7);
}

TEST(EarlyStopping, PatienceZeroAndOneStopAtTheFirstWorseEpoch) {
  for (const int patience : {0, 1}) {
    FakeRun run;
    EarlyStopping stopping({.patience = patience});
    EXPECT_TRUE(run.Feed(stopping, {.7, .6, .6, .5}));
    EXPECT_EQ(run.epochs_run, 3) << patience;
  }
}

TEST(EarlyStopping, ChangesUpToMinDeltaAreNoImprovements) {
  FakeRun run;
  EarlyStopping stopping({.min_delta = -0.25, .patience = 2});  // the sign does not matter
  EXPECT_TRUE(run.Feed(stopping, {1, .75, .75, 0}));
  EXPECT_EQ(run.epochs_run, 3);
  EXPECT_FALSE(run.Feed(stopping, {1, .7, .4, .1}));
}

TEST(EarlyStopping, AnImprovementThatDoesNotBeatTheBaselineKeepsWaiting) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2, .baseline = .5});
  // Waits 1, 2, 3 while improving (never stops on such an epoch), then stops on the first worse.
  EXPECT_TRUE(run.Feed(stopping, {.9, .8, .7, .75, .1}));
  EXPECT_EQ(run.epochs_run, 4);
  EXPECT_EQ(stopping.best_epoch(), 2);
  // Once below the baseline the patience is whole again.
  EXPECT_TRUE(run.Feed(stopping, {.9, .4, .45, .45, .1}));
  EXPECT_EQ(run.epochs_run, 4);
}

TEST(EarlyStopping, EpochsBeforeTheStartAreNotLookedAt) {
  FakeRun run;
  EarlyStopping stopping({.patience = 1, .start_from_epoch = 3});
  EXPECT_TRUE(run.Feed(stopping, {.1, .2, .3, .9, .8, .85, .1}));
  EXPECT_EQ(run.epochs_run, 6);
  EXPECT_EQ(stopping.best_epoch(), 4);
}

TEST(EarlyStopping, NothingImprovesOnAFirstNaN) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2});
  EXPECT_TRUE(run.Feed(stopping, {NAN, .5, .4, .3}));
  EXPECT_EQ(run.epochs_run, 3);
  EXPECT_EQ(stopping.best_epoch(), 0);
}

TEST(EarlyStopping, ALaterNaNIsNoImprovement) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2});
  EXPECT_TRUE(run.Feed(stopping, {.5, NAN, NAN, .1}));
  EXPECT_EQ(run.epochs_run, 3);
}

TEST(EarlyStopping, MetricsImproveUpwards) {
  FakeRun run;
  run.context.higher_is_better["accuracy"] = true;
  EarlyStopping stopping({.monitor = "val_accuracy", .patience = 1});
  EXPECT_TRUE(run.Feed(stopping, {.5, .6, .55}, "val_accuracy"));
  EXPECT_EQ(run.epochs_run, 3);
  EarlyStopping downwards({.monitor = "val_accuracy", .patience = 1, .mode = MonitorMode::kMin});
  EXPECT_TRUE(run.Feed(downwards, {.5, .6, .55}, "val_accuracy"));
  EXPECT_EQ(run.epochs_run, 2);
}

TEST(EarlyStopping, RestoresTheBestWeightsWhenItStops) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2, .restore_best_weights = true});
  EXPECT_TRUE(run.Feed(stopping, {.7, .6, .65, .66}));
  EXPECT_EQ(run.Content("w"), 1);
  EXPECT_EQ(run.Content("slot"), 3);  // the optimizer's state is not restored
  EXPECT_THAT(run.context.messages,
              ::testing::ElementsAre("Epoch 4: early stopping",
                                     "Restoring model weights from the end of the best epoch: 2."));
}

TEST(EarlyStopping, RestoresTheBestWeightsAlsoWhenAllEpochsRan) {
  FakeRun run;
  EarlyStopping stopping({.patience = 5, .restore_best_weights = true});
  EXPECT_FALSE(run.Feed(stopping, {.7, .6, .65}));
  EXPECT_EQ(run.Content("w"), 1);
  EXPECT_THAT(run.context.messages,
              ::testing::ElementsAre("Restoring model weights from the end of the best epoch: 2."));
}

TEST(EarlyStopping, LeavesTheLastWeightsUnlessAskedTo) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2});
  EXPECT_TRUE(run.Feed(stopping, {.7, .6, .65, .66}));
  EXPECT_EQ(run.Content("w"), 3);
}

TEST(EarlyStopping, RestoringRaisesTheVersion) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2, .restore_best_weights = true});
  SEQ_ASSERT_OK(stopping.OnTrainBegin(run.context));
  Logs logs = {{"val_loss", 1.0}};
  SEQ_ASSERT_OK(stopping.OnEpochEnd(run.context, 0, logs));
  const uint64_t before = run.model.variables.Find("w")->version;
  SEQ_ASSERT_OK(stopping.OnTrainEnd(run.context));
  EXPECT_GT(run.model.variables.Find("w")->version, before);
}

TEST(EarlyStopping, AMissingMetricIsAMessageAndNothingElse) {
  FakeRun run;
  EarlyStopping stopping({.patience = 1});
  SEQ_ASSERT_OK(stopping.OnTrainBegin(run.context));
  for (int epoch = 0; epoch < 3; ++epoch) {
    Logs logs = {{"loss", .5}, {"accuracy", .6}};
    SEQ_ASSERT_OK(stopping.OnEpochEnd(run.context, epoch, logs));
  }
  EXPECT_FALSE(run.context.stop_training);
  ASSERT_EQ(run.context.messages.size(), 3u);
  EXPECT_EQ(run.context.messages[0],
            "Early stopping conditioned on metric `val_loss` which is not available. Available "
            "metrics are: accuracy,loss");
}

TEST(EarlyStopping, AnUnknownMetricNeedsAMode) {
  FakeRun run;
  EarlyStopping unknown({.monitor = "val_auc"});
  EXPECT_THAT(unknown.OnTrainBegin(run.context),
              StatusIs(absl::StatusCode::kInvalidArgument, "'val_auc'"));
  EarlyStopping with_mode({.monitor = "val_auc", .mode = MonitorMode::kMax});
  SEQ_EXPECT_OK(with_mode.OnTrainBegin(run.context));
}

TEST(EarlyStopping, ASecondRunStartsAnew) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2});
  EXPECT_TRUE(run.Feed(stopping, {.1, .2, .3}));
  EXPECT_FALSE(run.Feed(stopping, {.9, .8, .85}));
  EXPECT_EQ(stopping.stopped_epoch(), -1);
  EXPECT_EQ(stopping.best(), .8);
}

TEST(EarlyStopping, WhatARunBeginsWithMayBeItsBest) {
  FakeRun run;
  EarlyStopping stopping({.patience = 2, .restore_best_weights = true, .initial_best = .5});
  SEQ_ASSERT_OK(run.model.variables.Assign("w", Tensor::Of<float>({1}, {42})));
  EXPECT_TRUE(run.Feed(stopping, {.6, .5, .1}));
  EXPECT_EQ(run.epochs_run, 2);
  EXPECT_EQ(stopping.best_epoch(), -1);
  EXPECT_EQ(stopping.best(), .5);
  EXPECT_EQ(run.Content("w"), 42);
  EXPECT_TRUE(run.Feed(stopping, {.6, .4, .5, .5, .1}));
  EXPECT_EQ(stopping.best_epoch(), 1);
  EXPECT_EQ(run.Content("w"), 1);
}

}  // namespace
}  // namespace seqgraph
