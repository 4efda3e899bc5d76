// Sixteen threads over one model: streams of their own that step alone and in batches, saved,
// restored and copied, handed from thread to thread; and functions and streams of the C interface.
// Each has the numbers of one thread. Run it with --config=tsan, which sees what only seldom shows.

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime_library/runtime.h"
#include "stream/stream.h"
#include "stream/stream_batch.h"
#include "stream/stream_model.h"
#include "tests/fuzz/seed_models.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int kThreads = 16;
constexpr int kSteps = 60;
constexpr uint64_t kWeights = 7;

void OnThreads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

// What sequence `s` takes in step t: tokens below 9, or reals.
void Fill(void* input, int64_t bytes, bool tokens, int s, int t) {
  for (int64_t k = 0; k + 4 <= bytes; k += 4) {
    const int32_t token = (s * 5 + t * 7 + static_cast<int>(k) / 4) % 9;
    const float real = static_cast<float>(token) / 4 - 1;
    std::memcpy(static_cast<char*>(input) + k, tokens ? static_cast<const void*>(&token) : &real,
                4);
  }
}

void Fill(Stream& stream, int s, int t) {
  const StreamPort& port = stream.model().inputs()[0];
  Fill(stream.input<void>(0), port.elements() * 4, port.type.dtype == DType::kInt32, s, t);
}

std::vector<float> Result(const Stream& stream) {
  const float* y = stream.result<float>(0);
  return {y, y + stream.model().results()[0].elements()};
}

// The results of each step of sequence `s`, on this thread.
std::vector<std::vector<float>> Alone(const StreamModel& model, int s) {
  std::vector<std::vector<float>> results;
  const std::unique_ptr<Stream> stream = *model.NewStream();
  for (int t = 0; t < kSteps; ++t) {
    Fill(*stream, s, t);
    EXPECT_TRUE(stream->Step().ok());
    results.push_back(Result(*stream));
  }
  return results;
}

class ThreadsTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    const LayerStack stack = StreamStacks()[GetParam()];
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, StackModel(stack, kWeights));
    bytes_ = SealedFile(UnsealedFile(model));
    SEQ_ASSERT_OK_AND_ASSIGN(model_, StreamModel::Create(std::move(model), {.max_batch = 4}));
    for (int s = 0; s < kThreads; ++s) expected_.push_back(Alone(*model_, s));
  }

  std::string bytes_;
  std::shared_ptr<const StreamModel> model_;
  std::vector<std::vector<std::vector<float>>> expected_;  // of each sequence, each step
};

// Each thread has three streams of sequences of its own, of which some step together.
TEST_P(ThreadsTest, StreamsOfTheirOwnGiveWhatOneThreadGives) {
  OnThreads([&](int thread) {
    const std::unique_ptr<StreamBatch> batch = *model_->NewBatch();
    constexpr int kStreams = 3;
    std::array<std::unique_ptr<Stream>, kStreams> streams;
    for (auto& stream : streams) stream = *model_->NewStream();
    const auto sequence = [&](int i) { return (thread + i) % kThreads; };
    for (int t = 0; t < kSteps; ++t) {
      std::vector<Stream*> together;
      for (int i = 0; i < kStreams; ++i) {
        Fill(*streams[i], sequence(i), t);
        // They join and leave.
        if ((t + i + thread) % 3 != 0) {
          together.push_back(streams[i].get());
        } else {
          EXPECT_TRUE(streams[i]->Step().ok());
        }
      }
      if (!together.empty()) {
        EXPECT_TRUE(batch->Step(together).ok());
      }
      for (int i = 0; i < kStreams; ++i) {
        EXPECT_EQ(Result(*streams[i]), expected_[sequence(i)][t])
            << "thread " << thread << ", stream " << i << ", step " << t;
      }
      if (t % 7 != 6) continue;
      // A new stream goes on from the saved state, or from a copy.
      std::unique_ptr<Stream> next = *model_->NewStream();
      EXPECT_TRUE(
          (t % 2 == 0 ? next->Restore(streams[0]->Save()) : next->CopyFrom(*streams[0])).ok());
      streams[0] = std::move(next);
      EXPECT_GT(model_->stream_bytes(), model_->state_bytes());
    }
  });
}

// One batch for all: whoever has it steps the streams that others have left there.
TEST_P(ThreadsTest, StreamsGoFromThreadToThread) {
  struct Moving {
    std::unique_ptr<Stream> stream;
    int taken = 0;
  };
  std::mutex mutex;  // of all below
  std::vector<Moving> moving;
  for (int s = 0; s < kThreads; ++s) moving.push_back({*model_->NewStream()});
  const std::unique_ptr<StreamBatch> batch = *model_->NewBatch();
  OnThreads([&](int thread) {
    for (int round = 0; round < kSteps; ++round) {
      const std::lock_guard<std::mutex> lock(mutex);
      std::vector<Stream*> together;
      std::vector<int> sequences;
      for (int s = (thread + round) % 4; s < kThreads; s += 4 + round % 3) {
        if (moving[s].taken == kSteps) continue;
        Fill(*moving[s].stream, s, moving[s].taken);
        together.push_back(moving[s].stream.get());
        sequences.push_back(s);
      }
      EXPECT_TRUE(batch->Step(together).ok());
      for (const int s : sequences) {
        EXPECT_EQ(Result(*moving[s].stream), expected_[s][moving[s].taken++]) << "sequence " << s;
      }
    }
  });
  int64_t taken = 0;
  for (const Moving& each : moving) taken += each.taken;
  EXPECT_GT(taken, kThreads * kSteps / 2);
}

// Models are loaded, functions compiled, streams made on all threads at once.
TEST_P(ThreadsTest, TheCInterfaceGivesWhatOneThreadGives) {
  seqgraph_model* model = nullptr;
  seqgraph_stream_model* streams = nullptr;
  ASSERT_EQ(seqgraph_model_parse(bytes_.data(), bytes_.size(), &model, nullptr), SEQGRAPH_OK);
  ASSERT_EQ(seqgraph_stream_model_parse(bytes_.data(), bytes_.size(), nullptr, &streams, nullptr),
            SEQGRAPH_OK);
  std::vector<std::vector<char>> wholes(kThreads);  // what predict gives for one and the same row
  OnThreads([&](int thread) {
    seqgraph_status status = SEQGRAPH_STATUS_INIT;
    seqgraph_tensor_info x = SEQGRAPH_INIT(seqgraph_tensor_info), y = x;
    seqgraph_function* predict = nullptr;
    ASSERT_EQ(seqgraph_function_compile(model, "predict", nullptr, &predict, &status), SEQGRAPH_OK)
        << status.text;
    ASSERT_EQ(seqgraph_function_get_input_info(predict, 0, &x, &status), SEQGRAPH_OK);
    ASSERT_EQ(seqgraph_function_get_output_info(predict, 0, &y, &status), SEQGRAPH_OK);
    Fill(x.data, x.num_bytes, x.dtype == SEQGRAPH_INT32, 0, 0);
    for (int run = 0; run < 20; ++run) {
      ASSERT_EQ(seqgraph_function_run(predict, &status), SEQGRAPH_OK) << status.text;
    }
    const char* whole = static_cast<const char*>(y.data);
    wholes[thread].assign(whole, whole + y.num_bytes);
    seqgraph_function_free(predict);

    seqgraph_stream* stream = nullptr;
    ASSERT_EQ(seqgraph_stream_create(streams, &stream, &status), SEQGRAPH_OK) << status.text;
    ASSERT_EQ(seqgraph_stream_get_input(stream, 0, &x, &status), SEQGRAPH_OK);
    ASSERT_EQ(seqgraph_stream_get_output(stream, 0, &y, &status), SEQGRAPH_OK);
    for (int t = 0; t < kSteps; ++t) {
      Fill(x.data, x.num_bytes, x.dtype == SEQGRAPH_INT32, thread, t);
      ASSERT_EQ(seqgraph_stream_step(stream, &status), SEQGRAPH_OK) << status.text;
      ASSERT_EQ(std::memcmp(y.data, expected_[thread][t].data(), y.num_bytes), 0)
          << "thread " << thread << ", step " << t;
    }
    seqgraph_stream_free(stream);
  });
  for (const std::vector<char>& whole : wholes) EXPECT_EQ(whole, wholes[0]);
  EXPECT_FALSE(wholes[0].empty());
  seqgraph_stream_model_free(streams);
  seqgraph_model_free(model);
}

std::string StackName(const ::testing::TestParamInfo<int>& info) {
  return StreamStacks()[info.param].name;
}

INSTANTIATE_TEST_SUITE_P(All, ThreadsTest,
                         ::testing::Range(0, static_cast<int>(StreamStacks().size())), StackName);

}  // namespace
}  // namespace seqgraph
