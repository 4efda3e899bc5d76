#include "tests/data_loss/killed_run.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/counter_random.h"
#include "base/status_macros.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxlen = 4;
constexpr int64_t kMostBytes = 1 << 24;

std::map<std::string, std::string> FilesOf(const std::string& folder) {
  std::map<std::string, std::string> files;
  std::error_code gone;  // which leaves none
  for (const auto& entry : fs::directory_iterator(folder, gone)) {
    const absl::StatusOr<std::string> bytes = ReadFile(entry.path().string(), kMostBytes);
    SEQ_EXPECT_OK(bytes);
    files[entry.path().filename().string()] = bytes.value_or("");
  }
  return files;
}

class KeepMoments : public StateKeeper {
 public:
  explicit KeepMoments(std::string folder) : folder_(std::move(folder)) {}

  bool Wants(const RunPosition&) override { return true; }
  absl::Status Keep(RunState state) override {
    SEQ_ASSIGN_OR_RETURN(const RunPosition position, state.Position());
    moments.push_back({std::move(state), position, FilesOf(folder_)});
    return absl::OkStatus();
  }

  std::vector<Moment> moments;

 private:
  const std::string folder_;
};

absl::StatusOr<RunOutcome> Run(const KilledRun& run, const RunState* state, bool with_moments,
                               const std::string& folder) {
  static const KilledRows train(50, 1), validation(20, 2);
  SEQ_ASSIGN_OR_RETURN(
      Model model,
      MakeTextModel(KilledModel(), {.optimizer = Adam{.learning_rate = 1e-2}, .seed = 5}));
  RunOutcome outcome{.model = std::move(model)};
  KeepMoments keeper(folder);
  Trainer trainer(&outcome.model);
  SEQ_ASSIGN_OR_RETURN(outcome.result, trainer.Fit(train.All(), validation.All(),
                                                   {.epochs = run.epochs,
                                                    .batch = kKilledBatch,
                                                    .callbacks = run.callbacks(folder),
                                                    .state = state,
                                                    .keeper = with_moments ? &keeper : nullptr}));
  outcome.moments = std::move(keeper.moments);
  outcome.files = FilesOf(folder);
  return outcome;
}

// Each run saves in a folder of its own.
std::vector<std::string> WithoutFolders(std::vector<std::string> messages) {
  for (std::string& message : messages) {
    const size_t path = message.find(" to /");
    if (path != std::string::npos) message.erase(path + 4, message.rfind('/') - path - 4);
  }
  return messages;
}

}  // namespace

KilledRows::KilledRows(int64_t rows, uint64_t seed) : rows(rows) {
  CounterRandom random(seed, "rows");
  for (int64_t i = 0; i < rows * kMaxlen; ++i) tokens.push_back(4 + random.NextBelow(6));
  for (int64_t i = 0; i < rows; ++i) targets.push_back(tokens[(i + 1) * kMaxlen - 1] >= 7);
}

Examples KilledRows::All() const { return {tokens, rows, kMaxlen, targets}; }

TextModelOptions KilledModel() {
  return {.num_words = 10,
          .maxlen = kMaxlen,
          .embedding_dim = 3,
          .cell = "GRU",
          .units = 4,
          .dropout = 0.25};
}

absl::StatusOr<RunOutcome> RunWhole(const KilledRun& run) {
  return Run(run, nullptr, /*with_moments=*/true, MakeTempDir());
}

absl::StatusOr<RunOutcome> RunFrom(const KilledRun& run, const Moment& moment, bool with_moments) {
  const std::string folder = MakeTempDir(), path = MakeTempDir() + "/state.seqrun";
  for (const auto& [name, bytes] : moment.files) {
    SEQ_RETURN_IF_ERROR(AtomicWriteFile(absl::StrCat(folder, "/", name), bytes));
  }
  SEQ_RETURN_IF_ERROR(moment.state.Save(path));
  SEQ_ASSIGN_OR_RETURN(const RunState state, RunState::Load(path));
  return Run(run, &state, with_moments, folder);
}

void ExpectToGoOn(const KilledRun& run, const RunOutcome& whole) {
  ASSERT_GT(whole.moments.size(), 10u);
  for (size_t i = 0; i < whole.moments.size(); ++i) {
    if (i % 5 != 0 && i + 1 != whole.moments.size()) continue;
    const Moment& moment = whole.moments[i];
    SCOPED_TRACE(absl::StrCat("epoch ", moment.position.epoch, ", step ", moment.position.step));
    SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome resumed, RunFrom(run, moment));
    ExpectTheSameEnd(whole, resumed);
  }
}

void ExpectTheSameEnd(const RunOutcome& whole, const RunOutcome& resumed) {
  for (const Variable& variable : whole.model.variables.all()) {
    const Variable* const found = resumed.model.variables.Find(variable.def.name);
    ASSERT_NE(found, nullptr) << variable.def.name;
    EXPECT_TRUE(found->value.BitwiseEquals(variable.value)) << variable.def.name;
  }
  EXPECT_EQ(resumed.result.history.ToCsv(), whole.result.history.ToCsv());
  EXPECT_EQ(WithoutFolders(resumed.result.messages), WithoutFolders(whole.result.messages));
  EXPECT_EQ(resumed.files.size(), whole.files.size());
  for (const auto& [name, bytes] : whole.files) {
    const auto found = resumed.files.find(name);
    ASSERT_NE(found, resumed.files.end()) << name;
    EXPECT_TRUE(found->second == bytes) << name;
  }
}

}  // namespace seqgraph
