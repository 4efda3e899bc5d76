#include "training/reduce_lr_on_plateau.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

struct FakeRun {
  Model model;
  FitContext context{model};

  FakeRun() {
    SEQ_EXPECT_OK(model.variables.Declare({"optimizer/learning_rate",
                                           {DType::kFloat32, {}},
                                           {},
                                           VariableRole::kOptimizer,
                                           /*trainable=*/false}));
    SEQ_EXPECT_OK(SetLearningRate(model, 1));
  }

  // The rate after each epoch.
  std::vector<double> Feed(ReduceLROnPlateau& callback, const std::vector<double>& values) {
    SEQ_EXPECT_OK(callback.OnTrainBegin(context));
    std::vector<double> rates;
    for (size_t epoch = 0; epoch < values.size(); ++epoch) {
      Logs logs = {{"val_loss", values[epoch]}};
      const double before = LearningRate(model).value();
      SEQ_EXPECT_OK(callback.OnEpochEnd(context, static_cast<int>(epoch), logs));
      EXPECT_EQ(logs.at("learning_rate"), before);
      rates.push_back(LearningRate(model).value());
    }
    return rates;
  }
};

using Rates = std::vector<double>;

TEST(ReduceLROnPlateau, ReducesAfterPatienceEpochsWithoutImprovement) {
  FakeRun run;
  ReduceLROnPlateau callback({.factor = 0.5, .patience = 2});
  // 0.59995 is no improvement on 0.6 by more than 1e-4.
  EXPECT_EQ(run.Feed(callback, {0.7, 0.6, 0.59995, 0.6, 0.6, 0.6, 0.5}),
            (Rates{1, 1, 1, 0.5, 0.5, 0.25, 0.25}));
  EXPECT_EQ(
      run.context.messages,
      (std::vector<std::string>{"Epoch 4: ReduceLROnPlateau reducing learning rate to 0.5.",
                                "Epoch 6: ReduceLROnPlateau reducing learning rate to 0.25."}));
}

TEST(ReduceLROnPlateau, EpochsOfTheCooldownDoNotCount) {
  FakeRun run;
  ReduceLROnPlateau callback({.factor = 0.5, .patience = 1, .cooldown = 2});
  // Reduced at epoch 1; the next is the first of the cooldown, and counting begins with its last.
  EXPECT_EQ(run.Feed(callback, {1, 1, 1, 1, 1, 1}), (Rates{1, 0.5, 0.5, 0.25, 0.25, 0.125}));
}

TEST(ReduceLROnPlateau, StopsAtTheLeastRate) {
  FakeRun run;
  ReduceLROnPlateau callback({.factor = 0.5, .patience = 1, .min_lr = 0.25});
  EXPECT_EQ(run.Feed(callback, {1, 1, 1, 1, 1}), (Rates{1, 0.5, 0.25, 0.25, 0.25}));
  EXPECT_EQ(run.context.messages.size(), 2);
}

TEST(ReduceLROnPlateau, NaNIsNoImprovement) {
  FakeRun run;
  ReduceLROnPlateau callback({.factor = 0.5, .patience = 2});
  EXPECT_EQ(run.Feed(callback, {NAN, NAN, 1}), (Rates{1, 0.5, 0.5}));
}

TEST(ReduceLROnPlateau, SaysWhatIsMissingAndWhatIsWrong) {
  FakeRun run;
  ReduceLROnPlateau callback;
  Logs logs = {{"loss", 1}};
  SEQ_ASSERT_OK(callback.OnTrainBegin(run.context));
  SEQ_ASSERT_OK(callback.OnEpochEnd(run.context, 0, logs));
  ASSERT_EQ(run.context.messages.size(), 1);
  EXPECT_NE(run.context.messages[0].find("`val_loss` which is not available"), std::string::npos);
  ReduceLROnPlateau wrong({.factor = 1});
  EXPECT_THAT(wrong.OnTrainBegin(run.context),
              StatusIs(absl::StatusCode::kInvalidArgument, "factor"));
}

}  // namespace
}  // namespace seqgraph
