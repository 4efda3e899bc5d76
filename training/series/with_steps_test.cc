#include "training/series/with_steps.h"

#include <vector>

#include "tests/testing.h"
#include "training/model_runner.h"
#include "training/series/series_model.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

SeriesModelOptions Ragged(SeriesTaskKind kind, int64_t steps) {
  SeriesModelOptions options{.task = {.kind = kind},
                             .features = 1,
                             .steps = steps,
                             .masking = true,
                             .outputs = 3,
                             .layers = {.cell = "GRU", .units = 4}};
  options.input = {{2}, {3}};
  if (kind == SeriesTaskKind::kRegress) options.target = {{1, 2, 3}, {4, 5, 6}};
  return options;
}

Model Made(SeriesTaskKind kind, int64_t steps) {
  Model model = MakeSeriesModel(Ragged(kind, steps), {.seed = 7}).value();
  model.series.task = FactsOf(kind).name;
  model.series.features = {"x"};
  model.series.max_steps = steps;
  if (kind == SeriesTaskKind::kRegress) {
    model.series.targets = {"a", "b", "c"};
  } else {
    model.labels = {"a", "b", "c"};
  }
  return model;
}

// Rows of 3 and 2 steps, and where they fit of 5.
struct Rows {
  explicit Rows(int64_t maxlen) {
    examples.rows = maxlen < 5 ? 2 : 3;
    examples.maxlen = maxlen;
    examples.features = values;
    examples.num_features = 1;
    examples.row_begin = absl::MakeConstSpan(begin).first(examples.rows);
    examples.row_steps = absl::MakeConstSpan(steps).first(examples.rows);
  }
  std::vector<float> values = {1, -2, 3, 4, 0, 5, 6, -7, 8, 2};
  std::vector<int64_t> begin = {0, 3, 5}, steps = {3, 2, 5};
  Examples examples;
};

class WithStepsTest : public ::testing::TestWithParam<SeriesTaskKind> {};

TEST_P(WithStepsTest, AnswersWhatAModelOfThatLengthAnswers) {
  Model model = Made(GetParam(), 3);
  Model longer = WithSteps(model, 5).value();
  EXPECT_EQ(longer.series.max_steps, 5);
  EXPECT_EQ(longer.labels, model.labels);
  // Equal seeds give equal weights, whatever the length.
  Model built = Made(GetParam(), 5);
  const Rows rows(5);
  const auto answers = ModelRunner(&longer).Predict(rows.examples);
  ASSERT_THAT(answers, IsOk());
  EXPECT_THAT(*answers, ElementsAreArray(ModelRunner(&built).Predict(rows.examples).value()));
  // A row has the answer that it had.
  if (GetParam() != SeriesTaskKind::kTag) {
    const auto before = ModelRunner(&model).Predict(Rows(3).examples).value();
    ASSERT_THAT(before, SizeIs(6));
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR((*answers)[i], before[i], 1e-6);
  }
}

TEST_P(WithStepsTest, JudgesByTheSameLoss) {
  Model longer = WithSteps(Made(GetParam(), 3), 5).value();
  Model built = Made(GetParam(), 5);
  Rows rows(5);
  const std::vector<int32_t> classes = {2, 0, 1, 1, 2, 0, 0, 1, 2, 2};
  const std::vector<float> numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  if (GetParam() == SeriesTaskKind::kRegress) {
    rows.examples.values = numbers;
  } else if (GetParam() == SeriesTaskKind::kTag) {
    rows.examples.targets = classes;
    rows.examples.label_begin = rows.examples.row_begin;
  } else {
    rows.examples.targets = absl::MakeConstSpan(classes).first(3);
  }
  const auto judged = ModelRunner(&longer).Evaluate(rows.examples, {.metrics = {}});
  ASSERT_THAT(judged, IsOk());
  EXPECT_EQ(judged->at("loss"),
            ModelRunner(&built).Evaluate(rows.examples, {.metrics = {}}).value().at("loss"));
}

INSTANTIATE_TEST_SUITE_P(Tasks, WithStepsTest,
                         ::testing::Values(SeriesTaskKind::kClassify, SeriesTaskKind::kRegress,
                                           SeriesTaskKind::kTag),
                         [](const auto& info) { return FactsOf(info.param).name; });

TEST(WithSteps, RefusesRowsOfOneLength) {
  SeriesModelOptions whole = Ragged(SeriesTaskKind::kClassify, 3);
  whole.masking = false;
  Model model = MakeSeriesModel(whole).value();
  model.series.task = "classify";
  model.series.max_steps = 3;
  EXPECT_FALSE(HasMasking(model));
  EXPECT_THAT(WithSteps(model, 5), StatusIs(kInvalid, "rows of 3 steps alone"));
  Model window = Made(SeriesTaskKind::kClassify, 3);
  EXPECT_TRUE(HasMasking(window));
  window.series.window = 3;
  EXPECT_THAT(WithSteps(window, 5), StatusIs(kInvalid, "rows of 3 steps alone"));
}

}  // namespace
}  // namespace seqgraph
