// `train --run`: ended anywhere, by whatever, a run goes on to the same bits as one that never was.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "serialization/records.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::seqgraph::data::WriteFileOrDie;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Series of 2 to 7 steps of two numbers, the second class higher than the first.
std::string RaggedSeries() {
  std::string csv = "id,step,x,y,label\n";
  for (int series = 0; series < 40; ++series) {
    for (int step = 0; step < 2 + series % 6; ++step) {
      absl::StrAppend(&csv, "s", series, ",", step, ",",
                      (series * 7 + step * 3) % 11 + series % 2 * 3, ",", (series + step) % 5, ",",
                      series % 2 == 0 ? "low" : "high", "\n");
    }
  }
  return csv;
}

// What is trained, in a folder with tiny.tar.gz and ragged.csv.
struct Trained {
  const char* name;
  std::vector<std::string> flags;
};
const std::vector<Trained>& AllTrained() {
  static const auto& all = *new std::vector<Trained>{
      {"RNN of texts",
       {"train", "--data=tiny.tar.gz", "--num_words=30", "--maxlen=6", "--units=4", "--batch=8",
        "--epochs=25", "--patience=6", "--learning_rate=0.01", "--output=m.pb", "--history=h.csv",
        "--data_cache=off"}},
      {"bidirectional GRU with dropout, Adam",
       {"train", "--data=tiny.tar.gz", "--num_words=30", "--maxlen=6", "--cell=gru", "--units=4",
        "--bidirectional", "--dropout=0.3", "--recurrent_dropout=0.2", "--optimizer=adam",
        "--class_weight=balanced", "--batch=4", "--epochs=10", "--output=m.pb", "--history=h.csv",
        "--data_cache=off"}},
      {"LSTM of ragged series",
       {"train", "--data=ragged.csv", "--series=id", "--order=step", "--label=label", "--cell=lstm",
        "--units=5", "--batch=6", "--epochs=15", "--patience=4", "--output=m.pb",
        "--history=h.csv"}},
      {"nothing to validate on",
       {"train", "--data=ragged.csv", "--series=id", "--order=step", "--label=label", "--cell=rnn",
        "--units=3", "--validation=0", "--epochs=12", "--output=m.pb", "--history=h.csv"}}};
  return all;
}

std::string NewFolder() {
  const std::string folder = FolderWithTinyArchive();
  WriteFileOrDie(folder + "/ragged.csv", RaggedSeries());
  return folder;
}

// A record but for what changes no bit: times, threads, how often states are written, where it
// lies.
std::string WithoutTimes(const std::string& record, const std::string& folder) {
  std::vector<std::string> lines = absl::StrSplit(record, '\n');
  const auto passes = [](const std::string& line) {
    for (const char* key :
         {"\"started\":", "\"ended\":", "\"seconds\":", "threads", "--save_every"}) {
      if (absl::StrContains(line, key)) return true;
    }
    return false;
  };
  lines.erase(std::remove_if(lines.begin(), lines.end(), passes), lines.end());
  return absl::StrReplaceAll(absl::StrJoin(lines, "\n"),
                             {{fs::path(folder).filename().string(), "FOLDER"}});
}

// What is in the files that a run leaves; not the states, which are a matter of time.
std::map<std::string, std::string> FilesIn(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder);
    if (!entry.is_regular_file() || absl::EndsWith(name, "/lock") ||
        absl::EndsWith(name, ".seqrun") || absl::EndsWith(name, ".tar.gz")) {
      continue;
    }
    files[name] = ReadFileOrDie(entry.path());
    if (absl::EndsWith(name, "run.json")) files[name] = WithoutTimes(files[name], folder);
  }
  return files;
}

std::vector<std::string> NamesOf(const std::map<std::string, std::string>& files) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : files) names.push_back(name);
  return names;
}

// The same files with the same bytes.
void ExpectSameFiles(const std::string& folder, const std::map<std::string, std::string>& files) {
  const auto now = FilesIn(folder);
  EXPECT_EQ(NamesOf(now), NamesOf(files));
  for (const auto& [name, bytes] : files) {
    const bool same = now.count(name) > 0 && now.at(name) == bytes;
    const bool is_text = absl::EndsWith(name, ".json");
    EXPECT_TRUE(same) << name << " differs"
                      << (is_text && now.count(name) > 0 ? ": " + now.at(name) + bytes : "");
  }
}

ProcessResult RunIn(const std::string& folder, const std::vector<std::string>& arguments) {
  return RunSeqgraph(arguments, {.folder = folder});
}

class RunFolderTest : public ::testing::TestWithParam<size_t> {
 protected:
  // The run that is never touched.
  void Whole(const Trained& trained) {
    const Clock::time_point start = Clock::now();
    const ProcessResult result = RunIn(whole_, With(trained.flags, {"--run=run"}));
    ASSERT_EQ(result.status, 0) << result.err;
    seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    files_ = FilesIn(whole_);
  }

  const std::string whole_ = NewFolder(), cut_ = NewFolder();
  double seconds_ = 0;
  std::map<std::string, std::string> files_;
};

// How many times each run is killed: SEQGRAPH_SOAK times, or few.
int Kills() {
  const char* kills = std::getenv("SEQGRAPH_SOAK");
  return kills == nullptr ? 8 : std::atoi(kills);
}

TEST_P(RunFolderTest, KilledAnywhereItEndsWithTheSameBits) {
  const Trained& trained = AllTrained()[GetParam()];
  SCOPED_TRACE(trained.name);
  Whole(trained);
  const char* given = std::getenv("SEQGRAPH_SEED");
  const unsigned seed = given == nullptr ? std::random_device{}() : std::atoi(given);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const std::vector<std::string> command =
      With(trained.flags, {"--run=run", "--continue", "--save_every=1steps"});
  int killed = 0, ended = 0;
  std::string folder = NewFolder();
  while (killed < Kills() && !HasFailure()) {
    Process train(command, {.folder = folder});
    const double until = seconds_ * 1.2 * random() / random.max();
    usleep(static_cast<useconds_t>(until * 1e6));
    train.Signal(SIGKILL);
    const int status = train.Wait();
    killed += status == 1000 + SIGKILL;
    ASSERT_TRUE(status == 0 || status == 1000 + SIGKILL) << status << train.err();
    if (status != 0) continue;
    ++ended;
    ExpectSameFiles(folder, files_);
    fs::remove_all(folder);
    folder = NewFolder();
  }
  const ProcessResult last = RunIn(folder, command);
  ASSERT_EQ(last.status, 0) << last.err;
  ExpectSameFiles(folder, files_);
  std::printf("%s: %d kills, after which %d runs ended; seed %u\n", trained.name, killed, ended + 1,
              seed);
}

TEST_P(RunFolderTest, EndedByASignalItGoesOnByResumeAlone) {
  const Trained& trained = AllTrained()[GetParam()];
  SCOPED_TRACE(trained.name);
  Whole(trained);
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
    const std::string folder = NewFolder();
    Process train(With(trained.flags, {"--run=run"}), {.folder = folder});
    ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
    train.Signal(signal);
    const int status = train.Wait();
    ASSERT_TRUE(status == 128 + signal || status == 0) << status << train.err();
    if (status != 0) {
      EXPECT_THAT(train.out(), HasSubstr("train --resume=run"));
    }
    // From any folder.
    const ProcessResult result = RunIn("/", {"train", absl::StrCat("--resume=", folder, "/run")});
    ASSERT_EQ(result.status, 0) << result.err;
    ExpectSameFiles(folder, files_);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RunFolderTest, ::testing::Range<size_t>(0, AllTrained().size()));

class RunFlagsTest : public RunFolderTest {
 protected:
  ProcessResult Train(const std::vector<std::string>& more) const {
    return RunIn(cut_, With(AllTrained()[0].flags, more));
  }
  static std::vector<std::string> Endless() {
    return WithFlags(AllTrained()[0].flags, {"--epochs=1000000", "--patience=1000000"});
  }
  // Begins a run, and ends it in its second epoch.
  void Begin(const std::vector<std::string>& more = {}) {
    Process train(WithFlags(Endless(), With({"--run=run"}, more)), {.folder = cut_});
    ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
    train.Signal(SIGTERM);
    ASSERT_EQ(train.Wait(), 128 + SIGTERM) << train.err();
  }
  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& why) const {
    const auto before = FilesIn(cut_);
    const ProcessResult result = RunIn(cut_, arguments);
    EXPECT_EQ(result.status, 1) << result.out;
    EXPECT_THAT(result.err, HasSubstr(why));
    ExpectSameFiles(cut_, before);
  }
};

TEST_F(RunFlagsTest, MoreEpochsAreAsIfTheyHadBeenAskedForAtFirst) {
  std::vector<std::string> flags = AllTrained()[1].flags;
  const ProcessResult all = RunIn(whole_, With(flags, {"--run=run"}));
  ASSERT_EQ(all.status, 0) << all.err;
  const ProcessResult some = RunIn(cut_, With(WithFlags(flags, {"--epochs=3"}), {"--run=run"}));
  ASSERT_EQ(some.status, 0) << some.err;
  const ProcessResult more = RunIn(cut_, {"train", "--resume=run", "--epochs=10"});
  ASSERT_EQ(more.status, 0) << more.err;
  ExpectSameFiles(cut_, FilesIn(whole_));
  // And once more, when there is nothing left to do.
  const ProcessResult none = RunIn(cut_, {"train", "--resume=run"});
  ASSERT_EQ(none.status, 0) << none.err;
  EXPECT_THAT(none.out, HasSubstr("has ended, after 10 epochs"));
  ExpectSameFiles(cut_, FilesIn(whole_));
}

TEST_F(RunFlagsTest, AnotherNumberOfThreadsHasTheSameBits) {
  Whole(AllTrained()[2]);
  const std::vector<std::string> flags = With(AllTrained()[2].flags, {"--run=run"});
  Process train(With(flags, {"--threads=2"}), {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
  train.Signal(SIGTERM);
  train.Wait();
  const ProcessResult result = RunIn(cut_, {"train", "--resume=run", "--threads=1"});
  ASSERT_EQ(result.status, 0) << result.err;
  ExpectSameFiles(cut_, files_);
}

TEST_F(RunFlagsTest, ADamagedStateLosesNoMoreThanTheTimeSinceTheOneBefore) {
  Whole(AllTrained()[0]);
  const std::vector<std::string> flags = With(AllTrained()[0].flags, {"--run=run"});
  // Two processes leave two states at least.
  ASSERT_EQ(RunIn(cut_, WithFlags(flags, {"--epochs=2"})).status, 0);
  ASSERT_EQ(RunIn(cut_, {"train", "--resume=run", "--epochs=4"}).status, 0);
  const std::string copy = MakeTempDir();
  fs::copy(cut_, copy, fs::copy_options::recursive);
  for (const char* name : {"state-0.seqrun", "state-1.seqrun"}) {
    const std::string path = absl::StrCat(cut_, "/run/", name);
    fs::copy(copy, cut_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    std::string bytes = ReadFileOrDie(path);
    bytes[bytes.size() / 2] ^= 1;
    WriteFileOrDie(path, bytes);
    const ProcessResult result = RunIn(cut_, With(flags, {"--continue"}));
    ASSERT_EQ(result.status, 0) << result.err;
    ExpectSameFiles(cut_, files_);
  }
}

TEST_F(RunFlagsTest, WhatWouldNotGoOnAsItWasIsNamed) {
  Begin();
  const std::vector<std::string> resume = {"train", "--resume=run", "--epochs=3"};
  ExpectRefused(With(resume, {"--batch=4"}), "it began with --batch=8, and now there is --batch=4");
  ExpectRefused(With(resume, {"--learning_rate=0.5"}), "--allow_changes goes on all the same");
  ExpectRefused(With(resume, {"--seed=2"}), "it began without --seed=2");
  ExpectRefused(With(resume, {"--units=5"}), "--units is of the model, which the run has already");
  ExpectRefused(With(resume, {"--simd_target=SSE4"}), "their last digits");
  WriteFileOrDie(cut_ + "/tiny.tar.gz", data::MakeArchive(
                                            [] {
                                              data::Entries entries = TinyReviews();
                                              entries[3].second += " More.";
                                              return entries;
                                            }(),
                                            data::Packing::kTarGz));
  ExpectRefused(resume, "the rows to");
  const ProcessResult result = RunIn(cut_, With(resume, {"--allow_changes"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the rows to"));
}

TEST_F(RunFlagsTest, ARunIsNotBegunOverAnother) {
  Begin();
  ExpectRefused(With(AllTrained()[0].flags, {"--run=run"}),
                "run holds a run that is not at its end, in epoch ");
  const ProcessResult anew = Train({"--run=run", "--overwrite"});
  EXPECT_EQ(anew.status, 0) << anew.err;
  Whole(AllTrained()[0]);
  ExpectSameFiles(cut_, files_);
  ExpectRefused(With(AllTrained()[0].flags, {"--run=run"}), "holds a run that has ended, after ");
  ExpectRefused({"train", "--resume=."}, "the folder holds no state of a run");
}

TEST_F(RunFlagsTest, TwoProcessesDoNotShareAFolder) {
  Process train(With(Endless(), {"--run=run"}), {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
  const ProcessResult second = RunIn(cut_, {"train", "--resume=run", "--output=o.pb"});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, HasSubstr("that of another process, number "));
  train.Signal(SIGKILL);
  train.Wait();
}

// Each would replace what is the other's best.
TEST_F(RunFlagsTest, TwoProcessesDoNotSaveToOneFile) {
  Process train(With(Endless(), {"--run=run"}), {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
  const ProcessResult second = Train({"--run=other"});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, HasSubstr("--output=m.pb: another process, number "));
  EXPECT_FALSE(fs::exists(cut_ + "/other"));
  train.Signal(SIGKILL);
  train.Wait();
  const ProcessResult third = Train({"--run=other"});
  EXPECT_EQ(third.status, 0) << third.err;
  for (const auto& entry : fs::directory_iterator(cut_)) {
    EXPECT_FALSE(absl::EndsWith(entry.path().string(), ".tmp")) << entry.path();
  }
}

TEST_F(RunFlagsTest, ATimeThatIsOverEndsWithStatus75) {
  const ProcessResult result = RunIn(cut_, With(Endless(), {"--run=run", "--max_time=1s"}));
  EXPECT_EQ(result.status, 75) << result.err;
  EXPECT_THAT(result.out, HasSubstr("train --resume=run"));
  EXPECT_EQ(RunIn(cut_, {"predict", "m.pb", "so good"}).status, 0);
}

TEST_F(RunFlagsTest, TellsWhereItStandsWhenAsked) {
  Process train(Endless(), {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
  train.Signal(SIGUSR1);
  ASSERT_TRUE(train.WaitForOutput("Epoch 20/", train.out().size()));
  train.Signal(SIGTERM);
  EXPECT_EQ(train.Wait(), 128 + SIGTERM);
  EXPECT_THAT(train.err(), AllOf(HasSubstr("seqgraph: epoch "), HasSubstr("/1000000, batch "),
                                 HasSubstr(" - loss: ")));
}

// Whoever read what it prints has gone.
TEST_F(RunFlagsTest, AClosedPipeDoesNotEndIt) {
  Whole(AllTrained()[0]);
  Process train(With(AllTrained()[0].flags, {"--run=run"}), {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 1/")) << train.err();
  train.CloseOutput();
  EXPECT_EQ(train.Wait(), 0) << train.err();
  ExpectSameFiles(cut_, files_);
}

// The folder goes away while the run goes on.
TEST_F(RunFlagsTest, AFolderThatVanishesDoesNotEndIt) {
  fs::create_directory(cut_ + "/elsewhere");
  Process train(With(Endless(), {"--run=run", "--save_every=1steps", "--fallback=elsewhere"}),
                {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
  fs::rename(cut_ + "/run", cut_ + "/away");
  ASSERT_TRUE(train.WaitForOutput("Epoch 30/", train.out().size())) << train.err();
  train.Signal(SIGTERM);
  EXPECT_EQ(train.Wait(), 128 + SIGTERM) << train.err();
  EXPECT_THAT(train.err(), AllOf(HasSubstr("The run's state cannot be saved: "),
                                 HasSubstr("it is in elsewhere")));
  EXPECT_THAT(train.out(), HasSubstr("train --resume=elsewhere"));
  EXPECT_EQ(RunIn(cut_, {"predict", "m.pb", "so good"}).status, 0);
  // The state that was saved there, with the model that the run began with, goes on.
  fs::copy(cut_ + "/away/model.pb", cut_ + "/elsewhere/model.pb");
  const ProcessResult result = RunIn(cut_, {"train", "--resume=elsewhere", "--epochs=3"});
  EXPECT_EQ(result.status, 0) << result.err;
}

// The model cannot be written where it belongs, and goes elsewhere.
TEST_F(RunFlagsTest, AModelThatCannotBeWrittenGoesElsewhere) {
  Whole(AllTrained()[0]);
  fs::create_directory(cut_ + "/out");
  fs::create_directory(cut_ + "/elsewhere");
  Process train(WithFlags(AllTrained()[0].flags, {"--output=out/m.pb", "--fallback=elsewhere"}),
                {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("of train_step")) << train.err();
  fs::remove_all(cut_ + "/out");
  EXPECT_EQ(train.Wait(), 0) << train.err();
  const bool there = fs::exists(cut_ + "/out/m.pb");  // It had no time to write before.
  if (!there) {
    EXPECT_THAT(train.err(), HasSubstr("the best model is in elsewhere/m.pb"));
  }
  EXPECT_EQ(ReadFileOrDie(cut_ + (there ? "/out/m.pb" : "/elsewhere/m.pb")), files_.at("m.pb"));
}

TEST_F(RunFlagsTest, AnEarlierModelIsBeatenOrStays) {
  const std::string whole = NewFolder();
  const std::vector<std::string> shorter =
      WithFlags(Endless(), {"--epochs=3", "--seed=2", "--run=run"});
  for (const std::string& folder : {whole, cut_}) {
    ASSERT_EQ(RunIn(folder, AllTrained()[0].flags).status, 0);
  }
  const std::string better = ReadFileOrDie(whole + "/m.pb");
  const ProcessResult result = RunIn(whole, shorter);
  ASSERT_EQ(result.status, 0) << result.err;
  ASSERT_THAT(result.out, HasSubstr("m.pb stays as it was"));
  Begin({"--seed=2"});
  for (int i = 0; i < 2; ++i) {  // the second time of a run that has ended
    const ProcessResult resumed = RunIn(cut_, {"train", "--resume=run", "--epochs=3"});
    EXPECT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_THAT(resumed.out, HasSubstr("m.pb stays as it was"));
    EXPECT_EQ(ReadFileOrDie(cut_ + "/m.pb"), better);
  }
  EXPECT_EQ(ReadFileOrDie(cut_ + "/m.new.pb"), ReadFileOrDie(whole + "/m.new.pb"));
}

// Another run, say, has saved to the same file while this one did not go on.
TEST_F(RunFlagsTest, AModelThatCameSinceIsBeatenOrStays) {
  const std::string whole = NewFolder();
  ASSERT_EQ(RunIn(whole, AllTrained()[0].flags).status, 0);
  const std::string better = ReadFileOrDie(whole + "/m.pb");
  const std::vector<std::string> shorter =
      WithFlags(Endless(), {"--epochs=3", "--seed=2", "--run=run"});
  ASSERT_THAT(RunIn(whole, shorter).out, HasSubstr("m.pb stays as it was"));
  Process train(With(shorter, {"--save_every=1steps"}), {.folder = cut_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 1/")) << train.err();
  train.Signal(SIGKILL);
  train.Wait();
  WriteFileOrDie(cut_ + "/m.pb", better);
  for (int i = 0; i < 2; ++i) {
    const ProcessResult resumed = RunIn(cut_, {"train", "--resume=run"});
    EXPECT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_THAT(resumed.out, HasSubstr("m.pb stays as it was"));
    EXPECT_EQ(ReadFileOrDie(cut_ + "/m.pb"), better);
  }
  EXPECT_EQ(ReadFileOrDie(cut_ + "/m.new.pb"), ReadFileOrDie(whole + "/m.new.pb"));
  WriteFileOrDie(cut_ + "/m.pb", "no model");
  ExpectRefused({"train", "--resume=run"}, "has come since the run began, and nothing tells");
}

// A process that is killed may have written its best model after the state that is left.
TEST_F(RunFlagsTest, WhatItHasWrittenAfterItsStateIsWrittenAgain) {
  const std::vector<std::string> resume = {"train", "--resume=run", "--epochs=100"};
  Begin();
  const std::string state = MakeTempDir(), early = ReadFileOrDie(cut_ + "/m.pb");
  fs::copy(cut_ + "/run", state + "/run", fs::copy_options::recursive);
  const ProcessResult first = RunIn(cut_, resume);
  ASSERT_EQ(first.status, 0) << first.err;
  ASSERT_THAT(first.out, HasSubstr("Going on with the run"));
  ASSERT_NE(ReadFileOrDie(cut_ + "/m.pb"), early);
  const auto files = FilesIn(cut_);
  fs::remove_all(cut_ + "/run");
  fs::copy(state + "/run", cut_ + "/run", fs::copy_options::recursive);
  const ProcessResult again = RunIn(cut_, resume);
  ASSERT_EQ(again.status, 0) << again.err;
  ExpectSameFiles(cut_, files);
}

// A state that was changed behind the run's back, with sums that fit.
void ChangeNumber(const std::string& path, const std::string& name, float by) {
  SEQ_ASSERT_OK_AND_ASSIGN(Records records, ReadRecords(path));
  Tensor tensor;
  SEQ_ASSERT_OK(records.Get(name, &tensor));
  tensor.Elements<float>()[0] += by;
  records.Set(name, tensor);
  SEQ_ASSERT_OK(WriteRecords(records, path));
}

TEST_F(RunFlagsTest, VerifyRepeatsStepsAndComparesBits) {
  for (const size_t i : {size_t{0}, size_t{1}, size_t{3}}) {
    const std::string folder = NewFolder();
    const std::vector<std::string> flags =
        WithFlags(AllTrained()[i].flags, {"--run=run", "--save_every=2steps", "--keep=4"});
    const ProcessResult train = RunIn(folder, flags);
    ASSERT_EQ(train.status, 0) << train.err;
    const auto before = FilesIn(folder);
    const ProcessResult same = RunIn("/", {"verify", folder + "/run"});
    EXPECT_EQ(same.status, 0) << same.out << same.err;
    EXPECT_THAT(same.out, AllOf(HasSubstr("): equal bits, "), Not(HasSubstr("parts"))));
    // Another instruction set comes close, and says so.
    const ProcessResult other = RunIn(folder, {"verify", "run", "--backend=reference"});
    EXPECT_EQ(other.status, 0) << other.out << other.err;
    EXPECT_THAT(other.out, HasSubstr("within the bound"));
    EXPECT_THAT(other.err, HasSubstr("it ran on simd"));
    // The newest of the four is the one behind which nothing is repeated.
    std::string newest;
    int64_t last = 0;
    for (const std::string& name : NamesIn(folder + "/run")) {
      if (!absl::EndsWith(name, ".seqrun")) continue;
      SEQ_ASSERT_OK_AND_ASSIGN(const Records records, ReadRecords(folder + "/run/" + name));
      int64_t sequence = 0;
      SEQ_ASSERT_OK(records.Get("keeper/sequence", &sequence));
      if (sequence > last) newest = name;
      last = std::max(last, sequence);
    }
    ChangeNumber(folder + "/run/" + newest, "variable/dense/kernel", 1e-3f);
    const ProcessResult parted = RunIn(folder, {"verify", "run"});
    EXPECT_EQ(parted.status, 1) << parted.out;
    EXPECT_THAT(parted.out, AllOf(HasSubstr(newest), HasSubstr("it parts, most in "
                                                               "variable/dense/kernel, by ")));
    ExpectSameFiles(folder, before);
  }
  EXPECT_THAT(RunIn(cut_, {"verify", "."}).err, HasSubstr("holds no state of a run"));
}

TEST_F(RunFlagsTest, MisuseIsNamed) {
  for (const auto& [flag, why] : std::vector<std::pair<std::string, std::string>>{
           {"--continue", "--continue needs --run"},
           {"--save_every=5", "expected a time or number above 0"},
           {"--max_time=soon", "expected a time as in 2h, 90m or 3600s, got 'soon'"}}) {
    const ProcessResult result = Train({flag});
    EXPECT_EQ(result.status, 2) << flag;
    EXPECT_THAT(result.err, HasSubstr(why));
  }
  const ProcessResult off = Train({"--run=off", "--keep=3"});
  EXPECT_EQ(off.status, 2);
  EXPECT_THAT(off.err, HasSubstr("--keep does not go with --run=off"));
}

}  // namespace
}  // namespace seqgraph
