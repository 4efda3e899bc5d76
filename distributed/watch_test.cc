#include "distributed/watch.h"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "distributed/same_facts.h"
#include "distributed/thread_transport.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kForever = 1e6;

// A job of threads, each with a watch: who said what, and whose process would have ended.
class WatchedJob {
 public:
  explicit WatchedJob(int ranks) : ended_(static_cast<size_t>(ranks)) {
    std::vector<std::unique_ptr<Transport>> transports = ThreadTransports(ranks);
    watches_.resize(transports.size());
    for (size_t rank = 0; rank < transports.size(); ++rank) {
      communicators_.push_back(std::make_unique<Communicator>(std::move(transports[rank])));
    }
  }

  // All of them, the root with that timeout; those in `mute` send no sign of life.
  void Start(double timeout_seconds, const std::vector<int>& mute = {}) {
    std::vector<std::thread> threads;
    for (size_t rank = 0; rank < watches_.size(); ++rank) {
      WatchOptions options = OptionsOf(rank);
      options.timeout_seconds = rank == 0 ? timeout_seconds : kForever;
      for (const int each : mute) {
        if (each == static_cast<int>(rank)) options.heartbeat_seconds = kForever;
      }
      threads.emplace_back([this, rank, options] {
        SEQ_ASSERT_OK_AND_ASSIGN(watches_[rank], Watch::Start(*communicators_[rank], options));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  Watch& watch(size_t rank) { return *watches_[rank]; }
  // As its process does that is killed.
  void Drop(size_t rank) { watches_[rank] = nullptr; }

  // Waits until those ranks have ended; false: they have not in a minute.
  bool HaveEnded(const std::vector<size_t>& ranks) {
    for (int i = 0; i < 6000; ++i) {
      bool all = true;
      for (const size_t rank : ranks) all = all && ended_[rank].load();
      if (all) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::vector<std::string> said() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return said_;
  }
  bool has_ended(size_t rank) const { return ended_[rank].load(); }

 private:
  WatchOptions OptionsOf(size_t rank) {
    return {.report =
                [this, rank](const std::string& line) {
                  const std::lock_guard<std::mutex> lock(mutex_);
                  said_.push_back(absl::StrCat(rank, " says ", line));
                },
            .end = [this, rank] { ended_[rank].store(true); }};
  }

  std::mutex mutex_;
  std::vector<std::string> said_;
  std::vector<std::atomic<bool>> ended_;
  std::vector<std::unique_ptr<Communicator>> communicators_;
  std::vector<std::unique_ptr<Watch>> watches_;
};

std::string Line(int speaker, int rank, const std::string& cause) {
  return absl::StrCat(speaker, " says seqgraph: error: rank ", rank, " (", HostName(), "): ", cause,
                      "; the job ends, the last state that was kept is whole\n");
}

TEST(Watch, TheRootNamesARankWhoseProcessEnds) {
  WatchedJob job(4);
  job.Start(60);
  job.Drop(2);
  EXPECT_TRUE(job.HaveEnded({0, 1, 3}));
  EXPECT_THAT(job.said(), ElementsAre(Line(0, 2, "its process ended")));
}

TEST(Watch, RankOneNamesTheRoot) {
  WatchedJob job(3);
  job.Start(60);
  job.Drop(0);
  EXPECT_TRUE(job.HaveEnded({1, 2}));
  EXPECT_THAT(job.said(), ElementsAre(Line(1, 0, "its process ended")));
}

TEST(Watch, ASilentRankIsLostAfterTheRootsTimeout) {
  WatchedJob job(3);
  job.Start(1.5, /*mute=*/{1});
  EXPECT_TRUE(job.HaveEnded({0, 1, 2}));
  EXPECT_THAT(job.said(),
              ElementsAre(Line(0, 1, "silent for 2 s: it is stopped, or its link is cut")));
}

TEST(Watch, ASilentRootIsLostALittleLater) {
  WatchedJob job(2);
  job.Start(1.5, /*mute=*/{0});
  EXPECT_TRUE(job.HaveEnded({1}));
  EXPECT_THAT(job.said(),
              ElementsAre(Line(1, 0, "silent for 3 s: it is stopped, or its link is cut")));
}

TEST(Watch, AnErrorOfARankIsTheCauseThatIsTold) {
  for (size_t failing = 0; failing < 3; ++failing) {
    WatchedJob job(3);
    job.Start(60);
    job.watch(failing).Fail("cannot read x.csv\x1b");
    EXPECT_TRUE(job.HaveEnded({0, 1, 2}));
    EXPECT_THAT(job.said(), ElementsAre(Line(0, static_cast<int>(failing), "cannot read x.csv ")));
  }
}

TEST(Watch, AnErrorThatNamesItsRankIsNotSaidToBeAnothers) {
  WatchedJob job(2);
  job.Start(60);
  job.watch(0).Fail("rank 1 (b): data is x, and rank 0 has y");
  EXPECT_TRUE(job.HaveEnded({0, 1}));
  EXPECT_THAT(
      job.said(),
      ElementsAre("0 says seqgraph: error: rank 1 (b): data is x, and rank 0 has y; the job "
                  "ends, the last state that was kept is whole\n"));
}

TEST(Watch, WhoHasLeftIsKnownAndNoFault) {
  WatchedJob job(3);
  job.Start(60);
  std::thread first([&] { job.watch(1).Leave(); });
  while (!job.watch(0).HasLeft(1) || !job.watch(2).HasLeft(1)) std::this_thread::yield();
  EXPECT_FALSE(job.watch(0).HasLeft(2));
  std::thread second([&] { job.watch(2).Leave(); });
  job.watch(0).Leave();
  first.join();
  second.join();
  for (size_t rank : {1, 0, 2}) {
    job.Drop(rank);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_THAT(job.said(), IsEmpty());
  for (size_t rank = 0; rank < 3; ++rank) EXPECT_FALSE(job.has_ended(rank));
}

TEST(Watch, OneThatHasLeftCanStillLoseAnother) {
  WatchedJob job(3);
  job.Start(60);
  std::thread waits([&] { job.watch(1).Leave(); });
  while (!job.watch(0).HasLeft(1)) std::this_thread::yield();
  job.Drop(2);
  EXPECT_TRUE(job.HaveEnded({0, 1}));
  waits.join();
  EXPECT_THAT(job.said(), ElementsAre(Line(0, 2, "its process ended")));
}

TEST(Watch, AStrangerIsNoRank) {
  WatchedJob job(2);
  job.Start(60);
  // Whoever finds the port: says something, or nothing, and goes.
  const int port = job.watch(0).port();
  for (const std::string& word :
       {std::string(), std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100000, 'x')}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Socket stranger,
                             Connect({"127.0.0.1"}, port, std::chrono::milliseconds(5000)));
    stranger.Send(word);
    stranger.Close();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(job.said(), IsEmpty());
  job.Drop(1);
  EXPECT_TRUE(job.HaveEnded({0}));
  EXPECT_THAT(job.said(), ElementsAre(Line(0, 1, "its process ended")));
}

TEST(Connect, SaysWhatItTried) {
  SEQ_ASSERT_OK_AND_ASSIGN(Listener listener, Listen());
  const int port = listener.port;
  listener.socket.Close();
  const auto socket = Connect({"127.0.0.1", "::1"}, port, std::chrono::milliseconds(5000));
  EXPECT_EQ(socket.status().message(),
            absl::StrCat("no TCP connection to port ", port,
                         " of any of 127.0.0.1, ::1: does a firewall stand between them?"));
}

}  // namespace
}  // namespace seqgraph
