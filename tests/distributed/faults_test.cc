// What ends a job: a rank that is killed, stopped, cut off, or has an error of its own. Within ten
// seconds, with one line that names rank, host and cause. (Held here to twice as much, on machines
// that are busy; what it took is printed.)

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "distributed/same_facts.h"
#include "tests/distributed/launcher.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr char kRank[] = "tests/distributed/rank";

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Our own lines of standard error; mpirun has others. Those of two ranks may stand in one.
std::vector<std::string> OwnLines(const std::string& error) {
  std::vector<std::string> own;
  for (const absl::string_view line : absl::StrSplit(error, '\n')) {
    if (absl::StrContains(line, "seqgraph: error:")) own.emplace_back(line);
  }
  return own;
}

std::string Line(int rank, const std::string& host, const std::string& cause) {
  return absl::StrCat("seqgraph: error: rank ", rank, " (", host, "): ", cause,
                      "; the job ends, the last state that was kept is whole");
}

// Whether that process does something still; its parent may not have asked yet how it ended.
bool Runs(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string number, name, state;
  return (file >> number >> name >> state) && state != "Z" && state != "X";
}

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = NoJobHere(); !reason.empty()) GTEST_SKIP() << reason;
  }
};

// Ranks that exchange messages for ever.
class EndlessJob {
 public:
  explicit EndlessJob(int ranks) : job_(ranks, kRank, {"forever"}) {
    EXPECT_TRUE(job_.process().WaitForOutput("started")) << job_.process().err();
    std::istringstream pids(job_.process().out());
    for (int rank = 0; rank < ranks; ++rank) pids >> pids_.emplace_back(0);
  }

  void Signal(int rank, int signal) {
    ASSERT_GT(pids_[static_cast<size_t>(rank)], 1);
    begin_ = Clock::now();
    ::kill(pids_[static_cast<size_t>(rank)], signal);
  }

  // After the end of all of its processes.
  std::vector<std::string> Lines() {
    const ProcessResult result = job_.Wait();
    EXPECT_NE(result.status, 0);
    for (const pid_t pid : pids_) {
      while (Runs(pid) && SecondsSince(begin_) < 20) ::usleep(10000);
      EXPECT_FALSE(Runs(pid)) << pid;
    }
    const double seconds = SecondsSince(begin_);
    std::printf("ended after %.1f s\n", seconds);
    EXPECT_LT(seconds, 20);
    return OwnLines(result.err);
  }

 private:
  RankedProcess job_;
  std::vector<pid_t> pids_;
  Clock::time_point begin_;
};

TEST_F(Faults, EachRankIsKilledAtAnyMoment) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int ranks = 2; ranks <= 4; ++ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      EndlessJob job(ranks);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
      job.Signal(rank, SIGKILL);
      EXPECT_THAT(job.Lines(), ElementsAre(Line(rank, HostName(), "its process ended")));
    }
  }
}

TEST_F(Faults, ARankThatIsStoppedIsSilent) {
  // At once, as each waits for its timeout.
  EndlessJob first(2), second(3), third(3);
  first.Signal(0, SIGSTOP);
  second.Signal(1, SIGSTOP);
  third.Signal(2, SIGSTOP);
  EXPECT_THAT(first.Lines(), ElementsAre(HasSubstr("rank 0 (" + HostName() + "): silent for ")));
  EXPECT_THAT(second.Lines(), ElementsAre(HasSubstr("rank 1 (" + HostName() + "): silent for ")));
  EXPECT_THAT(third.Lines(), ElementsAre(HasSubstr("rank 2 (" + HostName() + "): silent for ")));
}

TEST_F(Faults, AnErrorOfOneRankIsToldOnce) {
  for (int rank = 0; rank < 3; ++rank) {
    RankedProcess job(3, kRank, {"fail", absl::StrCat(rank)});
    const ProcessResult result = job.Wait();
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(OwnLines(result.err), ElementsAre(Line(rank, HostName(), "cannot read x.csv")));
  }
}

TEST_F(Faults, OtherFactsAreToldOnce) {
  RankedProcess job(3, kRank, {"other_facts"});
  const ProcessResult result = job.Wait();
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(OwnLines(result.err),
              ElementsAre(Line(1, HostName(),
                               "data is rows of today, and rank 0 has rows of "
                               "yesterday")));
}

TEST_F(Faults, WhoLeavesEarlyIsAFaultOnlyForThoseWhoNeedIt) {
  RankedProcess without(3, kRank, {"leave", "-1"});
  const ProcessResult done = without.Wait();
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(OwnLines(done.err), ElementsAre());
  RankedProcess with(3, kRank, {"leave", "1"});
  const ProcessResult result = with.Wait();
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(OwnLines(result.err), ElementsAre(HasSubstr("rank 1 has left the job, and rank ")));
}

// With a cable between two hosts.
class Cable : public Faults {
 protected:
  std::unique_ptr<Process> Start(const std::string& netem, const std::vector<std::string>& what) {
    ProcessOptions options;
    options.program = std::filesystem::absolute("tests/distributed/two_hosts.sh");
    options.environment = LauncherEnvironment();
    std::vector<std::string> arguments = {netem, std::filesystem::absolute(kRank)};
    arguments.insert(arguments.end(), what.begin(), what.end());
    return std::make_unique<Process>(arguments, options);
  }

  static constexpr int kNoNamespaces = 77, kNoNetem = 78;
};

TEST_F(Cable, TwoHostsWorkTogether) {
  const auto job = Start("", {"operations"});
  job->CloseInput();
  const int status = job->Wait();
  if (status == kNoNamespaces) GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(status, 0) << job->err();
  EXPECT_EQ(job->out(), "operations with 2 ranks: done\n");
}

TEST_F(Cable, DelayAndLossChangeNothing) {
  const auto job = Start("delay 2ms loss 2%", {"operations"});
  job->CloseInput();
  const int status = job->Wait();
  if (status == kNoNamespaces) GTEST_SKIP() << "no network namespaces here";
  if (status == kNoNetem) GTEST_SKIP() << "this kernel has no netem";
  EXPECT_EQ(status, 0) << job->err();
  EXPECT_EQ(job->out(), "operations with 2 ranks: done\n");
}

TEST_F(Cable, AHostWhoseCableIsCutIsSilent) {
  // mpirun, which may notice first, sends SIGTERM; `train` would save and go on for a while.
  const auto job = Start("", {"forever", "patient"});
  if (!job->WaitForOutput("started")) {
    if (job->Wait() == kNoNamespaces) GTEST_SKIP() << "no network namespaces here";
    FAIL() << job->err();
  }
  const Clock::time_point begin = Clock::now();
  job->Send("cut\n");
  EXPECT_NE(job->Wait(), 0);
  const double seconds = SecondsSince(begin);
  std::printf("ended after %.1f s\n", seconds);
  EXPECT_LT(seconds, 20);
  EXPECT_THAT(OwnLines(job->err()), ElementsAre(HasSubstr("rank 1 (hostb): silent for ")));
}

}  // namespace
}  // namespace seqgraph
