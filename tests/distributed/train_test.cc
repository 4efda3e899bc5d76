// `train --distributed` by mpirun: the same bits on any number of ranks, and after whatever ends
// them.

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/atomic_file.h"
#include "data/testing/test_util.h"
#include "tests/distributed/launcher.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::testing::AllOf;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

// Without what a process was run with: backends, threads.
std::string Numbers(const std::string& history) {
  std::string numbers;
  for (const absl::string_view line : absl::StrSplit(history, '\n')) {
    absl::StrAppend(&numbers, line.substr(0, line.find(",\"")), "\n");
  }
  return numbers;
}

class DistributedTrainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = NoJobHere(); !why.empty()) GTEST_SKIP() << why;
  }

  ProcessOptions Here() const { return {.folder = folder_, .environment = {"SEQGRAPH_RUNS=off"}}; }
  std::vector<std::string> Train(const std::string& name,
                                 const std::vector<std::string>& more) const {
    return WithFlags({"train", "--distributed", "--data=tiny.tar.gz", "--num_words=30",
                      "--maxlen=6", "--batch=12", "--block=3", "--epochs=3", "--data_cache=off",
                      "--output=" + name + ".pb", "--history=" + name + ".csv"},
                     more);
  }
  std::string In(const std::string& file) const { return ReadFileOrDie(folder_ + "/" + file); }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(DistributedTrainTest, HasTheSameBitsOnAnyRanksAndThreads) {
  const std::vector<std::vector<std::string>> models = {
      {"--model=embedding"},
      {"--model=onehot"},
      {"--cell=lstm", "--units=17", "--optimizer=adam", "--global_clipnorm=0.1"},
      {"--cell=gru", "--bidirectional", "--dropout=0.2", "--optimizer=nadam", "--metrics=auc"}};
  for (size_t m = 0; m < models.size(); ++m) {
    std::string model, history;
    for (int ranks = 1; ranks <= 4; ++ranks) {
      const std::string name = absl::StrCat("m", m, "_", ranks);
      const std::string threads = absl::StrCat("--threads=", 1 + ranks % 2);
      const ProcessResult result = RunRanks(ranks, Train(name, With(models[m], {threads})), Here());
      ASSERT_EQ(result.status, 0) << result.err;
      if (ranks == 1) {
        model = In(name + ".pb");
        history = Numbers(In(name + ".csv"));
        EXPECT_THAT(history, HasSubstr("\n2,"));
      }
      EXPECT_TRUE(In(name + ".pb") == model) << models[m][0] << " on " << ranks;
      EXPECT_EQ(Numbers(In(name + ".csv")), history) << models[m][0] << " on " << ranks;
    }
  }
}

// Processes below mpirun by the number of their rank.
std::vector<pid_t> PidsOfRanks(int ranks) {
  std::vector<pid_t> pids(static_cast<size_t>(ranks), 0);
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    std::ifstream environment(entry.path() / "environ"), command(entry.path() / "cmdline");
    const std::string text((std::istreambuf_iterator<char>(environment)), {});
    const std::string name((std::istreambuf_iterator<char>(command)), {});
    const size_t found = text.find("OMPI_COMM_WORLD_RANK=");
    if (pid <= 0 || found == std::string::npos || !absl::StrContains(name, "--distributed")) {
      continue;
    }
    // Of this test alone, whatever else runs on the machine.
    if (!absl::StrContains(text, absl::StrCat("SEQ_TEST_PID=", ::getpid()))) continue;
    const int rank = std::atoi(text.c_str() + found + strlen("OMPI_COMM_WORLD_RANK="));
    if (rank < ranks) pids[static_cast<size_t>(rank)] = pid;
  }
  return pids;
}

// Killed, whichever rank it hits, and gone on with by another number of ranks.
TEST_F(DistributedTrainTest, ARunThatLosesARankGoesOnWithTheSameBits) {
  const char* soak = std::getenv("SEQGRAPH_SOAK");
  const int kills = soak == nullptr ? 4 : std::atoi(soak);
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const std::vector<std::string> long_run = {"--epochs=60",   "--patience=60",
                                             "--cell=gru",    "--optimizer=adam",
                                             "--dropout=0.1", "--save_every=1steps"};
  ASSERT_EQ(RunRanks(2, Train("whole", With(long_run, {"--run=whole"})), Here()).status, 0);
  ProcessOptions options = Here();
  options.environment.push_back(absl::StrCat("SEQ_TEST_PID=", ::getpid()));
  int killed = 0;
  for (int round = 0; killed < kills; ++round) {
    const std::string name = absl::StrCat("cut", round), run = absl::StrCat("--run=", name, "_run");
    bool done = false;
    for (bool begun = false; !done; begun = true) {
      const int ranks = 1 + static_cast<int>(random() % 3);
      const std::vector<std::string> arguments =
          begun ? With(Train(name, With(long_run, {run})), {"--continue"})
                : Train(name, With(long_run, {run}));
      RankedProcess job(ranks, "tools/seqgraph_main", arguments, options);
      job.process().CloseInput();
      const bool runs = job.process().WaitForOutput("Epoch ");
      if (runs && killed < kills) {
        ::usleep(std::uniform_int_distribution<int>(0, 300'000)(random));
        const pid_t victim = PidsOfRanks(ranks)[random() % static_cast<unsigned>(ranks)];
        if (victim > 0) ::kill(victim, SIGKILL);
        ++killed;
      }
      const ProcessResult result = job.Wait();
      done = result.status == 0;
      if (done || !runs) {
        ASSERT_EQ(result.status, 0) << result.err;
      }
    }
    EXPECT_TRUE(In(name + ".pb") == In("whole.pb"));
    EXPECT_EQ(Numbers(In(name + ".csv")), Numbers(In("whole.csv")));
  }
}

TEST_F(DistributedTrainTest, AnInterruptEndsAllAndIsGoneOnFrom) {
  const std::vector<std::string> long_run = {"--epochs=200", "--patience=200", "--run=r"};
  ASSERT_EQ(RunRanks(3, Train("whole", WithFlags(long_run, {"--run=w"})), Here()).status, 0);
  {
    RankedProcess job(3, "tools/seqgraph_main", Train("m", long_run), Here());
    job.process().CloseInput();
    ASSERT_TRUE(job.process().WaitForOutput("Epoch 3/")) << job.process().err();
    job.process().Signal(SIGTERM);
    EXPECT_NE(job.Wait().status, 0);
  }
  const ProcessResult rest = RunRanks(2, {"train", "--resume=r"}, Here());
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_TRUE(In("m.pb") == In("whole.pb"));
  EXPECT_EQ(Numbers(In("m.csv")), Numbers(In("whole.csv")));
}

// From some write on the root's disk is full (tests/faults/fault_shim.c): nothing that it has is
// lost, all end when it has tried for long enough, and the run goes on where there is room.
TEST_F(DistributedTrainTest, AFullDiskAtTheRootEndsAllAndIsGoneOnFrom) {
  const std::vector<std::string> long_run = {"--epochs=40", "--patience=40", "--optimizer=adam",
                                             "--save_every=1steps"};
  const std::string counts = folder_ + "/counts";
  // Two ranks, the root with the shim: from write `first` on none goes well.
  constexpr int64_t kNever = int64_t{1} << 40;
  const auto train = [&](const std::string& name, int64_t first) {
    data::WriteFileOrDie(counts, std::string(4096, '\0'));
    const std::string program = fs::absolute("tools/seqgraph_main");
    const std::vector<std::string> flags = Train(name, With(long_run, {"--run=" + name + "_run"}));
    const std::vector<std::string> root = {
        "LD_PRELOAD=" + fs::absolute("tests/faults/libfault_shim.so").string(),
        "FAULTS_COUNTS=" + counts,
        "FAULTS_UNDER=" + folder_,
        "FAULTS_KINDS=write",
        absl::StrCat("FAULTS_AT=", first),
        "FAULTS_FOR=1000000000",
        absl::StrCat("FAULTS_DO=", ENOSPC),
        program};
    RankedProcess job(1, "/usr/bin/env",
                      With(With(With(root, flags), {":", "-n", "1", program}), flags), Here());
    job.process().CloseInput();
    return job.Wait();
  };
  const ProcessResult whole = train("whole", kNever);
  ASSERT_EQ(whole.status, 0) << whole.err;
  int64_t writes = 0;  // the first counter
  std::memcpy(&writes, In("counts").data(), sizeof(writes));
  ASSERT_GT(writes, 100);
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  const int64_t first = std::uniform_int_distribution<int64_t>(writes / 2, writes * 9 / 10)(random);
  SCOPED_TRACE(absl::StrCat("seed ", seed, ": from write ", first, " of ", writes, " on"));
  const ProcessResult full = train("full", first);
  EXPECT_NE(full.status, 0);
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  const ProcessResult rest = RunRanks(3, {"train", "--resume=full_run"}, Here());
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_TRUE(In("full.pb") == In("whole.pb"));
  EXPECT_EQ(Numbers(In("full.csv")), Numbers(In("whole.csv")));
}

TEST_F(DistributedTrainTest, ARankWithOtherDataOrFlagsIsNamed) {
  data::Entries other = TinyReviews();
  other.erase(absl::c_find_if(
      other, [](const auto& entry) { return absl::StrContains(entry.first, "train/pos/0"); }));
  data::WriteFileOrDie(folder_ + "/other.tar.gz", data::MakeArchive(other, data::Packing::kTarGz));
  const std::string program = fs::absolute("tools/seqgraph_main");
  for (const auto& [flag, why] : std::vector<std::pair<std::string, std::string>>{
           {"--data=other.tar.gz", "the rows to"}, {"--seed=2", "--seed"}}) {
    // Rank 1 by a command of its own.
    const ProcessResult result = RunRanks(
        1, With(With(Train("m", {}), {":", "-n", "1", program}), Train("m", {flag})), Here());
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.err, AllOf(HasSubstr("rank 1"), HasSubstr(why))) << flag;
    EXPECT_FALSE(fs::exists(folder_ + "/m.pb"));
  }
}

TEST_F(DistributedTrainTest, SeveralThatDoNotKnowOfEachOtherAreRefused) {
  const ProcessResult result = RunRanks(
      2, WithFlags({"train"}, {"--data=tiny.tar.gz", "--output=m.pb", "--data_cache=off"}), Here());
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("--distributed"));
  EXPECT_FALSE(fs::exists(folder_ + "/m.pb"));
}

TEST(DistributedTrain, WithoutMpiItSaysWhatIsMissing) {
  ProcessOptions options = {
      .folder = FolderWithTinyArchive(),
      .environment = {"SEQGRAPH_RUNS=off", "SEQGRAPH_MPI_LIBRARY=/none/libseqgraph_mpi.so"}};
  const ProcessResult result =
      RunSeqgraph({"train", "--distributed", "--data=tiny.tar.gz", "--output=m.pb"}, options);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("libopenmpi-dev"));
}

}  // namespace
}  // namespace seqgraph
