// A program of one's own that trains with schedules, patience and a callback that remembers, killed
// at random moments and started again until it is done: the same bits as if it had been left alone.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "optimizers/all_optimizers.h"
#include "serialization/model_io.h"
#include "tests/data_loss/killed_run.h"
#include "tests/testing.h"
#include "training/early_stopping.h"
#include "training/learning_rate_scheduler.h"
#include "training/model_checkpoint.h"
#include "training/reduce_lr_on_plateau.h"
#include "training/run_folder.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kEpochs = 30;
constexpr const char* kFiles[] = {"final.pb", "best.pb", "history.csv", "messages.txt"};

// What the losses of all batches have come to, said after each epoch.
class SumOfLosses : public Callback {
 public:
  absl::Status OnBatchEnd(FitContext&, int64_t, const Logs& logs) override {
    sum_ += logs.at("loss");
    return absl::OkStatus();
  }
  absl::Status OnEpochEnd(FitContext& context, int, Logs&) override {
    context.messages.push_back(absl::StrFormat("%a", sum_));
    return absl::OkStatus();
  }
  void SaveState(StateWriter& state) const override { state.Set("sum", sum_); }
  absl::Status LoadState(FitContext&, const StateReader& state) override {
    return state.Get("sum", &sum_);
  }

 private:
  double sum_ = 0;
};

// The program: goes on with what is in the folder, or begins.
absl::Status Train(const std::string& folder) {
  const KilledRows train(50, 1), validation(20, 2);
  TextModelOptions options = KilledModel();
  options.bidirectional = true;
  options.recurrent_dropout = 0.2;
  SEQ_ASSIGN_OR_RETURN(
      Model model, MakeTextModel(options, {.optimizer = Adam{.learning_rate = 2e-2}, .seed = 5}));
  SEQ_ASSIGN_OR_RETURN(const auto run,
                       RunFolder::Open(folder + "/run", {.every = {.seconds = 0, .steps = 1}}));
  SEQ_ASSIGN_OR_RETURN(
      const FitResult result,
      Trainer(&model).Fit(
          train.All(), validation.All(),
          {.epochs = kEpochs,
           .batch = kKilledBatch,
           .callbacks = {EarlyStopping({.patience = 12, .restore_best_weights = true}),
                         LearningRateScheduler([](int, double rate) { return rate * 0.97; }),
                         ReduceLROnPlateau({.factor = 0.5, .patience = 2}), SumOfLosses(),
                         ModelCheckpoint(folder + "/best.pb", {.save_best_only = true})},
           .state = run->newest(),
           .keeper = run.get()}));
  SEQ_RETURN_IF_ERROR(run->Finish());
  SEQ_RETURN_IF_ERROR(SaveModel(model, folder + "/final.pb"));
  SEQ_RETURN_IF_ERROR(AtomicWriteFile(folder + "/history.csv", result.history.ToCsv()));
  std::string messages = absl::StrJoin(result.messages, "\n");
  // Each run is in a folder of its own.
  for (size_t at; (at = messages.find(folder)) != std::string::npos;) {
    messages.erase(at, folder.size());
  }
  return AtomicWriteFile(folder + "/messages.txt", messages);
}

// 0, or 1000 and the signal that ended it. Killed after so many seconds; below 0: never.
int TrainInAProcess(const std::string& folder, double seconds) {
  const pid_t child = ::fork();
  if (child == 0) {
    const absl::Status status = Train(folder);
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    ::_exit(status.ok() ? 0 : 1);
  }
  if (seconds >= 0) {
    ::usleep(static_cast<useconds_t>(seconds * 1e6));
    ::kill(child, SIGKILL);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::map<std::string, std::string> FilesOf(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const char* name : kFiles) {
    const absl::StatusOr<std::string> bytes = ReadFile(absl::StrCat(folder, "/", name), 1 << 24);
    SEQ_EXPECT_OK(bytes);
    files[name] = bytes.value_or("");
  }
  return files;
}

void ExpectSame(const std::map<std::string, std::string>& files, const std::string& folder) {
  for (const auto& [name, bytes] : FilesOf(folder)) {
    EXPECT_TRUE(bytes == files.at(name)) << name << " differs";
  }
}

// SEQGRAPH_SOAK kills, or few.
TEST(Kills, OfAProgramOfOnesOwnLeaveTheSameBits) {
  const char* soak = std::getenv("SEQGRAPH_SOAK");
  const int kills = soak == nullptr ? 12 : std::atoi(soak);
  const char* given = std::getenv("SEQGRAPH_SEED");
  const unsigned seed = given == nullptr ? std::random_device{}() : std::atoi(given);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const std::string whole = MakeTempDir();
  const Clock::time_point start = Clock::now();
  ASSERT_EQ(TrainInAProcess(whole, -1), 0);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto files = FilesOf(whole);
  // What is to go on was there: the plateau's steps, and an end before the last epoch or at it.
  ASSERT_NE(files.at("history.csv").find("learning_rate"), std::string::npos);
  ASSERT_NE(files.at("messages.txt").find("0x1."), std::string::npos);
  std::string folder = MakeTempDir();
  int killed = 0, finished = 0;
  while (killed < kills && !HasFailure()) {
    const int status = TrainInAProcess(folder, 1.1 * seconds * random() / random.max());
    ASSERT_TRUE(status == 0 || status == 1000 + SIGKILL) << status;
    if (status != 0) {
      ++killed;
      continue;
    }
    ++finished;
    ExpectSame(files, folder);
    std::filesystem::remove_all(folder);
    folder = MakeTempDir();
  }
  ASSERT_EQ(TrainInAProcess(folder, -1), 0);
  ExpectSame(files, folder);
  std::printf("%d kills, after which %d runs ended; seed %u\n", killed, finished + 1, seed);
}

}  // namespace
}  // namespace seqgraph
