// The power fails at any moment: of every file there is the old one or the new one, what was said
// to be done is done, and a run goes on to the same bits as one that was never touched.

#include <signal.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "data/testing/test_util.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "serialization/records.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/faults/fault_cases.h"
#include "tests/power_cut/cut_disk.h"
#include "tests/power_cut/cut_mount.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using Files = std::map<std::string, std::string>;

constexpr int kKilled = 1000 + SIGKILL;
constexpr auto kSurvivals = static_cast<int64_t>(Survival::kNumSurvivals);

int64_t NumberOf(const char* variable, int64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given == nullptr ? otherwise : std::atoll(given);
}

uint64_t Seed() {
  static const auto seed = static_cast<uint64_t>(NumberOf("SEQGRAPH_SEED", std::random_device{}()));
  return seed;
}

Files::value_type None(const std::string& name) { return {name, ""}; }

bool IsLitter(const std::string& name) { return absl::EndsWith(name, ".tmp"); }

class PowerCut : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!WhyNoMounts().empty()) GTEST_SKIP() << WhyNoMounts();
    std::cout << "SEQGRAPH_SEED=" << Seed() << "\n";
  }

  // Runs the command on the disk, whose power may fail.
  ProcessResult Run(CutDisk& disk, const std::vector<std::string>& arguments,
                    int64_t cut_after = 0) {
    const CutMount mount(disk, folder_, cut_after);
    ProcessResult result = RunSeqgraph(
        arguments,
        {.folder = folder_, .environment = {absl::StrCat("XDG_CACHE_HOME=", folder_, "/cache")}});
    EXPECT_EQ(result.status == kKilled, disk.is_cut()) << result.status << ": " << result.err;
    return result;
  }

  int64_t Below(int64_t limit) {
    return std::uniform_int_distribution<int64_t>(0, limit - 1)(random_);
  }
  // What is found after the cut.
  CutDisk Found(const CutDisk& disk, Survival survival) {
    const uint64_t seed = random_();
    told_ += absl::StrCat(" cut after ", disk.operations(),
                          " operations, what survives: ", SurvivalName(survival), " (", seed, ");");
    return disk.AfterCut(survival, seed);
  }

  const std::string folder_ = MakeTempDir();
  std::mt19937_64 random_{Seed()};
  std::string told_;
};

// The disk itself: a test that cannot fail would prove nothing.

TEST_F(PowerCut, LosesWhatIsNotSynced) {
  CutDisk disk;
  {
    const CutMount mount(disk, folder_);
    std::ofstream(folder_ + "/old") << "old";
    SEQ_ASSERT_OK(AtomicWriteFile(folder_ + "/file", "first"));
    std::ofstream(folder_ + "/new") << "second";
    ASSERT_EQ(std::rename((folder_ + "/new").c_str(), (folder_ + "/file").c_str()), 0);
    EXPECT_EQ(data::ReadFileOrDie(folder_ + "/file"), "second");
  }
  EXPECT_EQ(disk.Files(), (Files{{"old", "old"}, {"file", "second"}}));
  // The name of "old" was synced with that of "file", and its content not.
  const std::map<Survival, Files> expected = {
      {Survival::kNothing, {None("old"), {"file", "first"}}},
      {Survival::kNames, {None("old"), None("file")}},
      {Survival::kSizes, {{"old", std::string(3, '\0')}, {"file", std::string(6, '\0')}}},
      {Survival::kContent, {{"old", "old"}, {"file", "first"}}},
      {Survival::kAll, {{"old", "old"}, {"file", "second"}}}};
  for (const auto& [survival, files] : expected) {
    EXPECT_EQ(disk.AfterCut(survival, 0).Files(), files) << SurvivalName(survival);
  }
  std::map<std::string, int> found;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (const Survival survival : {Survival::kPrefix, Survival::kReordered}) {
      const CutDisk after = disk.AfterCut(survival, seed);
      EXPECT_EQ(after.Files(), disk.AfterCut(survival, seed).Files());
      EXPECT_EQ(after.Files(), after.AfterCut(Survival::kNothing, 0).Files()) << "not safe";
      for (const auto& [name, bytes] : after.Files()) ++found[absl::StrCat(name, "=", bytes)];
    }
  }
  for (const char* const each : {"file=first", "file=second", "file=", "old=", "old=old"}) {
    EXPECT_GT(found[each], 0) << each;
  }
}

TEST_F(PowerCut, StopsTheProgramAndTheDisk) {
  CutDisk disk = CutDisk::Of(FolderWithTinyArchive());
  const ProcessResult result = Run(disk, {"encode", "--data=tiny.tar.gz", "--output=out"}, 3);
  EXPECT_EQ(result.status, kKilled) << result.err;
  EXPECT_TRUE(disk.is_cut());
  EXPECT_EQ(disk.Sync(CutDisk::kRoot), -EIO);
}

// Files of a command.

class PowerCutOfFiles : public PowerCut {
 protected:
  void Try(const FaultCase& it, const std::string& inputs, int64_t cuts) {
    for (const auto& [path, bytes] : it.outputs) {
      data::WriteFileOrDie(absl::StrCat(inputs, "/", path), bytes);
    }
    const CutDisk before = CutDisk::Of(inputs);
    CutDisk whole = before;
    const ProcessResult undisturbed = Run(whole, it.arguments);
    ASSERT_EQ(undisturbed.status, 0) << it.name << ": " << undisturbed.err;
    const Files expected = OutputsOf(whole, it);
    // Done is done.
    EXPECT_EQ(OutputsOf(whole.AfterCut(Survival::kNothing, 0), it), expected) << it.name;
    // A moment, and what survives.
    const int64_t moments = whole.operations(), all = moments * kSurvivals;
    cuts = std::min(NumberOf("SEQGRAPH_SOAK", cuts), all);
    for (int64_t i = 0; i < cuts && !HasFailure(); ++i) {
      // Each once where there are as many.
      const int64_t which = cuts == all ? i : Below(all);
      CutDisk disk = before;
      const ProcessResult result = Run(disk, it.arguments, 1 + which % moments);
      told_ = it.name + ":";
      CutDisk after = Found(disk, static_cast<Survival>(which / moments));
      SCOPED_TRACE(absl::StrCat(told_, " status ", result.status, " ", result.err));
      ExpectWhole(after, it, expected, result.status == 0);
      // The next start leaves all in order.
      const ProcessResult next = Run(after, it.arguments);
      EXPECT_EQ(next.status, 0) << next.err;
      ExpectWhole(after, it, expected, /*must_be_new=*/true);
      for (const auto& [name, bytes] : after.Files()) EXPECT_FALSE(IsLitter(name)) << name;
    }
    std::cout << it.name << ": " << cuts << " cuts at " << moments << " moments\n";
  }

 private:
  static Files OutputsOf(const CutDisk& disk, const FaultCase& it) {
    Files files = disk.Files();
    std::erase_if(files, [&](const auto& file) { return !it.outputs.contains(file.first); });
    return files;
  }

  void ExpectWhole(CutDisk& disk, const FaultCase& it, const Files& expected, bool must_be_new) {
    const Files now = OutputsOf(disk, it);
    if (now == expected || (!must_be_new && now == it.outputs)) return;
    ASSERT_TRUE(it.judge != nullptr) << "neither old nor new";
    ASSERT_FALSE(must_be_new && it.same_bytes) << "not the new files";
    const CutMount mount(disk, folder_);
    EXPECT_EQ(it.judge(folder_), "");
  }
};

TEST_F(PowerCutOfFiles, OfEachCommandThatReplacesOne) {
  const std::string inputs = FolderForFaults();
  for (const FaultCase& each : FileCases()) Try(each, inputs, 4);
}

TEST_F(PowerCutOfFiles, OfASet) {
  const std::string inputs = FolderForFaults();
  Try(EncodeCase(inputs), inputs, 15);
}

TEST_F(PowerCutOfFiles, OfATrainingThatIsNoRun) {
  const std::string inputs = FolderForFaults();
  for (const FaultCase& each : TrainCases(inputs)) Try(each, inputs, 6);
}

// Runs.

// Series of 2 to 7 steps of two numbers, the second class higher than the first.
std::string RaggedSeries() {
  std::string csv = "id,step,x,y,label\n";
  for (int series = 0; series < 30; ++series) {
    for (int step = 0; step < 2 + series % 6; ++step) {
      absl::StrAppend(&csv, "s", series, ",", step, ",",
                      (series * 7 + step * 3) % 11 + series % 2 * 3, ",", (series + step) % 5, ",",
                      series % 2 == 0 ? "low" : "high", "\n");
    }
  }
  return csv;
}

// The states that are on a disk, by their numbers; 0: none that is whole.
struct States {
  int64_t newest = 0, number = 0;
};
States StatesOn(const CutDisk& disk) {
  static const auto* const folder = new std::string(MakeTempDir());
  States states;
  for (const auto& [name, bytes] : disk.Files()) {
    if (!absl::EndsWith(name, ".seqrun")) continue;
    data::WriteFileOrDie(*folder + "/state.seqrun", bytes);
    const absl::StatusOr<Records> records = ReadRecords(*folder + "/state.seqrun");
    int64_t sequence = 0;
    if (!records.ok() || !records->Get("keeper/sequence", &sequence).ok()) continue;
    states.newest = std::max(states.newest, sequence);
    ++states.number;
  }
  return states;
}

class PowerCutOfARun : public PowerCut {
 protected:
  // What a run leaves, but for its states and what its record says of times and places.
  static Files Left(const CutDisk& disk) {
    Files files = disk.Files();
    std::erase_if(files, [](const auto& file) {
      return absl::EndsWith(file.first, "/lock") || absl::EndsWith(file.first, ".seqrun") ||
             absl::StartsWith(file.first, "cache/");
    });
    for (auto& [name, bytes] : files) {
      constexpr char kFinished[] = "\"status\": \"finished\"";
      if (absl::EndsWith(name, "/run.json") && absl::StrContains(bytes, kFinished)) {
        bytes = kFinished;
      }
    }
    return files;
  }

  static std::vector<std::string> NamesOf(const Files& files) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files) names.push_back(name);
    return names;
  }

  // What must be true of any moment.
  void ExpectKept(const CutDisk& before, const CutDisk& after) {
    // No more than the state that was on its way.
    const int64_t promised = StatesOn(before).newest - 1;
    EXPECT_GE(StatesOn(after).newest, promised);
    const Files files = after.Files();
    if (const auto model = files.find("out/m.pb"); model != files.end()) {
      SEQ_EXPECT_OK(ParseModel(model->second, ModelFormat::kBinary, AllOps()));
    }
    if (const auto history = files.find("out/h.csv"); history != files.end()) {
      EXPECT_TRUE(absl::StartsWith(history->second, "epoch,") &&
                  absl::EndsWith(history->second, "\n"))
          << history->second;
    }
  }

  void ExpectSame(const CutDisk& disk, const Files& expected) {
    const Files now = Left(disk);
    EXPECT_EQ(NamesOf(now), NamesOf(expected));
    for (const auto& [name, bytes] : expected) {
      EXPECT_TRUE(now.contains(name) && now.at(name) == bytes) << name << " differs";
    }
  }
};

TEST_F(PowerCutOfARun, GoesOnToTheSameBits) {
  const std::string inputs = MakeTempDir();
  data::WriteFileOrDie(inputs + "/ragged.csv", RaggedSeries());
  // Not beside the run's folder, so that nothing but its making syncs its name.
  std::filesystem::create_directory(inputs + "/out");
  const std::vector<std::string> command = {"train",
                                            "--data=ragged.csv",
                                            "--series=id",
                                            "--order=step",
                                            "--label=label",
                                            "--cell=gru",
                                            "--units=4",
                                            "--batch=6",
                                            "--epochs=6",
                                            "--patience=3",
                                            "--dropout=0.3",
                                            "--optimizer=adam",
                                            "--output=out/m.pb",
                                            "--history=out/h.csv",
                                            "--run=run",
                                            "--continue",
                                            "--save_every=2steps"};
  const CutDisk before = CutDisk::Of(inputs);
  CutDisk whole = before;
  const ProcessResult undisturbed = Run(whole, command);
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;
  const Files expected = Left(whole);
  const int64_t all = whole.operations();
  int64_t cuts = 0, runs = 0, anew = 0, more_than_once = 0;
  for (const int64_t wanted = NumberOf("SEQGRAPH_SOAK", 30); cuts < wanted && !HasFailure();) {
    CutDisk disk = before;
    told_ = "";
    ++runs;
    for (int times = 0;; ++times) {
      // Once more in a third of them. How many operations a run has is a matter of time: the last
      // moments are those after its end, when all that it said to be done is.
      const bool cut_it = times == 0 || (times < 4 && Below(3) == 0);
      const ProcessResult result = Run(disk, command, cut_it ? 1 + Below(all + all / 20) : 0);
      SCOPED_TRACE(absl::StrCat(told_, " status ", result.status, " ", result.err));
      ASSERT_TRUE(result.status == 0 || result.status == kKilled);
      if (result.status == 0) {
        ExpectSame(disk, expected);
        ExpectSame(disk.AfterCut(Survival::kNothing, 0), expected);
        cuts += cut_it;
        break;
      }
      const CutDisk after = Found(disk, static_cast<Survival>(Below(kSurvivals)));
      ExpectKept(disk, after);
      ++cuts;
      anew += StatesOn(after).number == 0;
      more_than_once += times > 0;
      disk = after;
    }
  }
  std::cout << cuts << " cuts in " << runs << " runs of about " << all << " operations; " << anew
            << " began anew, " << more_than_once << " were cut while they went on\n";
}

}  // namespace
}  // namespace seqgraph
