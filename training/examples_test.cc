#include "training/examples.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

ValueInfo Input(std::string name, DType dtype, Shape shape) {
  ValueInfo input;
  input.name = std::move(name);
  input.type = {dtype, std::move(shape)};
  return input;
}

// Rows 2 and 0 as the input gets them.
template <typename T>
std::vector<T> Filled(const InputFiller& filler, const Examples& examples) {
  std::vector<T> content(2 * filler.width(), T{-7});
  filler.Fill(examples, {1, 2, 0}, /*begin=*/1, /*rows=*/2, content.data());
  return content;
}

constexpr int32_t kTokens[] = {1, 2, 3, 4, 5, 6};
constexpr int32_t kTargets[] = {1, 0, 2};
constexpr float kReals[] = {.5, 1, 1.5, 2, 2.5, 3};
constexpr float kWeights[] = {.25, 1, 4};
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(InputFiller, FillsEachKindOfInput) {
  const Examples classes = {
      .tokens = kTokens, .rows = 3, .maxlen = 2, .targets = kTargets, .weights = kWeights};
  const Examples reals = {.rows = 3, .maxlen = 1, .values = kReals, .features = kReals};
  SEQ_ASSERT_OK_AND_ASSIGN(auto tokens, InputFiller::Create(Input("x", DType::kInt32, {2, 2})));
  EXPECT_THAT(Filled<int32_t>(tokens, classes), ElementsAre(5, 6, 1, 2));
  SEQ_ASSERT_OK_AND_ASSIGN(auto numbers, InputFiller::Create(Input("labels", DType::kInt32, {2})));
  EXPECT_THAT(Filled<int32_t>(numbers, classes), ElementsAre(2, 1));
  SEQ_ASSERT_OK_AND_ASSIGN(auto one_hot,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 3})));
  EXPECT_THAT(Filled<float>(one_hot, classes), ElementsAre(0, 0, 1, 0, 1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto weights,
                           InputFiller::Create(Input("sample_weight", DType::kFloat32, {2})));
  EXPECT_THAT(Filled<float>(weights, classes), ElementsAre(4, .25));
  EXPECT_THAT(Filled<float>(weights, reals), ElementsAre(1, 1));
  SEQ_ASSERT_OK_AND_ASSIGN(auto values,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 2})));
  EXPECT_THAT(Filled<float>(values, reals), ElementsAre(2.5, 3, .5, 1));
  SEQ_ASSERT_OK_AND_ASSIGN(auto features,
                           InputFiller::Create(Input("x", DType::kFloat32, {2, 1, 2})));
  EXPECT_THAT(Filled<float>(features, reals), ElementsAre(2.5, 3, .5, 1));
  SEQ_EXPECT_OK(features.CheckFits(reals));
  EXPECT_THAT(features.CheckFits({.rows = 3, .maxlen = 2}), StatusIs(kInvalid, "rows of 1"));
  EXPECT_THAT(numbers.CheckFits(reals), StatusIs(kInvalid, "no targets"));
  EXPECT_THAT(values.CheckFits(classes),
              StatusIs(kInvalid, "the target of row 2 of the examples is 2"));
}

// Two steps a row: targets and weights for each, or one weight for both.
TEST(InputFiller, FillsStepsOfARow) {
  const int32_t steps[] = {1, 0, 0, 0, 2, 1};
  const float each[] = {.1f, .2f, .3f, .4f, .5f, .6f};
  const Examples examples = {
      .tokens = kTokens, .rows = 3, .maxlen = 2, .targets = steps, .weights = each};
  const Examples by_row = {
      .tokens = kTokens, .rows = 3, .maxlen = 2, .targets = kTargets, .weights = kWeights};
  SEQ_ASSERT_OK_AND_ASSIGN(auto classes,
                           InputFiller::Create(Input("labels", DType::kInt32, {2, 2})));
  EXPECT_THAT(Filled<int32_t>(classes, examples), ElementsAre(2, 1, 1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto one_hot,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 2, 3})));
  EXPECT_THAT(Filled<float>(one_hot, examples), ElementsAre(0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto numbers,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 2, 1})));
  EXPECT_THAT(Filled<float>(numbers, examples), ElementsAre(2, 1, 1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto weights,
                           InputFiller::Create(Input("sample_weight", DType::kFloat32, {2, 2})));
  EXPECT_THAT(Filled<float>(weights, examples), ElementsAre(.5f, .6f, .1f, .2f));
  EXPECT_THAT(Filled<float>(weights, by_row), ElementsAre(4, 4, .25f, .25f));
  for (const InputFiller& filler : {classes, one_hot, numbers}) {
    SEQ_EXPECT_OK(filler.CheckFits(examples));
    EXPECT_THAT(filler.CheckFits(by_row), StatusIs(kInvalid, "2 targets a row"));
  }
  SEQ_EXPECT_OK(weights.CheckFits(by_row));
  SEQ_ASSERT_OK_AND_ASSIGN(auto three,
                           InputFiller::Create(Input("sample_weight", DType::kFloat32, {2, 3})));
  EXPECT_THAT(three.CheckFits(examples), StatusIs(kInvalid, "one weight a row or 3"));
  SEQ_ASSERT_OK_AND_ASSIGN(auto two,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 2, 2})));
  EXPECT_THAT(two.CheckFits(examples),
              StatusIs(kInvalid, "the target of row 2 of the examples, step 0 is 2"));
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kGone = kMissingStep;

// Five steps of two features; rows of 2, 3 and 1 of them, of which two overlap.
constexpr float kSteps[] = {1, 10, 2, 20, 3, kNan, 4, 40, 5, 50};
constexpr int64_t kBegin[] = {0, 1, 4}, kLengths[] = {2, 3, 1};

Examples Ragged() {
  return {.rows = 3,
          .maxlen = 3,
          .features = kSteps,
          .row_begin = kBegin,
          .row_steps = kLengths,
          .num_features = 2};
}

std::vector<float> All(const InputFiller& filler, const Examples& examples) {
  std::vector<float> content(3 * filler.width(), -7);
  filler.Fill(examples, {}, /*begin=*/0, /*rows=*/3, content.data());
  return content;
}

TEST(InputFiller, FillsRaggedRowsOfOneArray) {
  const Examples examples = Ragged();
  SEQ_ASSERT_OK(examples.Validate());
  SEQ_ASSERT_OK_AND_ASSIGN(auto features,
                           InputFiller::Create(Input("x", DType::kFloat32, {3, 3, 2})));
  SEQ_EXPECT_OK(features.CheckFits(examples));
  EXPECT_THAT(All(features, examples), ElementsAre(1, 10, 2, 20, kGone, kGone,           //
                                                   2, 20, kGone, kGone, 4, 40,           //
                                                   5, 50, kGone, kGone, kGone, kGone));  //
  EXPECT_THAT(Filled<float>(features, examples)[0], 5);  // In the given order.
  SEQ_ASSERT_OK_AND_ASSIGN(auto wide, InputFiller::Create(Input("x", DType::kFloat32, {3, 3, 4})));
  EXPECT_THAT(wide.CheckFits(examples),
              StatusIs(kInvalid, "4 features a step, the examples have 2"));
  SEQ_ASSERT_OK_AND_ASSIGN(auto two, InputFiller::Create(Input("x", DType::kFloat32, {3, 2, 2})));
  EXPECT_THAT(two.CheckFits(examples), StatusIs(kInvalid, "rows of 2"));
}

// Classes, values and weights of steps: padded behind a row.
TEST(InputFiller, FillsLabelsOfRaggedSteps) {
  const int32_t classes[] = {1, 2, 0, 1, 2};
  const float values[] = {.1f, .2f, .3f, .4f, .5f};
  Examples examples = Ragged();
  examples.label_begin = kBegin;
  examples.targets = classes;
  examples.weights = values;
  SEQ_ASSERT_OK(examples.Validate());
  SEQ_ASSERT_OK_AND_ASSIGN(auto numbers,
                           InputFiller::Create(Input("labels", DType::kInt32, {2, 3})));
  SEQ_EXPECT_OK(numbers.CheckFits(examples));
  EXPECT_THAT(Filled<int32_t>(numbers, examples), ElementsAre(2, 0, 0, 1, 2, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto one_hot,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 3, 3})));
  SEQ_EXPECT_OK(one_hot.CheckFits(examples));
  EXPECT_THAT(Filled<float>(one_hot, examples), ElementsAre(0, 0, 1, 0, 0, 0, 0, 0, 0,  //
                                                            0, 1, 0, 0, 0, 1, 0, 0, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto weights,
                           InputFiller::Create(Input("sample_weight", DType::kFloat32, {2, 3})));
  SEQ_EXPECT_OK(weights.CheckFits(examples));
  EXPECT_THAT(Filled<float>(weights, examples), ElementsAre(.5f, 0, 0, .1f, .2f, 0));
  examples.weights = {values, 3};  // One a row.
  SEQ_EXPECT_OK(weights.CheckFits(examples));
  EXPECT_THAT(Filled<float>(weights, examples), ElementsAre(.3f, .3f, .3f, .1f, .1f, .1f));
  examples.targets = {};
  examples.values = values;
  SEQ_ASSERT_OK(examples.Validate());
  SEQ_ASSERT_OK_AND_ASSIGN(auto reals,
                           InputFiller::Create(Input("labels", DType::kFloat32, {3, 3, 1})));
  SEQ_EXPECT_OK(reals.CheckFits(examples));
  // The second row's step in the middle is missing.
  EXPECT_THAT(All(reals, examples), ElementsAre(.1f, .2f, 0, .2f, 0, .4f, .5f, 0, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(auto four,
                           InputFiller::Create(Input("labels", DType::kFloat32, {3, 4, 1})));
  EXPECT_THAT(four.CheckFits(examples),
              StatusIs(kInvalid, "4 label values a row, the examples have 3"));
}

// What is to be told again: all features of each row's steps.
TEST(InputFiller, FillsReconstructions) {
  Examples examples = Ragged();
  examples.label_begin = kBegin;
  SEQ_ASSERT_OK(examples.Validate());
  EXPECT_TRUE(examples.has_labels());
  SEQ_ASSERT_OK_AND_ASSIGN(auto labels,
                           InputFiller::Create(Input("labels", DType::kFloat32, {3, 3, 2})));
  SEQ_EXPECT_OK(labels.CheckFits(examples));
  EXPECT_THAT(All(labels, examples),
              ElementsAre(1, 10, 2, 20, 0, 0, 2, 20, 0, 0, 4, 40, 5, 50, 0, 0, 0, 0));
}

// Two steps behind windows of two, of chosen columns.
TEST(InputFiller, FillsForecasts) {
  const int64_t begin[] = {0, 1}, next[] = {2, 3};
  const int first[] = {0}, both[] = {1, 0};
  Examples examples = {.rows = 2,
                       .maxlen = 2,
                       .features = kSteps,
                       .row_begin = begin,
                       .num_features = 2,
                       .label_begin = next,
                       .label_steps = 2,
                       .label_columns = first};
  SEQ_ASSERT_OK(examples.Validate());
  SEQ_ASSERT_OK_AND_ASSIGN(auto labels,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 2, 1})));
  SEQ_EXPECT_OK(labels.CheckFits(examples));
  std::vector<float> content(4);
  labels.Fill(examples, {}, 0, 2, content.data());
  EXPECT_THAT(content, ElementsAre(3, 4, 4, 5));
  examples.label_columns = both;
  SEQ_ASSERT_OK_AND_ASSIGN(auto wide,
                           InputFiller::Create(Input("labels", DType::kFloat32, {2, 2, 2})));
  EXPECT_THAT(wide.CheckFits(examples),
              StatusIs(kInvalid, "label of row 0 of the examples, step 0 is missing"));
  const float others[] = {0, 0, 0, 0, 7, 70, 8, 80, 9, 90};
  examples.values = others;
  SEQ_EXPECT_OK(wide.CheckFits(examples));
  content.resize(8);
  wide.Fill(examples, {}, 0, 2, content.data());
  EXPECT_THAT(content, ElementsAre(70, 7, 80, 8, 80, 8, 90, 9));
}

TEST(Examples, RefusesViewsThatDoNotAgree) {
  const int64_t late[] = {0, 3, 4}, before[] = {-1, 0, 0}, long_rows[] = {2, 4, 1};
  const int64_t huge[] = {0, std::numeric_limits<int64_t>::max(), 0};
  const int32_t classes[] = {1, 2, 0, 1};
  const int columns[] = {2};
  const auto refused = [](auto change, const std::string& why) {
    Examples examples = Ragged();
    change(examples);
    EXPECT_THAT(examples.Validate(), StatusIs(kInvalid, why));
  };
  refused([&](Examples& e) { e.row_begin = late; }, "row 1 of the examples are 3 steps from 3 on");
  refused([&](Examples& e) { e.row_begin = before; }, "2 steps from -1 on");
  refused([&](Examples& e) { e.row_begin = huge; }, "3 steps from 9223372036854775807 on");
  refused([&](Examples& e) { e.row_begin = {kBegin, 2}; }, "2 row_begin given for 3 rows");
  refused([&](Examples& e) { e.row_begin = {}; }, "go with row_begin");
  refused([&](Examples& e) { e.row_steps = {kLengths, 2}; }, "2 row_steps");
  refused([&](Examples& e) { e.row_steps = long_rows; }, "has 4 steps, from 0 to 3");
  refused([&](Examples& e) { e.row_steps = huge; }, "has 9223372036854775807 steps");
  refused([&](Examples& e) { e.num_features = 3; }, "10 features, 3 a step");
  refused([&](Examples& e) { e.features = {}; }, "0 features, 2 a step");
  refused([&](Examples& e) { e.label_begin = late; }, "labels of row 1 of the examples are 3");
  refused([&](Examples& e) { e.label_begin = kBegin, e.label_steps = -1; }, "label_steps is -1");
  refused([&](Examples& e) { e.label_begin = kBegin, e.label_steps = 2; }, "2 steps from 4 on");
  refused([&](Examples& e) { e.label_begin = kBegin, e.targets = classes; },
          "4 targets given for 5 steps");
  refused([&](Examples& e) { e.label_begin = kBegin, e.values = {kSteps, 4}; }, "4 values");
  refused([&](Examples& e) { e.label_begin = kBegin, e.label_columns = columns; },
          "label_columns has 2, there are 2 columns");
}

TEST(InputFiller, RefusesTypesByTheInputsName) {
  for (const ValueInfo& input :
       {Input("labels", DType::kInt64, {2}), Input("sample_weight", DType::kInt32, {2}),
        Input("x", DType::kFloat32, {2}), Input("x", DType::kInt32, {2})}) {
    EXPECT_THAT(InputFiller::Create(input), StatusIs(kInvalid, "input " + input.name));
  }
}

TEST(Examples, RefusesSizesThatDoNotAgree) {
  const Examples bad[] = {
      {.tokens = kTokens, .rows = 4, .maxlen = 2},
      {.tokens = kTokens, .rows = 3, .maxlen = 2, .weights = {kWeights, 2}},
      {.tokens = kTokens, .rows = 3, .maxlen = 2, .targets = kTargets, .values = kReals},
      {.tokens = kTokens, .rows = 3, .maxlen = 2, .features = kReals}};
  for (const Examples& examples : bad) {
    EXPECT_THAT(examples.Validate(), StatusIs(kInvalid, "examples: "));
  }
}

}  // namespace
}  // namespace seqgraph
