#include "tools/report/judgement.h"

#include <algorithm>
#include <cmath>

#include "graph/function_builder.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/embedding.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pointwise;

MATCHER(IsAbout, "") { return std::abs(std::get<0>(arg) - std::get<1>(arg)) < 1e-6; }

// p = sigmoid(sum of a number for each token): "good" +2, "bad" -1, all others 0.
Model SumOfWords() {
  Model model;
  model.preprocessing = {.rule = "imdb", .num_words = 6, .maxlen = 4, .words = {"good", "bad"}};
  model.labels = {"no", "yes"};
  FunctionBuilder g("predict", AllOps());
  const Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), 4}});
  const Value table = g.Variable("table", {6, 1}, {});
  const Value logits = ops::ReduceSum(g, ops::Embedding(g, tokens, table), {.axes = {1}});
  g.Result("probability", ops::Sigmoid(g, logits));
  SEQ_CHECK(model.AddFunction(std::move(g).Build().value()).ok());
  const Variable* variable = model.variables.Find("table");
  model.variables.Mutate<float>(*variable, [](absl::Span<float> content) {
    content[4] = 2;
    content[5] = -1;
  });
  return model;
}

TEST(OcclusionTest, ATokenCountsForWhatTheModelLosesWithoutIt) {
  Model model = SumOfWords();
  ModelRunner runner(&model);
  const int32_t tokens[] = {0, 0, 1, 4, 0, 4, 2, 5};
  const Examples examples{.tokens = tokens, .rows = 2, .maxlen = 4};
  SEQ_ASSERT_OK_AND_ASSIGN(const RowParts parts, PartsOfRow(model, examples, 1));
  EXPECT_THAT(parts.tokens, ElementsAre("good", "", "bad"));
  EXPECT_EQ(parts.first, 1);
  // sigmoid(1) - sigmoid(-1), 0, sigmoid(1) - sigmoid(2).
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<double> yes, Occlude(runner, examples, 1, parts, 1));
  EXPECT_THAT(yes, Pointwise(IsAbout(), {0.46211716, 0.0, -0.14973850}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<double> no, Occlude(runner, examples, 1, parts, 0));
  EXPECT_THAT(no, Pointwise(IsAbout(), {-0.46211716, 0.0, 0.14973850}));
  const int32_t padding[] = {0, 0, 0, 0};
  const Examples empty{.tokens = padding, .rows = 1, .maxlen = 4};
  SEQ_ASSERT_OK_AND_ASSIGN(const RowParts none, PartsOfRow(model, empty, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<double> nothing, Occlude(runner, empty, 0, none, 0));
  EXPECT_THAT(nothing, IsEmpty());
}

// p = sigmoid(sum of all numbers).
TEST(OcclusionTest, AStepBecomesTheMeanOfTheRow) {
  Model model;
  model.series.features = {"x", "y"};
  FunctionBuilder g("predict", AllOps());
  const Value features = g.Input("features", {DType::kFloat32, {Dim::Batch(), 3, 2}});
  const Value sum = ops::ReduceSum(g, features, {.axes = {1, 2}});
  g.Result("probability", ops::Sigmoid(g, ops::Reshape(g, sum, {Dim::Batch(), 1})));
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  ModelRunner runner(&model);
  const float values[] = {7, 7, 1, 0, 0, 2, -1, 1};  // the row begins at step 1
  const int64_t begin[] = {1};
  const Examples examples{
      .rows = 1, .maxlen = 3, .features = values, .row_begin = begin, .num_features = 2};
  SEQ_ASSERT_OK_AND_ASSIGN(const RowParts parts, PartsOfRow(model, examples, 0));
  EXPECT_THAT(parts.values, ElementsAre(1, 0, 0, 2, -1, 1));
  // The means are 0 and 1, the sum 3: without a step 3, 2 and 4.
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<double> moved, Occlude(runner, examples, 0, parts, 1));
  EXPECT_THAT(moved, Pointwise(IsAbout(), {0.0, 0.07177705, -0.02943966}));
}

TEST(SurestWrongTest, AreInTheOrderOfTheirProbability) {
  const float one[] = {0.9f, 0.2f, 0.6f, 0.99f};
  const int32_t is[] = {0, 1, 0, 1};
  EXPECT_THAT(SurestWrong(one, is, 9), ElementsAre(0, 1, 2));  // 0.9, 1 - 0.2, 0.6
  EXPECT_THAT(SurestWrong(one, is, 1), ElementsAre(0));
  const float three[] = {0.5f, 0.3f, 0.2f, 0.1f, 0.2f, 0.7f};
  EXPECT_THAT(SurestWrong(three, {1, 1}, 9), ElementsAre(1, 0));
}

TEST(JudgeClassesTest, OfManyClassesTheToldOneIsCalibrated) {
  const float told[] = {0.5f, 0.3f, 0.2f, 0.1f, 0.2f, 0.7f};
  SEQ_ASSERT_OK_AND_ASSIGN(const ClassJudgement judgement,
                           JudgeClasses(told, {0, 1}, {"a", "b", "c"}));
  EXPECT_EQ(judgement.curves.size(), 3u);
  ASSERT_EQ(judgement.reliability.bins.size(), 2u);
  EXPECT_EQ(judgement.reliability.bins[0].share, 1);
  EXPECT_EQ(judgement.reliability.bins[1].share, 0);
  EXPECT_NEAR(judgement.reliability.brier, (0.25 + 0.49) / 2, 1e-6);
  EXPECT_THAT(JudgeClasses(told, {0, 3}, {"a", "b", "c"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// numpy.quantile([3, 1, 2, 10], [0, 0.1, 0.5, 1]).
TEST(QuantileOfTest, IsThatOfNumPy) {
  std::vector<double> values = {3, 1, 2, 10};
  EXPECT_EQ(QuantileOf(values, 0), 1);
  EXPECT_NEAR(QuantileOf(values, 0.1), 1.3, 1e-12);
  EXPECT_EQ(QuantileOf(values, 0.5), 2.5);
  EXPECT_EQ(QuantileOf(values, 1), 10);
  std::vector<double> none;
  EXPECT_TRUE(std::isnan(QuantileOf(none, 0.5)));
}

// Tells the last step of a window again: of 0 1 3 6 10 15 21, windows of 2, it is off by 2 to 6.
TEST(JudgeNumbersTest, IntervalsAreThoseOfTheErrorsInTraining) {
  Model model;
  model.series.features = {"x"};
  FunctionBuilder g("predict", AllOps());
  const Value features = g.Input("features", {DType::kFloat32, {Dim::Batch(), 2, 1}});
  g.Result("told", ops::Slice(g, features, {.axis = 1, .begin = 1, .end = 2}));
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  ModelRunner runner(&model);
  const float values[] = {0, 1, 3, 6, 10, 15, 21};
  const int64_t begin[] = {0, 1, 2, 3, 4}, labels[] = {2, 3, 4, 5, 6};
  const Examples examples{.rows = 5,
                          .maxlen = 2,
                          .features = values,
                          .row_begin = begin,
                          .num_features = 1,
                          .label_begin = labels,
                          .label_steps = 1};
  SEQ_ASSERT_OK_AND_ASSIGN(const NumberJudgement judgement,
                           JudgeNumbers(runner, examples, examples, nullptr));
  ASSERT_EQ(judgement.charts.size(), 1u);
  const Chart& chart = judgement.charts[0];
  EXPECT_EQ(chart.title, "x");
  EXPECT_THAT(chart.lines[0].x, ElementsAre(2, 3, 4, 5, 6));
  EXPECT_THAT(chart.lines[0].y, ElementsAre(3, 6, 10, 15, 21));
  EXPECT_THAT(chart.lines[1].y, ElementsAre(1, 3, 6, 10, 15));
  // numpy.quantile([2, 3, 4, 5, 6], [0.1, 0.9]) = 2.4, 5.6
  EXPECT_THAT(chart.bands[0].low, Pointwise(IsAbout(), {3.4, 5.4, 8.4, 12.4, 17.4}));
  EXPECT_THAT(chart.bands[0].high, Pointwise(IsAbout(), {6.6, 8.6, 11.6, 15.6, 20.6}));
  ASSERT_EQ(judgement.notes.size(), 1u);
  EXPECT_THAT(judgement.notes[0], HasSubstr("x: 60.0 % of the 5 steps"));
}

}  // namespace
}  // namespace seqgraph::tools
