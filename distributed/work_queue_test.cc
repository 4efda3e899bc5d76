#include "distributed/work_queue.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/testing/on_ranks.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

void Sleep(int64_t microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

// Jobs "job 0", ... of which results are kept.
struct Jobs {
  int64_t count = 0;
  std::map<int64_t, std::string> results = {};
  std::vector<int> ranks = {};  // of the results, in their order

  WorkSource source() {
    return {.next = [this, next = int64_t{0}](
                        std::string* job) mutable -> absl::StatusOr<WorkSource::Next> {
              if (next == count) return WorkSource::Next::kEnd;
              *job = absl::StrCat("job ", next++);
              return WorkSource::Next::kJob;
            },
            .take =
                [this](int64_t number, int rank, std::string result) {
                  EXPECT_TRUE(results.emplace(number, std::move(result)).second) << number;
                  ranks.push_back(rank);
                  return absl::OkStatus();
                }};
  }
  void ExpectAll() const {
    ASSERT_THAT(results, SizeIs(count));
    for (const auto& [number, result] : results) {
      EXPECT_EQ(result, absl::StrCat("done: job ", number));
    }
  }
};

unsigned NewSeed() {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  return seed;
}

TEST(WorkQueue, DoesEachJobOnceWhateverTheTiming) {
  const unsigned seed = NewSeed();
  for (int size = 1; size <= 5; ++size) {
    for (const int64_t count : {0, 1, 7, 100}) {
      for (const int ahead : {0, 2}) {
        Jobs jobs{.count = count};
        OnRanks(size, [&](Communicator& c) {
          std::mt19937 random(seed + static_cast<unsigned>(c.rank()));
          WorkQueue queue(&c, {.ahead = ahead}, c.is_root() ? jobs.source() : WorkSource{});
          const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
            Sleep(static_cast<int64_t>(random() % 500));
            return absl::StrCat("done: ", job.text);
          };
          SEQ_EXPECT_OK(queue.Run(work, nullptr));
          SEQ_EXPECT_OK(c.Barrier());  // No message of the queue is left.
        });
        jobs.ExpectAll();
      }
    }
  }
}

TEST(WorkQueue, WhoIsFasterDoesMore) {
  Jobs jobs{.count = 40};
  std::atomic<int> of_fast{0};
  OnRanks(2, [&](Communicator& c) {
    WorkQueue queue(&c, {}, c.is_root() ? jobs.source() : WorkSource{});
    const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
      if (c.is_root()) {
        // Until the other has done all but what is its own.
        while (of_fast.load() < 30) {
          SEQ_RETURN_IF_ERROR(queue.Poll());
          Sleep(20);
        }
      } else {
        ++of_fast;
      }
      return absl::StrCat("done: ", job.text);
    };
    SEQ_EXPECT_OK(queue.Run(work, nullptr));
  });
  jobs.ExpectAll();
  EXPECT_GE(of_fast.load(), 30);
}

TEST(WorkQueue, SeveralQueuesOneAfterTheOther) {
  OnRanks(3, [&](Communicator& c) {
    for (int64_t count = 0; count < 20; ++count) {
      Jobs jobs{.count = count};
      WorkQueue queue(&c, {.ahead = 1}, c.is_root() ? jobs.source() : WorkSource{});
      const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
        return absl::StrCat("done: ", job.text);
      };
      SEQ_EXPECT_OK(queue.Run(work, nullptr));
      if (c.is_root()) jobs.ExpectAll();
    }
  });
}

TEST(WorkQueue, WhatARankThatLeavesHadOthersDo) {
  const unsigned seed = NewSeed();
  for (int size = 2; size <= 5; ++size) {
    Jobs jobs{.count = 60};
    std::atomic<int> left{0};
    OnRanks(size, [&](Communicator& c) {
      std::mt19937 random(seed + static_cast<unsigned>(c.rank()));
      WorkQueue queue(&c, {.slots = 2, .ahead = 1}, c.is_root() ? jobs.source() : WorkSource{});
      if (!c.is_root()) {
        // Leaves in the midst of a job; of several ranks all but the last do.
        const bool leaves = size == 2 || c.rank() + 1 < size;
        for (unsigned done = 0; leaves;) {
          SEQ_ASSERT_OK_AND_ASSIGN(const auto job, queue.Take());
          if (!job.has_value()) {
            if (queue.done()) break;
            Sleep(20);
            continue;
          }
          if (done++ == seed % 4) {
            ++left;
            return;
          }
          SEQ_ASSERT_OK(queue.Report(job->number, absl::StrCat("done: ", job->text)));
        }
      }
      const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
        for (int i = 0; i < 10 && c.is_root(); ++i) {
          SEQ_RETURN_IF_ERROR(queue.Poll());
          Sleep(static_cast<int64_t>(random() % 100));
        }
        return absl::StrCat("done: ", job.text);
      };
      SEQ_EXPECT_OK(queue.Run(work, nullptr));
    });
    jobs.ExpectAll();
    EXPECT_GE(left.load(), 1);
  }
}

TEST(WorkQueue, AnErrorEndsItEverywhere) {
  for (const int failing : {0, 1}) {
    Jobs jobs{.count = 1000};
    OnRanks(3, [&](Communicator& c) {
      WorkQueue queue(&c, {}, c.is_root() ? jobs.source() : WorkSource{});
      int64_t done = 0;
      const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
        if (c.rank() == failing && ++done == 5) return DataLoss("the disk broke");
        Sleep(200);
        return absl::StrCat("done: ", job.text);
      };
      const absl::Status status = queue.Run(work, nullptr);
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
      const std::string named = failing == 0 ? "the disk broke" : "rank 1: the disk broke";
      EXPECT_EQ(status.message(), named);
    });
    EXPECT_LT(jobs.results.size(), 1000);
  }
}

TEST(WorkQueue, AnInterruptOfAnyRankEndsAll) {
  Jobs jobs{.count = 100'000};
  OnRanks(3, [&](Communicator& c) {
    std::atomic<bool> interrupt{false};
    WorkQueue queue(&c, {}, c.is_root() ? jobs.source() : WorkSource{});
    const auto work = [&](const WorkQueue::Job& job) -> absl::StatusOr<std::string> {
      if (c.rank() == 2) interrupt = true;
      Sleep(100);
      return absl::StrCat("done: ", job.text);
    };
    EXPECT_THAT(queue.Run(work, &interrupt), StatusIs(absl::StatusCode::kCancelled));
  });
}

// As the rungs of a sweep: the jobs of the second half follow from results of the first.
TEST(WorkQueue, JobsMayWaitForResults) {
  std::set<int64_t> done;
  OnRanks(3, [&](Communicator& c) {
    int64_t made = 0;
    WorkSource source{.next = [&](std::string*) -> absl::StatusOr<WorkSource::Next> {
                        if (made == 20) return WorkSource::Next::kEnd;
                        if (made == 10 && done.size() < 10) return WorkSource::Next::kLater;
                        ++made;
                        return WorkSource::Next::kJob;
                      },
                      .take =
                          [&](int64_t number, int, const std::string&) {
                            EXPECT_TRUE(number < 10 || done.size() >= 10) << number;
                            done.insert(number);
                            return absl::OkStatus();
                          }};
    WorkQueue queue(&c, {.slots = 1, .ahead = 1}, c.is_root() ? source : WorkSource{});
    SEQ_EXPECT_OK(queue.Run([](const WorkQueue::Job&) { return ""; }, nullptr));
  });
  EXPECT_THAT(done, SizeIs(20));
}

TEST(WorkQueue, ARankWhoseRootIsGoneIsTold) {
  OnRanks(2, [&](Communicator& c) {
    if (c.is_root()) return;
    WorkQueue queue(&c, {});
    const absl::Status status =
        queue.Run([](const WorkQueue::Job&) { return ""; }, /*interrupt=*/nullptr);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(std::string(status.message()), HasSubstr("rank 0 is gone"));
  });
}

}  // namespace
}  // namespace seqgraph
