// A run that goes on from any of its states ends as the one that was never ended: same bits of
// variables and saved models, same history, messages and files.

#include "training/run_state.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/counter_random.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/csv_logger.h"
#include "training/early_stopping.h"
#include "training/lambda_callback.h"
#include "training/learning_rate_scheduler.h"
#include "training/model_checkpoint.h"
#include "training/reduce_lr_on_plateau.h"
#include "training/terminate_on_nan.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMaxlen = 4, kBatch = 8;

struct Data {
  explicit Data(int64_t rows, uint64_t seed) : rows(rows) {
    CounterRandom random(seed, "examples");
    for (int64_t i = 0; i < rows * kMaxlen; ++i) tokens.push_back(4 + random.NextBelow(6));
    for (int64_t i = 0; i < rows; ++i) targets.push_back(tokens[(i + 1) * kMaxlen - 1] >= 7);
  }
  Examples All() const { return {tokens, rows, kMaxlen, targets}; }

  int64_t rows;
  std::vector<int32_t> tokens, targets;
};

// Keeps each state in memory.
class EveryState : public StateKeeper {
 public:
  bool Wants(const RunPosition&) override { return true; }
  absl::Status Keep(RunState state) override {
    states.push_back(std::move(state));
    return absl::OkStatus();
  }
  std::vector<RunState> states;
};

// What a run is made of, and with which callbacks, that have to be new in each process.
struct Case {
  const char* name;
  std::function<absl::StatusOr<Model>()> model;
  std::function<std::vector<CallbackHandle>(const std::string& folder)> callbacks;
  std::vector<Metric> metrics;
  int epochs = 4;
  // Names of files in the folder.
  std::vector<std::string> files = {};
};

absl::StatusOr<Model> SmallModel(const Optimizer& optimizer, const std::string& cell = "SimpleRNN",
                                 bool bidirectional = false, double dropout = 0) {
  return MakeTextModel({.num_words = 10,
                        .maxlen = kMaxlen,
                        .embedding_dim = 3,
                        .cell = cell,
                        .units = 4,
                        .bidirectional = bidirectional,
                        .dropout = dropout,
                        .recurrent_dropout = dropout},
                       {.optimizer = optimizer, .seed = 5});
}

std::vector<Case> Cases() {
  return {
      {.name = "RNN, checkpoints at once, history",
       .model = [] { return SmallModel(RMSProp{.learning_rate = 1e-2}); },
       .callbacks = [](const std::string& folder) -> std::vector<CallbackHandle> {
         return {EarlyStopping({.patience = 1, .restore_best_weights = true}),
                 ModelCheckpoint(folder + "/best.pb", {.save_best_only = true}),
                 HistoryFile(folder + "/history.csv"), CSVLogger(folder + "/log.csv")};
       },
       .metrics = {Accuracy(), AUC(), F1Score(), R2Score()},
       .files = {"best.pb", "history.csv", "log.csv"}},
      {.name = "bidirectional GRU with dropout, checkpoints that wait",
       .model = [] { return SmallModel(Adam{.learning_rate = 1e-2}, "GRU", true, 0.3); },
       .callbacks = [](const std::string& folder) -> std::vector<CallbackHandle> {
         return {ReduceLROnPlateau({.factor = 0.5, .patience = 1, .min_delta = 0.05}),
                 ModelCheckpoint(folder + "/best.pb", {.save_best_only = true,
                                                       .seconds_between_writes = 1000,
                                                       .clock = [] { return 0.0; }}),
                 ModelCheckpoint(folder + "/{epoch}-{batch}.pb",
                                 {.save_every_batches = 3, .verbose = false})};
       },
       .metrics = {DefaultMetric()},
       .files = {"best.pb", "1-3.pb", "4-6.pb"}},
      {.name = "schedules",
       .model = [] { return SmallModel(SGD{.learning_rate = 0.1, .momentum = 0.9}); },
       .callbacks = [](const std::string&) -> std::vector<CallbackHandle> {
         return {LearningRateScheduler([](int, double rate) { return rate * 0.7; }),
                 EarlyStopping({.monitor = "loss", .min_delta = 10, .patience = 2})};
       },
       .metrics = {MeanAbsoluteError()}},
      {.name = "a rate a step",
       .model = [] { return SmallModel(Adam{}, "LSTM"); },
       .callbacks = [](const std::string&) -> std::vector<CallbackHandle> {
         return {StepLearningRate([](int64_t step) { return 0.1 / (1.0 + step); })};
       },
       .metrics = {}},
      {.name = "a loss that is not finite",
       .model = [] { return SmallModel(SGD{.learning_rate = 1e38}); },
       .callbacks = [](const std::string&) -> std::vector<CallbackHandle> {
         return {TerminateOnNaN()};
       },
       .metrics = {}},
  };
}

struct Outcome {
  Model model;
  FitResult result;
  std::vector<std::string> files;
};

absl::StatusOr<Outcome> RunCase(const Case& test, const RunState* state, StateKeeper* keeper,
                                const std::string& folder, RunnerOptions run = {}) {
  static const Data train(50, 1), validation(20, 2);
  SEQ_ASSIGN_OR_RETURN(Model model, test.model());
  Outcome outcome{std::move(model), {}, {}};
  Trainer trainer(&outcome.model, std::move(run));
  SEQ_ASSIGN_OR_RETURN(outcome.result, trainer.Fit(train.All(), validation.All(),
                                                   {.epochs = test.epochs,
                                                    .batch = kBatch,
                                                    .callbacks = test.callbacks(folder),
                                                    .metrics = test.metrics,
                                                    .state = state,
                                                    .keeper = keeper}));
  for (const std::string& name : test.files) {
    SEQ_ASSIGN_OR_RETURN(outcome.files.emplace_back(), ReadFile(folder + "/" + name, 1 << 20));
  }
  return outcome;
}

void ExpectSame(const Outcome& expected, const Outcome& outcome) {
  for (const Variable& variable : expected.model.variables.all()) {
    EXPECT_TRUE(
        outcome.model.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value))
        << variable.def.name;
  }
  EXPECT_EQ(outcome.result.history.ToCsv(), expected.result.history.ToCsv());
  EXPECT_EQ(outcome.result.messages, expected.result.messages);
  EXPECT_TRUE(outcome.files == expected.files);
}

class GoesOn : public ::testing::TestWithParam<size_t> {
 protected:
  const Case& test() const {
    static const auto& cases = *new std::vector<Case>(Cases());
    return cases[GetParam()];
  }
};

TEST_P(GoesOn, FromEveryStepWithTheSameBits) {
  SCOPED_TRACE(test().name);
  const std::string folder = MakeTempDir();
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome whole, RunCase(test(), nullptr, nullptr, folder));
  EveryState keeper;
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome kept, RunCase(test(), nullptr, &keeper, folder));
  ExpectSame(whole, kept);
  ASSERT_GE(keeper.states.size(), 3u);
  for (size_t i = 0; i < keeper.states.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("state ", i));
    const std::string path = folder + "/state.seqrun";
    SEQ_ASSERT_OK(keeper.states[i].Save(path));
    SEQ_ASSERT_OK_AND_ASSIGN(const RunState state, RunState::Load(path));
    // The folder is as a later moment of the run has left it.
    EveryState again;
    SEQ_ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunCase(test(), &state, &again, folder));
    ExpectSame(whole, outcome);
    // What the run that went on keeps is what the whole one kept.
    ASSERT_EQ(again.states.size(), std::max<size_t>(keeper.states.size() - 1 - i, 1));
    for (const auto& [name, value] : keeper.states.back().records().all()) {
      if (absl::StrContains(name, "/pending/")) continue;  // which is a matter of time
      const Records::Value* found = again.states.back().records().Find(name);
      ASSERT_NE(found, nullptr) << name;
      EXPECT_TRUE(SameBits(*found, value)) << name;
    }
  }
}

TEST(RunState, GoesOnWithAnotherNumberOfThreads) {
  const Case test = Cases()[1];
  const std::string folder = MakeTempDir();
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome whole, RunCase(test, nullptr, nullptr, folder));
  EveryState keeper;
  SEQ_ASSERT_OK(RunCase(test, nullptr, &keeper, folder, {.threads = 2}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome outcome,
                           RunCase(test, &keeper.states[9], nullptr, folder, {.threads = 3}));
  for (const Variable& variable : whole.model.variables.all()) {
    EXPECT_TRUE(
        outcome.model.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value))
        << variable.def.name;
  }
  EXPECT_EQ(outcome.result.history.values(), whole.result.history.values());
  EXPECT_EQ(outcome.result.messages, whole.result.messages);
  EXPECT_TRUE(outcome.files == whole.files);
}

// More epochs than were asked for at first, after all of these.
TEST(RunState, AFinishedRunGoesOnAsIfMoreHadBeenAskedFor) {
  for (const size_t i : {size_t{0}, size_t{1}}) {  // 0 is stopped early, and stays so.
    Case test = Cases()[i];
    const std::string folder = MakeTempDir();
    test.epochs = 6;
    SEQ_ASSERT_OK_AND_ASSIGN(const Outcome whole, RunCase(test, nullptr, nullptr, folder));
    test.epochs = 3;
    EveryState keeper;
    SEQ_ASSERT_OK(RunCase(test, nullptr, &keeper, folder));
    test.epochs = 6;
    SEQ_ASSERT_OK_AND_ASSIGN(const Outcome outcome,
                             RunCase(test, &keeper.states.back(), nullptr, folder));
    ExpectSame(whole, outcome);
  }
}

// Ended within the validation, too, where a callback that ends the run is asked again.
TEST(RunState, AnInterruptKeepsWhatIsNeeded) {
  const Case test = Cases()[0];
  const std::string folder = MakeTempDir();
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome whole, RunCase(test, nullptr, nullptr, folder));
  static const Data train(50, 1), validation(20, 2);
  for (int64_t steps = 1; steps < 20; ++steps) {
    SCOPED_TRACE(absl::StrCat("interrupted after ", steps, " steps"));
    std::atomic<bool> interrupt{false};
    int64_t seen = 0;
    EveryState keeper;
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, test.model());
    std::vector<CallbackHandle> callbacks = test.callbacks(folder);
    LambdaCallback counter({.on_batch_end = [&](FitContext&, int64_t, const Logs&) {
      interrupt = ++seen == steps;
      return absl::OkStatus();
    }});
    callbacks.emplace_back(&counter);
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult cut, Trainer(&model).Fit(train.All(), validation.All(),
                                                                      {.epochs = test.epochs,
                                                                       .batch = kBatch,
                                                                       .callbacks = callbacks,
                                                                       .metrics = test.metrics,
                                                                       .interrupt = &interrupt,
                                                                       .keeper = &keeper}));
    if (!cut.interrupted) break;
    RunState state = keeper.states.back();
    SEQ_ASSERT_OK_AND_ASSIGN(const RunPosition position, state.Position());
    EXPECT_FALSE(position.finished);
    // The run that goes on has no callback that counts.
    Records records = state.records();
    records.Erase(absl::StrCat("callback/", test.callbacks(folder).size(), "/is_here"));
    state = RunState(records);
    SEQ_ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunCase(test, &state, nullptr, folder));
    ExpectSame(whole, outcome);
  }
}

// What was not yet written when the run ended goes to where the one that goes on saves.
TEST(RunState, AFolderThatWasMovedIsWrittenWhereItIsNow) {
  Case test = Cases()[1];
  test.files = {"best.pb"};
  const std::string first = MakeTempDir(), second = MakeTempDir();
  EveryState keeper;
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome whole, RunCase(test, nullptr, &keeper, first));
  SEQ_ASSERT_OK(AtomicWriteFile(first + "/best.pb", "of another"));
  const RunState& state = keeper.states[keeper.states.size() - 2];  // behind the last epoch
  ASSERT_TRUE(state.Reader("callback/1/pending").Has("is_there"));
  SEQ_ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunCase(test, &state, nullptr, second));
  EXPECT_TRUE(outcome.files == whole.files);
  EXPECT_EQ(*ReadFile(first + "/best.pb", 100), "of another");
}

TEST(RunState, SaysWhatIsOfAnotherRun) {
  static const Data train(50, 1), validation(20, 2);
  const std::string folder = MakeTempDir();
  Case test = Cases()[3];
  EveryState keeper;
  SEQ_ASSERT_OK(RunCase(test, nullptr, &keeper, folder));
  const RunState& state = keeper.states[2];
  const auto fit = [&](FitOptions options) {
    Model model = *test.model();
    options.epochs = 4;
    options.state = &state;
    options.metrics = {};
    return Trainer(&model).Fit(train.All(), validation.All(), options).status();
  };
  const StepLearningRate rate([](int64_t step) { return 0.1 / (1.0 + step); });
  SEQ_EXPECT_OK(fit({.batch = kBatch, .callbacks = {rate}}));
  EXPECT_THAT(fit({.batch = 16, .callbacks = {rate}}).message(), HasSubstr("batch 8, not 16"));
  EXPECT_THAT(fit({.batch = kBatch, .seed = 2, .callbacks = {rate}}).message(),
              HasSubstr("seed 1, not 2"));
  EXPECT_THAT(fit({.batch = kBatch}).message(), HasSubstr("with 1 callbacks, and here are 0"));
  EXPECT_THAT(fit({.batch = kBatch, .callbacks = {rate, TerminateOnNaN()}}).message(),
              HasSubstr("with 1 callbacks, and here are 2"));
  EXPECT_THAT(fit({.batch = kBatch, .callbacks = {EarlyStopping()}}).message(),
              HasSubstr("callback/0/wait"));
  SEQ_EXPECT_OK(fit({.batch = 16, .seed = 2, .callbacks = {rate}, .allow_changes = true}));
}

TEST(RunState, AFileThatIsNoStateIsNamed) {
  const std::string path = MakeTempDir() + "/other.seqrun";
  Records records;
  records.Set("n", int64_t{1});
  SEQ_ASSERT_OK(WriteRecords(records, path));
  EXPECT_THAT(RunState::Load(path).status().message(),
              HasSubstr("other.seqrun is no state of a run"));
}

INSTANTIATE_TEST_SUITE_P(Cases, GoesOn, ::testing::Range<size_t>(0, Cases().size()));

}  // namespace
}  // namespace seqgraph
