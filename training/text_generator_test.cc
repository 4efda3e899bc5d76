// Models of the next token: their rows, what is drawn, and that a step at a time tells what the
// whole window does.

#include "training/text_generator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/plain_text.h"
#include "graph/evaluate.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "training/losses.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(NextTokenExamples, AreWindowsSideBySideAndWhatStandsBehindEachToken) {
  const std::vector<int32_t> codes = {10, 11, 12, 13, 14, 15, 16, 17};
  EXPECT_EQ(NumTokenWindows(codes, 3), 2);
  EXPECT_EQ(NumTokenWindows(codes, 7), 1);
  EXPECT_EQ(NumTokenWindows(codes, 8), 0);
  EXPECT_EQ(NumTokenWindows({}, 3), 0);
  const Examples both = NextTokenExamples(codes, 3, 0, 2);
  SEQ_EXPECT_OK(both.Validate());
  EXPECT_EQ(both.rows, 2);
  EXPECT_EQ(both.maxlen, 3);
  EXPECT_THAT(both.tokens, ElementsAre(10, 11, 12, 13, 14, 15));
  EXPECT_THAT(both.targets, ElementsAre(11, 12, 13, 14, 15, 16));
  EXPECT_THAT(NextTokenExamples(codes, 3, 1, 2).targets, ElementsAre(14, 15, 16));
  EXPECT_EQ(NextTokenExamples({}, 3, 0, 0).rows, 0);
}

data::Vocabulary Letters(const std::string& letters) {
  std::vector<std::string> words;
  for (const char c : letters) words.emplace_back(1, c);
  return *data::Vocabulary::FromWords(words, static_cast<int>(words.size()) + 4,
                                      data::TokenRule::kCharacters);
}

// Codes 4, 5, 6 in proportion 1 : 4 : 5, whatever the others have.
TEST(DrawCode, TakesWordsInProportionToAPower) {
  const data::Vocabulary abc = Letters("abc");
  const std::vector<float> p = {0.5f, 0, 0, 0, 0.05f, 0.2f, 0.25f};
  const auto draw = [&](double temperature, double uniform) {
    const absl::StatusOr<int32_t> code = DrawCode(p, abc, temperature, uniform);
    SEQ_EXPECT_OK(code);
    return code.value_or(-1);
  };
  for (const double uniform : {0.0, 0.5, 0.999}) EXPECT_EQ(draw(0, uniform), 6);
  EXPECT_EQ(draw(1, 0), 4);
  EXPECT_EQ(draw(1, 0.0999), 4);
  EXPECT_EQ(draw(1, 0.1001), 5);
  EXPECT_EQ(draw(1, 0.4999), 5);
  EXPECT_EQ(draw(1, 0.5001), 6);
  EXPECT_EQ(draw(1, std::nextafter(1.0, 0.0)), 6);
  // Squares, 1 : 16 : 25; and roots, 1 : 2 : sqrt(5).
  EXPECT_EQ(draw(0.5, 0.9 / 42), 4);
  EXPECT_EQ(draw(0.5, 1.1 / 42), 5);
  EXPECT_EQ(draw(0.5, 16.9 / 42), 5);
  EXPECT_EQ(draw(0.5, 17.1 / 42), 6);
  EXPECT_EQ(draw(2, 0.99 / (3 + std::sqrt(5.0))), 4);
  EXPECT_EQ(draw(2, 2.99 / (3 + std::sqrt(5.0))), 5);
  // All but the best are too small for a power.
  EXPECT_EQ(draw(1e-3, 0.999), 6);
}

TEST(DrawCode, NeverTakesWhatHasNoProbability) {
  const data::Vocabulary abc = Letters("abc");
  const std::vector<float> p = {0, 0, 0, 0, 0, 1, 0};
  for (const double temperature : {0.0, 0.1, 1.0, 10.0}) {
    for (const double uniform : {0.0, 0.3, std::nextafter(1.0, 0.0)}) {
      EXPECT_EQ(DrawCode(p, abc, temperature, uniform).value_or(-1), 5);
    }
  }
  EXPECT_EQ(DrawCode(std::vector<float>{0, 0, 0, 0, 0.5f, 0.5f, 0}, abc, 0, 0.9).value_or(-1), 4);
  const auto kLoss = absl::StatusCode::kDataLoss;
  EXPECT_THAT(DrawCode(std::vector<float>{1, 0, 0, 0, 0, 0, 0}, abc, 1, 0),
              StatusIs(kLoss, "tells no"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(DrawCode(std::vector<float>{0, 0, 0, 0, 1, nan, 0}, abc, 0, 0),
              StatusIs(kLoss, "not a number"));
}

absl::StatusOr<Model> Untrained(TextModelOptions options, const data::Vocabulary& vocabulary) {
  options.num_words = options.classes = vocabulary.num_words();
  options.each_step = true;
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options, {.seed = 5}));
  model.preprocessing = {.rule = "characters",
                         .num_words = vocabulary.num_words(),
                         .maxlen = options.maxlen,
                         .words = vocabulary.words()};
  return model;
}

// What the model tells behind the first tokens of a window, by the definitions of the ops.
std::vector<float> ToldBehind(const Model& model, const std::vector<int32_t>& codes) {
  const absl::StatusOr<Function> bound = BindBatch(*model.FindFunction(kPredict), AllOps(), 1);
  SEQ_EXPECT_OK(bound);
  const int64_t maxlen = model.preprocessing.maxlen;
  std::vector<int32_t> window = codes;
  window.resize(static_cast<size_t>(maxlen), 4);  // What comes later does not count.
  TensorMap feeds = {{"tokens", Tensor::Of<int32_t>({1, maxlen}, window)}};
  for (const VariableRead& read : bound->variables()) {
    feeds[read.def.name] = model.variables.Find(read.def.name)->value;
  }
  const absl::StatusOr<TensorMap> results = Evaluate(*bound, feeds);
  SEQ_EXPECT_OK(results);
  const absl::Span<const float> all = results->begin()->second.Elements<float>();
  const auto width = static_cast<size_t>(model.preprocessing.num_words);
  const auto row = all.subspan((codes.size() - 1) * width, width);
  return {row.begin(), row.end()};
}

TEST(TextGenerator, TellsStepByStepWhatTheModelTellsOfAWindow) {
  const data::Vocabulary vocabulary = Letters("abcdefgh ");
  for (const char* cell : {"SimpleRNN", "LSTM", "GRU"}) {
    for (const int64_t layers : {1, 2}) {
      SEQ_ASSERT_OK_AND_ASSIGN(
          Model model,
          Untrained({.maxlen = 12, .cell = cell, .units = 9, .layers = layers}, vocabulary));
      // So small weights as training begins with tell all codes alike.
      for (const Variable& variable : model.variables.all()) {
        if (variable.def.role != VariableRole::kWeight) continue;
        model.variables.Mutate<float>(variable, [](absl::Span<float> weights) {
          for (float& w : weights) w *= 4;
        });
      }
      SEQ_ASSERT_OK_AND_ASSIGN(const auto generator,
                               TextGenerator::Create(model, {.backend = "reference"}));
      for (const std::string prompt : {"bad cab", "h"}) {  // The second forgets the first.
        std::vector<int32_t> codes = data::CodesOfText(prompt, vocabulary);
        SEQ_ASSERT_OK(generator->Begin(prompt));
        while (codes.size() < 12) {
          const std::vector<float> told = ToldBehind(model, codes);
          const auto best = std::max_element(told.begin() + 4, told.end()) - told.begin();
          SEQ_ASSERT_OK_AND_ASSIGN(const int32_t code, generator->Next(0, 0.5));
          ASSERT_EQ(code, best) << cell << ", " << layers << " layers, behind " << codes.size();
          codes.push_back(code);
        }
        // Beyond the window it goes on.
        SEQ_EXPECT_OK(generator->Next(1, 0.5).status());
      }
    }
  }
}

TEST(TextGenerator, RefusesWhatItCannotGoOnWith) {
  const data::Vocabulary vocabulary = Letters("ab");
  SEQ_ASSERT_OK_AND_ASSIGN(const Model both,
                           Untrained({.maxlen = 5, .bidirectional = true}, vocabulary));
  EXPECT_TRUE(TellsNextToken(both));
  EXPECT_THAT(TextGenerator::Create(both).status(),
              StatusIs(absl::StatusCode::kUnimplemented, "it goes backwards"));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model classes, MakeTextModel({}));
  EXPECT_FALSE(TellsNextToken(classes));
  EXPECT_THAT(TextGenerator::Create(classes).status(),
              StatusIs(kInvalid, "does not tell the next token"));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, Untrained({.maxlen = 5}, vocabulary));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto generator, TextGenerator::Create(model));
  EXPECT_THAT(generator->Next(1, 0).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "no text was begun"));
  EXPECT_THAT(generator->Begin(""), StatusIs(kInvalid, "a token to begin with"));
}

}  // namespace
}  // namespace seqgraph
