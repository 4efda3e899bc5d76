#include "data/text_pipeline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::data {
namespace {

// Delivers reviews "0", "1", ... whose text is their name a number of times; then `end`.
absl::Status ReadNumbers(int count, const absl::Status& end, TextSink sink) {
  for (int i = 0; i < count; ++i) {
    const std::string name = std::to_string(i);
    std::string text;
    for (int n = i % 50; n > 0; --n) text += name;
    absl::Status status = sink({i % 3 == 0 ? Split::kTest : Split::kTrain, i % 2, name, text});
    if (!status.ok()) return status;
  }
  return end;
}

PipelineOptions SmallBatches(int threads) {
  return {.threads = threads, .batch_bytes = 400, .queue_bytes = 2000};
}

TEST(ReviewPipeline, EachReviewIsWorkedOnOnceWithAllItsBytes) {
  for (int threads : {1, 2, 5}) {
    std::mutex mutex;
    std::map<int64_t, std::vector<std::string>> batches;
    SEQ_ASSERT_OK(ForEachBatch(
        SmallBatches(threads),
        [](TextSink sink) { return ReadNumbers(2000, absl::OkStatus(), sink); },
        [&](int worker, const TextBatch& batch) {
          EXPECT_GE(worker, 0);
          EXPECT_LT(worker, threads);
          std::vector<std::string> names;
          for (size_t i = 0; i < batch.size(); ++i) {
            const LabelledText review = batch[i];
            const int number = std::stoi(std::string(review.name));
            EXPECT_EQ(review.split, number % 3 == 0 ? Split::kTest : Split::kTrain);
            EXPECT_EQ(review.label, number % 2);
            EXPECT_EQ(review.text.size(), review.name.size() * (number % 50));
            names.emplace_back(review.name);
          }
          const std::lock_guard<std::mutex> lock(mutex);
          EXPECT_TRUE(batches.emplace(batch.number(), names).second);
          return absl::OkStatus();
        }));
    int next = 0;
    int64_t number = 0;
    for (const auto& [key, names] : batches) {
      EXPECT_EQ(key, number++);
      for (const std::string& name : names) EXPECT_EQ(name, std::to_string(next++));
    }
    EXPECT_EQ(next, 2000);
    EXPECT_GT(number, 100);
  }
}

TEST(ReviewPipeline, OneWorkerIsNeverInTwoCalls) {
  std::atomic<int> inside[4] = {};
  SEQ_ASSERT_OK(ForEachBatch(
      SmallBatches(4), [](TextSink sink) { return ReadNumbers(5000, absl::OkStatus(), sink); },
      [&](int worker, const TextBatch&) {
        EXPECT_EQ(inside[worker]++, 0);
        std::this_thread::yield();
        --inside[worker];
        return absl::OkStatus();
      }));
}

TEST(ReviewPipeline, TheReaderRunsAheadByTheQueueOnly) {
  // Workers that are stuck: the reader fills the queue, then works itself, so that what is read and
  // not yet worked on stays within the queue, one batch a thread and the one being filled.
  std::atomic<int64_t> read{0}, worked{0}, most{0};
  SEQ_ASSERT_OK(ForEachBatch(
      SmallBatches(3),
      [&](TextSink sink) {
        return ReadNumbers(3000, absl::OkStatus(), [&](const LabelledText& review) {
          read += static_cast<int64_t>(review.name.size() + review.text.size());
          most = std::max(most.load(), read - worked);
          return sink(review);
        });
      },
      [&](int worker, const TextBatch& batch) {
        if (worker > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        worked += static_cast<int64_t>(batch.bytes());
        return absl::OkStatus();
      }));
  // A batch is longer than 400 bytes by less than its last review, of at most 204.
  EXPECT_LE(most, 2000 + 4 * (400 + 204));
  EXPECT_EQ(read, worked);
}

TEST(ReviewPipeline, TheLowestBatchThatFailsIsTheOutcome) {
  for (int threads : {1, 2, 4}) {
    for (int round = 0; round < 20; ++round) {
      std::mutex mutex;
      std::set<int64_t> seen;
      std::atomic<int> delivered{0};
      const absl::Status status = ForEachBatch(
          SmallBatches(threads),
          [&](TextSink sink) {
            return ReadNumbers(100000, absl::DataLossError("the reader's own"),
                               [&](const LabelledText& review) {
                                 ++delivered;
                                 return sink(review);
                               });
          },
          [&](int, const TextBatch& batch) -> absl::Status {
            {
              const std::lock_guard<std::mutex> lock(mutex);
              seen.insert(batch.number());
            }
            if (batch.number() < 12) return absl::OkStatus();
            // Later ones fail sooner.
            if (batch.number() < 14) std::this_thread::sleep_for(std::chrono::microseconds(300));
            return absl::InvalidArgumentError("batch " + std::to_string(batch.number()));
          });
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "batch 12"));
      for (int64_t number = 0; number <= 12; ++number) EXPECT_EQ(seen.count(number), 1u);
      EXPECT_LT(delivered, 100000) << "reading went on";
    }
  }
}

TEST(ReviewPipeline, TheReadersErrorComesBackAfterAllItDelivered) {
  for (int threads : {1, 3}) {
    std::atomic<int> worked{0};
    EXPECT_THAT(
        ForEachBatch(
            SmallBatches(threads),
            [](TextSink sink) { return ReadNumbers(777, absl::DataLossError("cut off"), sink); },
            [&](int, const TextBatch& batch) {
              worked += static_cast<int>(batch.size());
              return absl::OkStatus();
            }),
        StatusIs(absl::StatusCode::kDataLoss, "cut off"));
    EXPECT_EQ(worked, 777);
  }
}

TEST(ReviewPipeline, NoReviewsNoBatches) {
  SEQ_EXPECT_OK(ForEachBatch(
      SmallBatches(2), [](TextSink) { return absl::OkStatus(); },
      [](int, const TextBatch&) { return absl::InternalError("called"); }));
}

}  // namespace
}  // namespace seqgraph::data
