// Public reports of lost training, each tried here: repositories and numbers of the reports stand
// above their test.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "ops/all_ops.h"
#include "optimizers/all_optimizers.h"
#include "serialization/model_io.h"
#include "tests/data_loss/killed_run.h"
#include "tests/fuzz/mutator.h"
#include "tests/testing.h"
#include "training/early_stopping.h"
#include "training/lambda_callback.h"
#include "training/learning_rate_scheduler.h"
#include "training/model_checkpoint.h"
#include "training/reduce_lr_on_plateau.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::SizeIs;

absl::StatusOr<Model> ModelOfSeed(uint64_t seed) {
  return MakeTextModel({.num_words = 200, .maxlen = 4, .embedding_dim = 64, .units = 16},
                       {.optimizer = Adam(), .seed = seed});
}

std::string BytesOf(const Model& model) {
  return SerializeModel(model, ModelFormat::kBinary).value_or("");
}

// --- Half-written files.

// A process that saves both models in turns to the same file, for ever, and says so after each
// save.
class Saving {
 public:
  Saving(const Model& a, const Model& b, const std::string& path) {
    EXPECT_EQ(::pipe(pipe_), 0);
    child_ = ::fork();
    if (child_ != 0) {
      ::close(pipe_[1]);
      return;
    }
    while (SaveModel(a, path).ok() && Say() && SaveModel(b, path).ok() && Say()) {
    }
    ::_exit(1);
  }

  // Until it has saved once more.
  void Wait() const {
    char done = 0;
    ASSERT_EQ(::read(pipe_[0], &done, 1), 1) << "a save failed";
  }
  void Kill() const {
    ASSERT_EQ(::kill(child_, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child_, &status, 0), child_);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: a save failed";
    ::close(pipe_[0]);
  }

 private:
  bool Say() const { return ::write(pipe_[1], "x", 1) == 1; }

  int pipe_[2];
  pid_t child_;
};

// Lightning 688, 19970 and 20012, keras 16252 and 20463, pytorch 12042, IQ-TREE 90, pylearn2 1079,
// physicsnemo 1967, prime-rl 2992: a process that is killed while it saves leaves a file that does
// not load, in the place of the one before.
TEST(Reports, AProcessThatIsKilledWhileItSavesLeavesAWholeModel) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model a, ModelOfSeed(1));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model b, ModelOfSeed(2));
  const std::string folder = MakeTempDir(), path = folder + "/m.pb";
  // Not by SaveModel: a process sweeps a folder once, and this one is to do it at the end.
  std::ofstream(path, std::ios::binary) << BytesOf(a);
  Mutator random(FuzzSeed(688));
  for (int i = 0; i < 60; ++i) {
    const Saving saving(a, b, path);
    for (int saves = i % 4; saves > 0; --saves) saving.Wait();
    ::usleep(static_cast<useconds_t>(random.Below(3000)));  // into the save that comes then
    saving.Kill();
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, LoadModel(path, AllOps()));
    const std::string bytes = BytesOf(read);
    ASSERT_TRUE(bytes == BytesOf(a) || bytes == BytesOf(b));
  }
  // The next save sweeps away what the killed ones had begun.
  SEQ_ASSERT_OK(SaveModel(a, path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

// The same, by a second process that saves to the same path.
TEST(Reports, TwoWritersOfOneFileLeaveTheModelOfOne) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model a, ModelOfSeed(1));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model b, ModelOfSeed(2));
  const std::string path = MakeTempDir() + "/m.pb";
  SEQ_ASSERT_OK(SaveModel(a, path));
  const Saving one(a, a, path), other(b, b, path);
  one.Wait();
  other.Wait();
  for (int i = 0; i < 100; ++i) {
    SEQ_EXPECT_OK(LoadModel(path, AllOps())) << "read " << i;
  }
  one.Kill();
  other.Kill();
  SEQ_ASSERT_OK_AND_ASSIGN(const Model read, LoadModel(path, AllOps()));
  EXPECT_TRUE(BytesOf(read) == BytesOf(a) || BytesOf(read) == BytesOf(b));
}

// diffusion-pipe 159: after a power cut the newest checkpoints had no bytes. A file gets its name
// only when its bytes are on the disk (base/temporary_file.h syncs before it renames), which no
// test without a disk of its own can show; what such a disk leaves is told from a model.
TEST(Reports, AFileWithoutBytesIsNoModel) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, ModelOfSeed(1));
  const std::string folder = MakeTempDir();
  for (const char* name : {"/m.pb", "/m.textproto"}) {
    const std::string path = folder + name;
    SEQ_ASSERT_OK(SaveModel(model, path));
    const auto size = static_cast<size_t>(fs::file_size(path));
    for (const std::string& left : {std::string(), std::string(size, '\0')}) {
      SEQ_ASSERT_OK(AtomicWriteFile(path, left));
      EXPECT_THAT(LoadModel(path, AllOps()),
                  StatusIs(absl::StatusCode::kInvalidArgument, absl::StrCat("cannot load ", path)));
    }
  }
}

// --- Full disks. A limit on the size of files fails in the middle of a write, as they do.

class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    struct rlimit small = before_;
    small.rlim_cur = bytes;
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  }
  ~SmallDisk() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_;
  sighandler_t handler_;
};

// ultralytics 5793, dddd_trainer 36: the last good weights are lost when the disk is full.
TEST(Reports, AFullDiskLeavesTheModelBefore) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model before, ModelOfSeed(1));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model after, ModelOfSeed(2));
  const std::string folder = MakeTempDir();
  for (const char* name : {"/m.pb", "/m.textproto"}) {
    const std::string path = folder + name;
    SEQ_ASSERT_OK(SaveModel(before, path));
    const SmallDisk disk(4096);
    EXPECT_THAT(SaveModel(after, path), StatusIs(absl::StatusCode::kResourceExhausted, path));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model read, LoadModel(path, AllOps()));
    EXPECT_TRUE(BytesOf(read) == BytesOf(before));
  }
}

// A full disk ends no week of training: the run goes on, says so, and has written when there is
// room again. (The same two reports.)
TEST(Reports, AFullDiskIsNotTheEndOfARun) {
  SmallDisk* disk = nullptr;
  double now = 0;
  const KilledRun run = {.callbacks =
                             [&](const std::string& folder) -> std::vector<CallbackHandle> {
    return {LambdaCallback({.on_epoch_end =
                                [&](FitContext&, int epoch, Logs&) {
                                  now += 100;
                                  if (epoch == 1) disk = new SmallDisk(512);
                                  if (epoch == 4) delete std::exchange(disk, nullptr);
                                  return absl::OkStatus();
                                }}),
            ModelCheckpoint(folder + "/m.pb",
                            {.verbose = false, .keep_trying = true, .clock = [&] { return now; }})};
  }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome outcome, RunWhole(run));
  EXPECT_EQ(outcome.result.history.values().begin()->second.size(), 6u);
  ASSERT_THAT(outcome.result.notes, SizeIs(::testing::Ge(1u)));
  EXPECT_THAT(outcome.result.notes[0], HasSubstr("m.pb"));
  EXPECT_TRUE(outcome.files.at("m.pb") == BytesOf(outcome.model));
}

// transformers 35525, 35782 and 29059: the last checkpoint is a folder in which files are missing,
// and a resume takes it, or fails where an older whole one lies beside it. A state is one file, and
// one that is cut off is told from a whole one wherever it was cut.
TEST(Reports, AnIncompleteStateIsNotTakenForOne) {
  const KilledRun run = {
      .epochs = 2, .callbacks = [](const std::string&) { return std::vector<CallbackHandle>(); }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome whole, RunWhole(run));
  const std::string path = MakeTempDir() + "/state.seqrun";
  SEQ_ASSERT_OK(whole.moments.back().state.Save(path));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path, 1 << 24));
  for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 300) {
    std::ofstream(path, std::ios::binary) << bytes.substr(0, size);
    const absl::StatusOr<RunState> cut = RunState::Load(path);
    ASSERT_FALSE(cut.ok()) << size << " of " << bytes.size() << " bytes";
    EXPECT_THAT(cut.status().message(), HasSubstr(path));
  }
  // The one before goes on instead.
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome resumed,
                           RunFrom(run, whole.moments[whole.moments.size() - 2]));
  ExpectTheSameEnd(whole, resumed);
}

// --- The best model, and errors of saving.

// Sets the loss that callbacks behind it see.
LambdaCallback Losses(std::vector<double> values) {
  return LambdaCallback({.on_epoch_end = [values](FitContext&, int epoch, Logs& logs) {
    logs["val_loss"] = values.at(static_cast<size_t>(epoch));
    return absl::OkStatus();
  }});
}

// keras 17012, tf-keras 430, keras 12803: a run that is resumed begins with an infinite best, and
// overwrites the best model by the first that it has.
TEST(Reports, TheBestModelIsNotOverwrittenByAWorseOneAfterAResume) {
  const KilledRun run = {.callbacks = [](const std::string& folder) -> std::vector<CallbackHandle> {
    return {Losses({0.5, 0.3, 0.4, 0.45, 0.29, 0.6}),
            ModelCheckpoint(folder + "/best.pb", {.save_best_only = true})};
  }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome whole, RunWhole(run));
  ExpectToGoOn(run, whole);
  // In between, too: from a kill in the third epoch on, the file is that of the second, until the
  // fifth is better.
  const auto third = std::find_if(whole.moments.begin(), whole.moments.end(),
                                  [](const Moment& m) { return m.position.epoch == 2; });
  ASSERT_NE(third, whole.moments.end());
  const std::string best = third->files.at("best.pb");
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome resumed, RunFrom(run, *third, /*with_moments=*/true));
  int looked = 0;
  for (const Moment& later : resumed.moments) {
    if (later.position.epoch > 3) continue;
    EXPECT_TRUE(later.files.at("best.pb") == best) << "epoch " << later.position.epoch;
    ++looked;
  }
  EXPECT_GT(looked, 7);
  EXPECT_FALSE(resumed.files.at("best.pb") == best);
}

// keras 11101, tensorflow 41874: that a checkpoint could not be written is hidden, and shows when
// it is looked for.
TEST(Reports, WhatCannotBeSavedIsAnErrorBeforeTheFirstStep) {
  int64_t steps = 0;
  const auto fit = [&steps](const std::string& path) {
    return RunWhole({.callbacks =
                         [&steps, path](const std::string& folder) {
                           return std::vector<CallbackHandle>{
                               LambdaCallback({.on_batch_end =
                                                   [&steps](FitContext&, int64_t, const Logs&) {
                                                     ++steps;
                                                     return absl::OkStatus();
                                                   }}),
                               ModelCheckpoint(absl::StrCat(folder, path))};
                         }})
        .status();
  };
  const std::string file = MakeTempDir() + "/file";
  SEQ_ASSERT_OK(AtomicWriteFile(file, "no folder"));
  EXPECT_FALSE(fit("/m.unknown").ok());
  EXPECT_FALSE(fit("/{epoch.pb").ok());
  EXPECT_EQ(steps, 0);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, ModelOfSeed(1));
  EXPECT_THAT(SaveModel(model, file + "/m.pb").message(), HasSubstr(file));
  EXPECT_THAT(SaveModel(model, MakeTempDir() + "/none/m.pb"),
              StatusIs(absl::StatusCode::kNotFound, "/none"));
}

TEST(Reports, ASaveThatFailsInTheRunEndsItWithTheReason) {
  const absl::StatusOr<RunOutcome> outcome =
      RunWhole({.callbacks = [](const std::string& folder) -> std::vector<CallbackHandle> {
        return {ModelCheckpoint(folder + "/{epoch}.pb"),
                // As a disk that is gone: what is no folder cannot become one.
                LambdaCallback({.on_epoch_end = [folder](FitContext&, int epoch, Logs&) {
                  if (epoch != 1) return absl::OkStatus();
                  fs::rename(folder, folder + ".away");
                  return AtomicWriteFile(folder, "no folder");
                }})};
      }});
  EXPECT_THAT(outcome.status().message(), HasSubstr("3.pb"));
}

// --- Backups, and runs that go on.

// keras 19179 and 20712, orbax 394, speculators 739: a run that is restored from its backup begins
// at the first epoch again, or cannot be restored into a model that has not been run.
TEST(Reports, ARestoredRunTakesOnlyTheEpochsThatAreLeft) {
  int epochs = 0;
  const KilledRun run = {.callbacks = [&epochs](const std::string&) -> std::vector<CallbackHandle> {
    return {LambdaCallback({.on_epoch_end = [&epochs](FitContext&, int, Logs&) {
      ++epochs;
      return absl::OkStatus();
    }})};
  }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome whole, RunWhole(run));
  EXPECT_EQ(epochs, 6);
  for (const Moment& moment : whole.moments) {
    if (moment.position.step != 3 && !moment.position.finished) continue;
    epochs = 0;
    SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome resumed, RunFrom(run, moment));
    EXPECT_EQ(epochs, moment.position.finished ? 0 : 6 - moment.position.epoch);
    EXPECT_EQ(resumed.result.history.ToCsv(), whole.result.history.ToCsv());
  }
}

// Lightning 1463, 1464 and 18727, transformers 28544: patience and best value of early stopping are
// forgotten, stand still, or are those of an epoch before.
TEST(Reports, PatienceGoesOn) {
  const KilledRun run = {.callbacks = [](const std::string&) -> std::vector<CallbackHandle> {
    return {Losses({0.5, 0.3, 0.4, 0.35, 0.31, 0.1}),
            EarlyStopping({.patience = 3, .restore_best_weights = true})};
  }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome whole, RunWhole(run));
  const auto losses = whole.result.history.values().at("val_loss");
  EXPECT_EQ(losses.size(), 5u) << "stopped before the sixth epoch";
  ExpectToGoOn(run, whole);
}

// ultralytics 868, fairseq 3531: the learning rate begins its schedule anew, or jumps.
TEST(Reports, SchedulesGoOn) {
  const KilledRun run = {.callbacks = [](const std::string&) -> std::vector<CallbackHandle> {
    return {Losses({0.5, 0.5, 0.5, 0.5, 0.5, 0.5}),
            LearningRateScheduler([](int, double rate) { return rate * 0.75; }),
            ReduceLROnPlateau({.factor = 0.5, .patience = 2})};
  }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome whole, RunWhole(run));
  const auto rates = whole.result.history.values().at("learning_rate");
  ASSERT_EQ(rates.size(), 6u);
  // 0.01 times 0.75 an epoch, and half of it after each two epochs without a better loss.
  EXPECT_NEAR(rates[0], 0.0075, 1e-8);
  EXPECT_NEAR(rates[1], 0.005625, 1e-8);
  EXPECT_LT(rates[5], 0.01 * std::pow(0.75, 6) * 0.6);
  ExpectToGoOn(run, whole);
}

// accelerate 4195, torchtitan 2864, orbax 394, transformers 17032: after a resume in the middle of
// an epoch, or between two, rows come in another order, twice or never, and dropout draws other
// numbers. The mean loss of the epoch so far, after each batch, tells which rows came and what was
// dropped.
TEST(Reports, TheRestOfAnEpochIsWhatItWouldHaveBeen) {
  std::vector<double> losses;
  const KilledRun run = {
      .epochs = 3, .callbacks = [&losses](const std::string&) -> std::vector<CallbackHandle> {
        return {LambdaCallback({.on_batch_end = [&losses](FitContext&, int64_t, const Logs& logs) {
          losses.push_back(logs.at("loss"));
          return absl::OkStatus();
        }})};
      }};
  SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome whole, RunWhole(run));
  const std::vector<double> all = std::exchange(losses, {});
  ASSERT_EQ(all.size(), 3u * 7u);
  for (const Moment& moment : whole.moments) {
    SCOPED_TRACE(absl::StrCat("epoch ", moment.position.epoch, ", step ", moment.position.step));
    if (moment.position.step % 2 == 1) continue;
    losses.clear();
    SEQ_ASSERT_OK_AND_ASSIGN(const RunOutcome resumed, RunFrom(run, moment));
    ExpectTheSameEnd(whole, resumed);
    const auto done = static_cast<int64_t>(all.size() - losses.size());
    EXPECT_EQ(losses, std::vector<double>(all.begin() + done, all.end()));
    if (!moment.position.finished) {
      EXPECT_EQ(done, moment.position.epoch * 7 + moment.position.step);
    }
  }
}

}  // namespace
}  // namespace seqgraph
