#include "training/gradient_norms.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/testing.h"
#include "training/model_builder.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kRows = 6, kMaxlen = 3;
constexpr float kRate = 0.25f;
const std::vector<int32_t> kTokens = {4, 5, 6, 7, 8, 9, 5, 5, 4, 9, 9, 9, 6, 4, 8, 7, 7, 5};
const std::vector<int32_t> kTargets = {0, 1, 0, 1, 1, 0};

Examples Rows() { return {kTokens, kRows, kMaxlen, kTargets}; }

Model Small(bool sample_weight = false) {
  return *MakeTextModel(
      {.num_words = 10, .maxlen = kMaxlen, .embedding_dim = 3, .units = 4},
      {.optimizer = SGD{.learning_rate = kRate}, .sample_weight = sample_weight, .seed = 5});
}

// By weight, ||w - w'||_2 / rate of the step w' = w - rate * gradient on all rows.
std::map<std::string, double> NormsOfAStep(Model model,
                                           const std::map<int32_t, double>& class_weights = {}) {
  std::map<std::string, Tensor> before;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.trainable) before.emplace(variable.def.name, variable.value);
  }
  Trainer trainer(&model, {.backend = "reference"});
  EXPECT_TRUE(trainer
                  .Fit(Rows(), {{}, 0, kMaxlen, {}},
                       {.batch = kRows, .shuffle = false, .class_weights = class_weights})
                  .ok());
  std::map<std::string, double> norms;
  for (const auto& [name, tensor] : before) {
    const auto then = tensor.Elements<float>();
    const auto now = model.variables.Find(name)->value.Elements<float>();
    double sum = 0;
    for (size_t i = 0; i < then.size(); ++i) {
      sum += std::pow(static_cast<double>(then[i]) - now[i], 2);
    }
    norms[name] = std::sqrt(sum) / kRate;
  }
  return norms;
}

void ExpectNorms(const std::vector<std::pair<std::string, double>>& got,
                 const std::map<std::string, double>& expected) {
  EXPECT_EQ(got.size(), expected.size());
  for (const auto& [name, norm] : got) {
    ASSERT_EQ(expected.count(name), 1u) << name;
    EXPECT_GT(norm, 0) << name;
    // A step is seen in the rounding of the weights that it changes.
    EXPECT_NEAR(norm, expected.at(name), 1e-5 + 1e-4 * norm) << name;
  }
}

TEST(GradientNormsTest, AreThoseOfAStep) {
  Model model = Small();
  SEQ_ASSERT_OK_AND_ASSIGN(const auto norms,
                           GradientNorms::Create(model, {.backend = "reference"}, Rows(), kRows));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto first, norms->Measure(model));
  ExpectNorms(first, NormsOfAStep(Small()));
  // With the weights that a model has then, which it leaves alone.
  Trainer trainer(&model, {.backend = "reference"});
  SEQ_ASSERT_OK(trainer.Fit(Rows(), {{}, 0, kMaxlen, {}}, {.epochs = 3, .batch = 2}).status());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto later, norms->Measure(model));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto again, norms->Measure(model));
  EXPECT_EQ(later, again);
  EXPECT_NE(later, first);
}

TEST(GradientNormsTest, CountClassesAsTheStepDoes) {
  const std::map<int32_t, double> weights = {{1, 5.0}};
  Model model = Small(/*sample_weight=*/true);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto norms, GradientNorms::Create(model, {.backend = "reference"},
                                                                   Rows(), kRows, weights));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto measured, norms->Measure(model));
  ExpectNorms(measured, NormsOfAStep(Small(true), weights));
}

TEST(GradientNormsTest, OfNoRowsAreAnError) {
  const Model model = Small();
  EXPECT_THAT(GradientNorms::Create(model, {}, {{}, 0, kMaxlen, {}}, 4).status().message(),
              HasSubstr("of 0 rows"));
}

}  // namespace
}  // namespace seqgraph
