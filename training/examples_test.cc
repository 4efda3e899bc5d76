#include "training/examples.h"

#include <cstdint>
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

TEST(InputFiller, RefusesTypesByTheInputsName) {
  for (const ValueInfo& input :
       {Input("labels", DType::kInt64, {2}), Input("sample_weight", DType::kInt32, {2}),
        Input("x", DType::kFloat32, {2, 3}), Input("x", DType::kInt32, {2})}) {
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
