// Schedules against values of their formulas worked out by hand, and the callbacks that follow
// them.

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/learning_rate_scheduler.h"
#include "training/learning_rate_schedules.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

std::vector<double> At(const absl::StatusOr<LearningRateSchedule>& schedule,
                       const std::vector<int64_t>& steps) {
  SEQ_EXPECT_OK(schedule);
  std::vector<double> rates;
  for (const int64_t step : steps) rates.push_back((*schedule)(step));
  return rates;
}

void ExpectNear(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(LearningRateSchedules, ExponentialDecayHalvesInTenSteps) {
  const DecayOptions options{.initial = 0.1, .decay_steps = 10, .decay_rate = 0.5};
  ExpectNear(At(ExponentialDecay(options), {0, 5, 10, 20}),
             {0.1, 0.1 * std::sqrt(0.5), 0.05, 0.025});
  DecayOptions stairs = options;
  stairs.staircase = true;
  ExpectNear(At(ExponentialDecay(stairs), {0, 9, 10, 19, 20}), {0.1, 0.1, 0.05, 0.05, 0.025});
}

TEST(LearningRateSchedules, InverseTimeDecay) {
  const DecayOptions options{.initial = 0.1, .decay_steps = 10, .decay_rate = 0.5};
  ExpectNear(At(InverseTimeDecay(options), {0, 20, 60}), {0.1, 0.05, 0.025});
}

TEST(LearningRateSchedules, PiecewiseConstantDecayKeepsAValueUpToItsBoundary) {
  ExpectNear(At(PiecewiseConstantDecay({3, 5}, {1, 0.5, 0.1}), {0, 3, 4, 5, 6, 100}),
             {1, 1, 0.5, 0.5, 0.1, 0.1});
}

TEST(LearningRateSchedules, CosineDecay) {
  ExpectNear(At(CosineDecay({.initial = 1, .decay_steps = 100, .alpha = 0.1}), {0, 50, 100, 200}),
             {1, 0.55, 0.1, 0.1});
  ExpectNear(
      At(CosineDecay({.initial = 0.2, .decay_steps = 100, .warmup_target = 1, .warmup_steps = 10}),
         {0, 5, 10, 60, 110}),
      {0.2, 0.6, 1, 0.5, 0});
}

TEST(LearningRateSchedules, RefuseWhatIsOutOfRange) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(ExponentialDecay({.decay_steps = 0}), StatusIs(kInvalid, "decay_steps"));
  EXPECT_THAT(ExponentialDecay({.initial = -1}), StatusIs(kInvalid, "initial"));
  EXPECT_THAT(InverseTimeDecay({.decay_rate = NAN}), StatusIs(kInvalid, "decay_rate"));
  EXPECT_THAT(PiecewiseConstantDecay({3}, {1}), StatusIs(kInvalid, "2 values"));
  EXPECT_THAT(PiecewiseConstantDecay({3, 1}, {1, 1, 1}), StatusIs(kInvalid, "ascend"));
  EXPECT_THAT(CosineDecay({.warmup_steps = -1}), StatusIs(kInvalid, "warmup_steps"));
}

// A model with the two variables of an optimizer that the callbacks go by.
struct FakeRun {
  Model model;
  FitContext context{model};

  FakeRun() {
    for (const auto& [name, dtype] : {std::pair("optimizer/learning_rate", DType::kFloat32),
                                      std::pair("optimizer/iteration", DType::kInt64)}) {
      SEQ_EXPECT_OK(model.variables.Declare(
          {name, {dtype, {}}, {}, VariableRole::kOptimizer, /*trainable=*/false}));
    }
    SEQ_EXPECT_OK(SetLearningRate(model, 0.5));
  }
  double rate() const { return LearningRate(model).value(); }
  void DoStep() {
    model.variables.Mutate<int64_t>(*model.variables.Find("optimizer/iteration"),
                                    [](absl::Span<int64_t> steps) { ++steps[0]; });
  }
};

TEST(LearningRateScheduler, SetsTheRateOfEachEpochFromTheOneBefore) {
  FakeRun run;
  LearningRateScheduler scheduler(
      [](int epoch, double rate) { return epoch < 1 ? rate : rate / 2; });
  std::vector<double> logged;
  for (int epoch = 0; epoch < 3; ++epoch) {
    Logs logs;
    SEQ_ASSERT_OK(scheduler.OnEpochBegin(run.context, epoch));
    SEQ_ASSERT_OK(scheduler.OnEpochEnd(run.context, epoch, logs));
    logged.push_back(logs.at("learning_rate"));
  }
  EXPECT_EQ(logged, (std::vector<double>{0.5, 0.25, 0.125}));
}

TEST(LearningRateScheduler, RefusesARateThatIsNone) {
  FakeRun run;
  LearningRateScheduler scheduler([](int, double) { return -1.0; });
  EXPECT_THAT(scheduler.OnEpochBegin(run.context, 4),
              StatusIs(absl::StatusCode::kInvalidArgument, "LearningRateScheduler, epoch 5"));
}

TEST(StepLearningRate, FollowsTheStepsOfTheOptimizerWhereverTheRunBegins) {
  FakeRun run;
  for (int i = 0; i < 3; ++i) run.DoStep();
  StepLearningRate callback([](int64_t step) { return 1.0 / static_cast<double>(1 << step); });
  const uint64_t version = run.model.variables.Find("optimizer/learning_rate")->version;
  SEQ_ASSERT_OK(callback.OnTrainBegin(run.context));
  EXPECT_EQ(run.rate(), 1.0 / 8);
  run.DoStep();
  SEQ_ASSERT_OK(callback.OnBatchEnd(run.context, 0, {}));
  EXPECT_EQ(run.rate(), 1.0 / 16);
  EXPECT_GT(run.model.variables.Find("optimizer/learning_rate")->version, version);
  Logs logs;
  SEQ_ASSERT_OK(callback.OnEpochEnd(run.context, 0, logs));
  EXPECT_EQ(logs.at("learning_rate"), 1.0 / 8);  // of the step that was done
}

TEST(StepLearningRate, NeedsAnOptimizer) {
  Model model;
  FitContext context{model};
  StepLearningRate callback([](int64_t) { return 1.0; });
  EXPECT_THAT(callback.OnTrainBegin(context), StatusIs(absl::StatusCode::kNotFound, "optimizer"));
}

}  // namespace
}  // namespace seqgraph
