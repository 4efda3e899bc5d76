#include "training/model_runner.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

constexpr int64_t kMaxlen = 3;
constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// Seven rows of codes below 6, with targets.
struct Data {
  std::vector<int32_t> tokens = {1, 4, 5, 0, 1, 4, 2, 2, 2, 1, 5, 5, 0, 0, 1, 5, 4, 5, 3, 1, 0};
  std::vector<int32_t> targets = {1, 0, 0, 1, 1, 0, 1};
  Examples All() const { return {tokens, 7, kMaxlen, targets}; }
};

absl::StatusOr<Model> Small(bool one_hot = false) {
  return MakeTextModel(
      {.one_hot = one_hot, .num_words = 6, .maxlen = kMaxlen, .embedding_dim = 2, .units = 4},
      {.seed = 11});
}

TEST(ModelRunner, PredictionsDoNotDependOnTheBatch) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  ModelRunner runner(&model, {.backend = "reference"});
  const Data data;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto all, runner.Predict(data.All(), {.batch = 7}));
  ASSERT_EQ(all.size(), 7u);
  EXPECT_NE(all[0], all[1]);
  for (const int64_t batch : {1, 2, 3, 100}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto some, runner.Predict(data.All(), {.batch = batch}));
    EXPECT_EQ(some, all) << batch;
  }
}

// What a text is in codes, by hand: padding, start, "good" (4), unknown, "bad" (5).
TEST(ModelRunner, PredictsTexts) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model, MakeTextModel({.num_words = 6, .maxlen = 5, .embedding_dim = 2, .units = 4}));
  ModelRunner runner(&model, {.backend = "reference"});
  EXPECT_THAT(runner.PredictTexts({"good"}), StatusIs(kInvalid, "without a rule"));
  model.preprocessing = {.rule = "imdb", .num_words = 6, .maxlen = 5, .words = {"good", "bad"}};
  const std::vector<int32_t> tokens = {0, 1, 4, 2, 5, 0, 0, 0, 0, 1};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto expected,
                           runner.Predict({.tokens = tokens, .rows = 2, .maxlen = 5}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto answers, runner.PredictTexts({"Good or BAD!", ""}));
  EXPECT_EQ(answers, expected);
  EXPECT_NE(answers[0], answers[1]);
}

TEST(ModelRunner, PredictsNothingForNoRows) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto none, runner.Predict({{}, 0, kMaxlen, {}}));
  EXPECT_TRUE(none.empty());
}

// The loss from the predictions by its definition, in double; accuracy by counting.
TEST(ModelRunner, EvaluatesTheMeanOverAllRows) {
  for (const bool one_hot : {false, true}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small(one_hot));
    ModelRunner runner(&model, {.backend = "reference"});
    const Data data;
    SEQ_ASSERT_OK_AND_ASSIGN(const auto p, runner.Predict(data.All()));
    double loss = 0, right = 0;
    for (int i = 0; i < 7; ++i) {
      loss -= std::log(data.targets[i] == 1 ? double{p[i]} : 1 - double{p[i]}) / 7;
      right += (p[i] > 0.5f) == (data.targets[i] == 1);
    }
    for (const int64_t batch : {2, 3, 7, 64}) {
      SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs, runner.Evaluate(data.All(), {.batch = batch}));
      EXPECT_NEAR(logs.at("loss"), loss, 2e-7) << batch;
      EXPECT_EQ(logs.at("accuracy"), right / 7) << batch;
    }
  }
}

TEST(ModelRunner, EvaluatingChangesNoVariable) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  SEQ_ASSERT_OK_AND_ASSIGN(const Model before, Small());
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSERT_OK(runner.Evaluate(Data().All()));
  for (const Variable& variable : before.variables.all()) {
    EXPECT_TRUE(model.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value));
  }
}

TEST(ModelRunner, CompilesOncePerBatchSize) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  ModelRunner runner(&model, {.backend = "reference"});
  SEQ_ASSERT_OK_AND_ASSIGN(const CompiledFunction* first, runner.Compile("predict", 4));
  SEQ_ASSERT_OK_AND_ASSIGN(const CompiledFunction* again, runner.Compile("predict", 4));
  SEQ_ASSERT_OK_AND_ASSIGN(const CompiledFunction* other, runner.Compile("predict", 5));
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
  // What is compiled reads the variables as they are at each call.
  const Data data;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto before, runner.Predict(data.All()));
  SEQ_ASSERT_OK(model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {3})));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto after, runner.Predict(data.All()));
  EXPECT_GT(after[0], before[0]);
}

// What model_runner.h promises; with --config=tsan races would be seen. Rows with an error too:
// that it names them writes nothing.
TEST(ModelRunner, ThreadsShareAModelThatNobodyWrites) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  const Data data;
  Data bad;
  bad.tokens[4] = 77;
  ModelRunner alone(&model);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto answers, alone.Predict(data.All()));
  SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs, alone.Evaluate(data.All()));
  const std::vector<uint64_t> versions = [&] {
    std::vector<uint64_t> each;
    for (const Variable& variable : model.variables.all()) each.push_back(variable.version);
    return each;
  }();
  std::vector<int> right(3);
  std::vector<std::thread> threads;
  for (int& mine : right) {
    threads.emplace_back([&] {
      ModelRunner runner(&model, {.threads = 2});
      for (int64_t batch = 1; batch <= 8; ++batch) {
        const auto found = runner.Predict(data.All(), {.batch = batch});
        mine +=
            found.ok() && std::equal(found->begin(), found->end(), answers.begin(), answers.end(),
                                     [](float a, float b) { return std::abs(a - b) < 1e-6; });
        mine += std::abs(runner.Evaluate(data.All(), {.batch = batch})->at("loss") -
                         logs.at("loss")) < 2e-7;
        mine += !runner.Predict(bad.All(), {.batch = batch}).ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, ::testing::Each(24));
  for (size_t i = 0; i < versions.size(); ++i) {
    EXPECT_EQ(model.variables.all()[i].version, versions[i]);
  }
}

TEST(ModelRunner, NamesWhatIsNotThere) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  ModelRunner runner(&model, {.backend = "abacus"});
  EXPECT_THAT(runner.Predict(Data().All()), StatusIs(absl::StatusCode::kNotFound, "abacus"));
  ModelRunner good(&model, {.backend = "reference"});
  EXPECT_THAT(good.Compile("classify", 1), StatusIs(absl::StatusCode::kNotFound, "classify"));
  EXPECT_THAT(good.Predict(Data().All(), {.prediction = "odds"}), StatusIs(kInvalid, "\"odds\""));
}

// Gives rows of data that lies in memory, a batch a call, and notes what it was asked for.
class Rows : public BatchSource {
 public:
  absl::Status Begin(int epoch) override {
    begun.push_back(epoch);
    return absl::OkStatus();
  }
  absl::StatusOr<Examples> Batch(absl::Span<const int64_t> rows) override {
    tokens_.clear();
    targets_.clear();
    for (const int64_t row : rows) {
      asked.push_back(row);
      if (row == broken) return absl::DataLossError("the disk is on fire");
      for (int64_t i = 0; i < kMaxlen; ++i) tokens_.push_back(data.tokens[row * kMaxlen + i]);
      targets_.push_back(data.targets[row]);
    }
    const auto given = static_cast<int64_t>(rows.size()) + more;
    return Examples{tokens_, given, kMaxlen, targets_};
  }
  Examples All() { return {.rows = 7, .maxlen = kMaxlen, .source = this}; }

  Data data;
  std::vector<int> begun;
  std::vector<int64_t> asked;
  int64_t broken = -1, more = 0;

 private:
  std::vector<int32_t> tokens_, targets_;
};

// The same losses, weights and answers as from memory, shuffled or not.
TEST(ModelRunner, RowsFromASourceAreAsGoodAsThoseInMemory) {
  for (const bool shuffle : {true, false}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model from_memory, Small());
    SEQ_ASSERT_OK_AND_ASSIGN(Model from_source, Small());
    const Data data;
    Rows train, validation;
    const FitOptions options = {.epochs = 3, .batch = 2, .shuffle = shuffle};
    Trainer a(&from_memory, {.backend = "reference"}), b(&from_source, {.backend = "reference"});
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult expected, a.Fit(data.All(), data.All(), options));
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult found, b.Fit(train.All(), validation.All(), options));
    EXPECT_EQ(found.history.values(), expected.history.values());
    EXPECT_THAT(train.begun, ::testing::ElementsAre(0, 1, 2));
    EXPECT_THAT(validation.begun, ::testing::ElementsAre(0, 1, 2));
    EXPECT_EQ(train.asked.size(), 21u);
    EXPECT_EQ(std::is_sorted(train.asked.begin(), train.asked.begin() + 7), !shuffle);
    Rows judged;
    SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs, a.Evaluate(data.All(), {.batch = 3}));
    SEQ_ASSERT_OK_AND_ASSIGN(const Logs same, b.Evaluate(judged.All(), {.batch = 3}));
    EXPECT_EQ(same, logs);
    std::vector<int64_t> done;
    SEQ_ASSERT_OK_AND_ASSIGN(const auto answers, a.Predict(data.All(), {.batch = 3}));
    PredictOptions noted = {.batch = 3};
    noted.progress = [&](int64_t rows) { done.push_back(rows); };
    SEQ_ASSERT_OK_AND_ASSIGN(const auto same_answers, b.Predict(judged.All(), noted));
    EXPECT_EQ(same_answers, answers);
    EXPECT_THAT(done, ::testing::ElementsAre(3, 6, 7));
    EXPECT_THAT(judged.asked, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6));
  }
}

TEST(ModelRunner, WhatIsWrongWithASourceIsNamed) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  Trainer trainer(&model, {.backend = "reference"});
  Rows rows;
  rows.broken = 4;
  EXPECT_THAT(trainer.Predict(rows.All(), {.batch = 3}).status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "batch 2 of 3: the source of rows: the disk is on fire"));
  rows.broken = -1;
  rows.more = 1;
  EXPECT_THAT(trainer.Predict(rows.All()).status(), StatusIs(kInvalid, "gave 8 rows, expected 7"));
  rows.more = 0;
  rows.data.tokens[4 * kMaxlen] = 77;
  EXPECT_THAT(trainer.Evaluate(rows.All(), {.batch = 3}).status(),
              StatusIs(kInvalid, "row 4 of the examples"));
  const Data data;
  Examples both = rows.All();
  both.tokens = data.tokens;
  EXPECT_THAT(trainer.Predict(both).status(), StatusIs(kInvalid, "a source of rows are given"));
  Examples long_rows = rows.All();
  long_rows.maxlen = 9;
  EXPECT_THAT(trainer.Predict(long_rows).status(), StatusIs(kInvalid, "rows of 3 tokens"));
  EXPECT_THAT(trainer.Fit(rows.All(), {}, {.class_weights = {{1, 2}}}).status(),
              StatusIs(kInvalid, "in memory"));
  std::atomic<bool> interrupt{true};
  PredictOptions interrupted;
  interrupted.interrupt = &interrupt;
  EXPECT_THAT(trainer.Predict(data.All(), interrupted).status(),
              StatusIs(absl::StatusCode::kCancelled, "predict: interrupted after 0 of 1 batches"));
}

TEST(ModelRunner, RefusesExamplesThatDoNotFit) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  ModelRunner runner(&model, {.backend = "reference"});
  const Data data;
  EXPECT_THAT(runner.Predict({data.tokens, 6, kMaxlen, {}}), StatusIs(kInvalid, "21 tokens"));
  EXPECT_THAT(runner.Predict({data.tokens, 3, 7, {}}), StatusIs(kInvalid, "have 7"));
  EXPECT_THAT(runner.Predict({data.tokens, int64_t{1} << 62, 4, {}}), StatusIs(kInvalid));
  EXPECT_THAT(runner.Evaluate({data.tokens, 7, kMaxlen, {}}), StatusIs(kInvalid, "no targets"));
  EXPECT_THAT(runner.Evaluate({data.tokens, 7, kMaxlen, absl::MakeSpan(data.targets).first(6)}),
              StatusIs(kInvalid, "6 targets"));
  EXPECT_THAT(runner.Evaluate({{}, 0, kMaxlen, {}}), StatusIs(kInvalid, "no examples"));
  EXPECT_THAT(runner.Predict(data.All(), {.batch = 0}), StatusIs(kInvalid, "batch"));
}

TEST(ModelRunner, ACodeOutOfRangeNamesTheBatch) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  ModelRunner runner(&model, {.backend = "reference"});
  Data data;
  data.tokens[4 * kMaxlen + 1] = 6;
  EXPECT_THAT(runner.Predict(data.All(), {.batch = 3}), StatusIs(kInvalid, "batch 2 of 3"));
}

TEST(ModelRunner, ALossThatIsNotFiniteIsAnError) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  SEQ_ASSERT_OK(model.variables.Assign("dense/bias", Tensor::Of<float>({1}, {nan})));
  ModelRunner runner(&model, {.backend = "reference"});
  EXPECT_THAT(runner.Evaluate(Data().All()),
              StatusIs(absl::StatusCode::kFailedPrecondition, "the loss is nan"));
}

// A row that no function takes is named by its number, or as whoever made the examples names it,
// wherever it lies in its batch; in training too, where rows are shuffled.
TEST(ModelRunner, AnErrorNamesTheRow) {
  for (const bool one_hot : {false, true}) {
    for (const int64_t bad : {0, 4, 6}) {
      Data data;
      data.tokens[static_cast<size_t>(bad * kMaxlen + 1)] = 99;
      Examples examples = data.All();
      SEQ_ASSERT_OK_AND_ASSIGN(Model model, Small(one_hot));
      SEQ_ASSERT_OK_AND_ASSIGN(const Model before, Small(one_hot));
      const std::string row = absl::StrCat("row ", bad, " of the examples: ");
      for (const int64_t batch : {1, 3, 7}) {
        ModelRunner runner(&model, {.backend = "reference"});
        EXPECT_THAT(runner.Predict(examples, {.batch = batch}), StatusIs(kInvalid, row));
        EXPECT_THAT(runner.Evaluate(examples, {.batch = batch}), StatusIs(kInvalid, row));
        EXPECT_THAT(runner.Predict(examples, {.batch = batch}), StatusIs(kInvalid, " is 99"));
      }
      Trainer trainer(&model, {.backend = "reference"});
      const FitOptions fit = {.epochs = 1, .batch = 7};
      EXPECT_THAT(trainer.Fit(examples, {}, fit), StatusIs(kInvalid, row));
      examples.row_name = [](int64_t r) { return absl::StrCat("line ", r + 2, " of a.csv"); };
      EXPECT_THAT(trainer.Fit(examples, {}, fit),
                  StatusIs(kInvalid, absl::StrCat("line ", bad + 2, " of a.csv: ")));
      // Finding out which row it was has trained nothing.
      for (const Variable& variable : before.variables.all()) {
        EXPECT_TRUE(model.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value));
      }
    }
  }
}

}  // namespace
}  // namespace seqgraph
