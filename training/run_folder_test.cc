#include "training/run_folder.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/lambda_callback.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

RunState StateOf(int epoch, int64_t step = 0) {
  RunState state;
  state.SetPosition({.epoch = epoch, .step = step});
  return state;
}

int EpochOf(const RunState* state) { return state == nullptr ? -1 : state->Position()->epoch; }

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(StateSlots, WritesByTurnsAndFindsTheNewest) {
  const std::string folder = MakeTempDir();
  StateSlots slots(folder, 2);
  for (int epoch = 1; epoch <= 5; ++epoch) {
    RunState state = StateOf(epoch);
    SEQ_ASSERT_OK(slots.Write(state));
    SEQ_ASSERT_OK_AND_ASSIGN(const StateSlots::Found found, StateSlots(folder).Find());
    EXPECT_EQ(EpochOf(&*found.newest), epoch);
    EXPECT_THAT(found.damaged, IsEmpty());
  }
  EXPECT_THAT(NamesIn(folder), ElementsAre("state-0.seqrun", "state-1.seqrun"));
}

// Whatever is damaged or cut, the one before it counts, and it is the damaged one that goes next.
TEST(StateSlots, GoesBackToTheOneBeforeWhenTheNewestIsDamaged) {
  const std::string folder = MakeTempDir();
  StateSlots slots(folder, 2);
  RunState one = StateOf(1), two = StateOf(2), three = StateOf(3);
  SEQ_ASSERT_OK(slots.Write(one));
  SEQ_ASSERT_OK(slots.Write(two));
  const std::string newest = folder + "/state-1.seqrun";
  const std::string whole = *ReadFile(newest, 1 << 20);
  for (size_t size = 0; size < whole.size(); ++size) {
    SEQ_ASSERT_OK(AtomicWriteFile(newest, whole.substr(0, size)));
    StateSlots after(folder, 2);
    SEQ_ASSERT_OK_AND_ASSIGN(const StateSlots::Found found, after.Find());
    ASSERT_EQ(EpochOf(&*found.newest), 1) << size;
    ASSERT_EQ(found.damaged.size(), 1u);
    EXPECT_THAT(found.damaged[0], HasSubstr("state-1.seqrun"));
  }
  StateSlots after(folder, 2);
  SEQ_ASSERT_OK(after.Find());
  SEQ_ASSERT_OK(after.Write(three));
  SEQ_ASSERT_OK_AND_ASSIGN(const StateSlots::Found found, StateSlots(folder).Find());
  EXPECT_EQ(found.path, newest);
  EXPECT_EQ(EpochOf(&*found.newest), 3);
}

TEST(StateSlots, KeepsAsManyAsItIsToldAndNothingElseGoes) {
  const std::string folder = MakeTempDir();
  for (const char* other : {"state-x.seqrun", "state-01.seqrun", "notes.txt", "state-7.txt"}) {
    SEQ_ASSERT_OK(AtomicWriteFile(folder + "/" + other, "mine"));
  }
  StateSlots many(folder, 4);
  for (int epoch = 1; epoch <= 6; ++epoch) {
    RunState state = StateOf(epoch);
    SEQ_ASSERT_OK(many.Write(state));
  }
  EXPECT_EQ(NamesIn(folder).size(), 4u + 4u);
  // The newest is one of those that two would not have.
  StateSlots few(folder, 2);
  SEQ_ASSERT_OK(few.Find());
  RunState state = StateOf(7);
  SEQ_ASSERT_OK(few.Write(state));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> paths, StateSlots::Paths(folder));
  EXPECT_EQ(paths.size(), 2u);
  SEQ_ASSERT_OK_AND_ASSIGN(const StateSlots::Found found, StateSlots(folder).Find());
  EXPECT_EQ(EpochOf(&*found.newest), 7);
  SEQ_ASSERT_OK(few.Clear());
  EXPECT_THAT(NamesIn(folder),
              ElementsAre("notes.txt", "state-01.seqrun", "state-7.txt", "state-x.seqrun"));
}

TEST(SaveEvery, IsATimeANumberOfStepsOrAnEpoch) {
  EXPECT_EQ(ParseSaveEvery("10s")->seconds, 10);
  EXPECT_EQ(ParseSaveEvery("0.5s")->seconds, 0.5);
  EXPECT_EQ(ParseSaveEvery("1000steps")->steps, 1000);
  EXPECT_EQ(ParseSaveEvery("1000steps")->seconds, 0);
  EXPECT_EQ(ParseSaveEvery("epoch")->seconds, 0);
  for (const char* wrong : {"", "10", "s", "0s", "-1s", "nans", "infs", "0steps", "1.5steps",
                            "1e9s", "epochs", "steps"}) {
    EXPECT_THAT(ParseSaveEvery(wrong).status().message(), HasSubstr("got '")) << wrong;
  }
}

TEST(RunFolder, KeepsStatesForTheNextProcess) {
  const std::string path = MakeTempDir() + "/run";
  {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path));
    EXPECT_EQ(folder->newest(), nullptr);
    Records facts;
    facts.Set("data", std::string("reviews"));
    folder->SetFacts(facts);
    SEQ_ASSERT_OK(folder->Keep(StateOf(3, 17)));
    SEQ_ASSERT_OK(folder->Finish());
    EXPECT_EQ(folder->where(), path);
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path));
  ASSERT_EQ(EpochOf(folder->newest()), 3);
  EXPECT_EQ(folder->newest()->Position()->step, 17);
  std::string data;
  SEQ_ASSERT_OK(folder->newest()->Reader("keeper").Get("data", &data));
  EXPECT_EQ(data, "reviews");
  SEQ_ASSERT_OK(folder->Clear());
  EXPECT_EQ(folder->newest(), nullptr);
  EXPECT_THAT(NamesIn(path), ElementsAre("lock"));
}

TEST(RunFolder, WantsAStateWhenItIsTime) {
  double now = 5;
  const auto open = [&](SaveEvery every) {
    return *RunFolder::Open(MakeTempDir() + "/run",
                            {.every = every, .clock = [&now] { return now; }});
  };
  const auto by_time = open({.seconds = 10});
  EXPECT_FALSE(by_time->Wants({.epoch = 0, .step = 1}));
  now = 14.9;
  EXPECT_FALSE(by_time->Wants({.epoch = 1, .step = 0}));
  now = 15;
  EXPECT_TRUE(by_time->Wants({.epoch = 1, .step = 1}));
  SEQ_ASSERT_OK(by_time->Keep(StateOf(1)));
  now = 24;
  EXPECT_FALSE(by_time->Wants({.epoch = 1, .step = 2}));
  // One that took half a second to make (of a large model) is not made again within 50; one that
  // took an hour, because the process was stopped, after ten minutes all the same.
  now = 25;
  EXPECT_TRUE(by_time->Wants({.epoch = 1, .step = 3}));
  now = 25.5;
  SEQ_ASSERT_OK(by_time->Keep(StateOf(1)));
  now = 75.4;
  EXPECT_FALSE(by_time->Wants({.epoch = 1, .step = 4}));
  now = 75.6;
  EXPECT_TRUE(by_time->Wants({.epoch = 1, .step = 5}));
  now = 3675.6;
  SEQ_ASSERT_OK(by_time->Keep(StateOf(1)));
  now = 4275;
  EXPECT_FALSE(by_time->Wants({.epoch = 1, .step = 6}));
  now = 4276;
  EXPECT_TRUE(by_time->Wants({.epoch = 1, .step = 7}));
  const auto by_steps = open({.seconds = 0, .steps = 2});
  EXPECT_FALSE(by_steps->Wants({.epoch = 0, .step = 1}));
  EXPECT_TRUE(by_steps->Wants({.epoch = 0, .step = 2}));
  const auto by_epoch = open({.seconds = 0});
  EXPECT_FALSE(by_epoch->Wants({.epoch = 0, .step = 2}));
  EXPECT_TRUE(by_epoch->Wants({.epoch = 1, .step = 0}));
}

TEST(RunFolder, OneProcessAtATime) {
  const std::string path = MakeTempDir() + "/run";
  // A process that has it, and is killed: nothing is left of its lock.
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto held = RunFolder::Open(path);
    const char said = held.ok() ? 'y' : 'n';
    if (write(ready[1], &said, 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char said = 0;
  ASSERT_EQ(read(ready[0], &said, 1), 1);
  ASSERT_EQ(said, 'y');
  const absl::Status refused = RunFolder::Open(path).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr(absl::StrCat("another process, number ", child)));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  SEQ_EXPECT_OK(RunFolder::Open(path).status());
  close(ready[0]);
  close(ready[1]);
}

// The folder goes away while the run goes on, and comes back.
TEST(RunFolder, AFailedWriteIsToldOnceAndTriedAgain) {
  const std::string parent = MakeTempDir(), path = parent + "/run";
  std::vector<std::string> said;
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto folder,
      RunFolder::Open(path, {.say = [&](const std::string& text) { said.push_back(text); },
                             .first_pause = 0.01}));
  fs::rename(path, path + ".away");
  SEQ_ASSERT_OK(folder->Keep(StateOf(1)));
  for (int i = 0; i < 2000 && said.empty(); ++i) {
    usleep(5000);
    folder->Wants({.epoch = 1, .step = i + 1});
  }
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("state cannot be saved"));
  EXPECT_THAT(said[0], HasSubstr("No such file"));
  SEQ_ASSERT_OK(folder->Keep(StateOf(2)));
  fs::rename(path + ".away", path);
  SEQ_ASSERT_OK(folder->Finish());
  EXPECT_EQ(said.size(), 2u);
  EXPECT_THAT(said.back(), HasSubstr("saved again"));
  SEQ_ASSERT_OK_AND_ASSIGN(const StateSlots::Found found, StateSlots(path).Find());
  EXPECT_EQ(EpochOf(&*found.newest), 2);
}

TEST(RunFolder, TheLastStateGoesElsewhereWhereTheFolderIsGone) {
  const std::string path = MakeTempDir() + "/run", fallback = MakeTempDir();
  {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto folder,
                             RunFolder::Open(path, {.fallback = fallback, .first_pause = 0.01}));
    fs::rename(path, path + ".away");
    SEQ_ASSERT_OK(folder->Keep(StateOf(4)));
    EXPECT_THAT(folder->Finish().message(), HasSubstr("is not saved"));
    EXPECT_EQ(folder->where(), fallback);
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const StateSlots::Found found, StateSlots(fallback).Find());
  EXPECT_EQ(EpochOf(&*found.newest), 4);
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto lost,
      RunFolder::Open(MakeTempDir() + "/run", {.first_pause = 0.01, .last_tries = 2}));
  fs::remove_all(lost->path());
  SEQ_ASSERT_OK(lost->Keep(StateOf(4)));
  EXPECT_EQ(lost->Finish().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(lost->where(), "");
}

struct Taken {
  int64_t pages = 0, descriptors = 0, threads = 0;
};
Taken Now() {
  Taken taken;
  int64_t size = 0;
  std::ifstream("/proc/self/statm") >> size >> taken.pages;
  const auto count = [](const char* path) {
    return std::distance(fs::directory_iterator(path), fs::directory_iterator());
  };
  taken.descriptors = count("/proc/self/fd");
  taken.threads = count("/proc/self/task");
  return taken;
}

// 10,000 steps that keep their state each 100, or SEQGRAPH_SOAK times as many.
TEST(RunFolder, ManyStepsTakeNoMoreThanFewDo) {
  const char* soak = std::getenv("SEQGRAPH_SOAK");
  const int64_t epochs = 20 * (soak == nullptr ? 1 : std::atoi(soak));
  constexpr int64_t kRows = 500, kMaxlen = 3;
  std::vector<int32_t> tokens, targets;
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t k = 0; k < kMaxlen; ++k) tokens.push_back(static_cast<int32_t>(4 + (i * k) % 5));
    targets.push_back(static_cast<int32_t>(i % 2));
  }
  SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                           MakeTextModel({.num_words = 9, .maxlen = kMaxlen, .units = 2}));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto folder,
      RunFolder::Open(MakeTempDir() + "/run", {.every = {.seconds = 0, .steps = 100}}));
  Taken early, late;
  LambdaCallback look({.on_epoch_end = [&](FitContext&, int epoch, Logs&) {
    if (epoch == epochs / 4) early = Now();
    late = Now();
    return absl::OkStatus();
  }});
  SEQ_ASSERT_OK(Trainer(&model).Fit({tokens, kRows, kMaxlen, targets}, {.maxlen = kMaxlen},
                                    {.epochs = static_cast<int>(epochs),
                                     .batch = 1,
                                     .callbacks = {&look},
                                     .keeper = folder.get()}));
  SEQ_ASSERT_OK(folder->Finish());
  std::printf(
      "%lld steps: after a quarter %lld pages, %lld descriptors, %lld threads; at the end "
      "%lld, %lld, %lld\n",
      static_cast<long long>(epochs * kRows), static_cast<long long>(early.pages),
      static_cast<long long>(early.descriptors), static_cast<long long>(early.threads),
      static_cast<long long>(late.pages), static_cast<long long>(late.descriptors),
      static_cast<long long>(late.threads));
  constexpr int64_t kFewPages = 256;  // what the two threads take of malloc's arenas, once
  EXPECT_LE(late.pages, early.pages + early.pages / 100 + kFewPages);
  EXPECT_LE(late.descriptors, early.descriptors + 1);  // a file that is being written
  EXPECT_EQ(late.threads, early.threads);
}

TEST(RunFolder, RefusesWhatCannotBe) {
  EXPECT_EQ(RunFolder::Open("/nonexistent/run").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(RunFolder::Open(MakeTempDir(), {.keep = 1}).status().message(),
              HasSubstr("2 to 1000 states, got 1"));
  const std::string file = MakeTempDir() + "/file";
  SEQ_ASSERT_OK(AtomicWriteFile(file, "x"));
  EXPECT_FALSE(RunFolder::Open(file).ok());
}

}  // namespace
}  // namespace seqgraph
