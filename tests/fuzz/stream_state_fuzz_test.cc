// Damaged states of streams: cut, changed, sealed again, and those of other models. Each is
// refused, and changes nothing then, or restored, and the stream goes on; through both interfaces.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/byte_cursor.h"
#include "base/crc32c.h"
#include "layers/all_layers.h"
#include "runtime_library/runtime.h"
#include "stream/stream.h"
#include "stream/stream_batch.h"
#include "stream/stream_model.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/seed_models.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// Restoring takes no memory but the text of an error.
constexpr int64_t kMostMemory = 1 << 16;
constexpr size_t kHeadBytes = 32, kSumBytes = 4;

// A model in both interfaces, with two streams each and a state of some steps.
struct Streamed {
  std::string name;
  std::shared_ptr<const StreamModel> model;
  std::unique_ptr<Stream> one, other;
  std::unique_ptr<StreamBatch> batch;
  seqgraph_stream_model* c_model = nullptr;
  seqgraph_stream* c_stream = nullptr;
  std::string saved;
};

std::string Sealed(const std::string& content) {
  return absl::StrCat(content, NumberBytes(Crc32c(content), kSumBytes));
}

class StreamStateFuzzTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const LayerStack& stack : StreamStacks()) Add(stack, 7, {.max_batch = 2, .block = 3});
    // The same, but for the weights; and one that holds back its inputs, to look ahead.
    Add(StreamStacks()[1], 8, {});
    LayerStack both{.name = "both", .input = {.name = "x", .time = 12}};
    RecurrentLayer cell{.units = 2, .return_sequences = true};
    BidirectionalLayer layer = Bidirectional(GRU(2, cell));
    layer.forward.name = "forward";
    layer.backward.name = "backward";
    both.layers = {{"embedding", true, EmbeddingLayer{.input_dim = 9, .output_dim = 3}},
                   {"both", true, layer}};
    Add(both, 7, {.max_batch = 2, .lookahead = 3});
    ASSERT_GE(all_.size(), 10u);
  }

  void TearDown() override {
    for (const Streamed& each : all_) {
      seqgraph_stream_free(each.c_stream);
      seqgraph_stream_model_free(each.c_model);
    }
    std::printf("%d states refused, %d restored, %d steps\n", refused_, restored_, steps_);
  }

  void Add(const LayerStack& stack, uint64_t seed, const StreamOptions& options) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, StackModel(stack, seed));
    const std::string file = SealedFile(UnsealedFile(model));
    Streamed added{.name = absl::StrCat(stack.name, " ", seed)};
    SEQ_ASSERT_OK_AND_ASSIGN(added.model, StreamModel::Create(std::move(model), options));
    SEQ_ASSERT_OK_AND_ASSIGN(added.one, added.model->NewStream());
    SEQ_ASSERT_OK_AND_ASSIGN(added.other, added.model->NewStream());
    SEQ_ASSERT_OK_AND_ASSIGN(added.batch, added.model->NewBatch());
    for (int t = 0; t < 5; ++t) Step(*added.one, t);
    added.saved = added.one->Save();
    if (options.lookahead == 0) {  // which the C interface does not have
      ASSERT_EQ(
          seqgraph_stream_model_parse(file.data(), file.size(), nullptr, &added.c_model, &status_),
          SEQGRAPH_OK)
          << status_.text;
      ASSERT_EQ(seqgraph_stream_create(added.c_model, &added.c_stream, &status_), SEQGRAPH_OK);
    }
    all_.push_back(std::move(added));
  }

  static void Fill(Stream& stream, int step) {
    for (size_t i = 0; i < stream.model().inputs().size(); ++i) {
      const StreamPort& port = stream.model().inputs()[i];
      for (int64_t k = 0; k < port.elements(); ++k) {
        if (port.type.dtype == DType::kInt32) {
          stream.input<int32_t>(static_cast<int>(i))[k] = (step + static_cast<int>(k)) % 9;
        } else {
          stream.input<float>(static_cast<int>(i))[k] = static_cast<float>(step % 5) / 4 - 0.5f;
        }
      }
    }
  }

  // A state may hold what a step refuses: then it says so.
  void Step(Stream& stream, int step) {
    Fill(stream, step);
    const absl::Status status = stream.Step();
    if (!status.ok()) {
      ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    }
    ++steps_;
  }

  std::string Extreme(std::string states) {
    constexpr float kReals[] = {0.0f,   -0.0f,
                                1e-42f, 3e38f,
                                -3e38f, std::numeric_limits<float>::infinity(),
                                1.0f,   std::numeric_limits<float>::quiet_NaN()};
    constexpr int32_t kInts[] = {-1, 9, 1 << 20, std::numeric_limits<int32_t>::min(),
                                 std::numeric_limits<int32_t>::max()};
    for (uint64_t n = 1 + mutator_.Below(4); n > 0 && states.size() >= 4; --n) {
      const size_t at = mutator_.Below(states.size() / 4) * 4;
      const void* with = mutator_.Below(2) == 0
                             ? static_cast<const void*>(&kReals[mutator_.Below(8)])
                             : &kInts[mutator_.Below(5)];
      std::memcpy(&states[at], with, 4);
    }
    return states;
  }

  // A state of `from`, damaged in some way or whole.
  std::string Damaged(const Streamed& from) {
    const std::string& saved = from.saved;
    const std::string content = saved.substr(0, saved.size() - kSumBytes);
    const std::string head = saved.substr(0, kHeadBytes);
    switch (mutator_.Below(8)) {
      case 0:
        return saved;
      case 1:
        return saved.substr(0, mutator_.Below(saved.size()));
      case 2:
        return mutator_.Bytes(saved);
      case 3:
        return Sealed(content.substr(0, mutator_.Below(content.size())));
      case 4:
        return Sealed(mutator_.Bytes(content));
      case 5:
        return Sealed(absl::StrCat(mutator_.Bytes(head), content.substr(kHeadBytes)));
      default:
        return Sealed(absl::StrCat(head, Extreme(content.substr(kHeadBytes))));
    }
  }

  void Restore(Streamed& into, const std::string& bytes) {
    // In memory of just their size, so that a sanitizer sees each read outside.
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    const absl::string_view state(exact.get(), bytes.size());
    const std::string before = into.one->Save();
    absl::Status status;
    {
      AllocationMeter meter;
      status = into.one->Restore(state);
      ASSERT_LE(meter.peak(), kMostMemory);
    }
    ++(status.ok() ? restored_ : refused_);
    if (!status.ok()) {
      ASSERT_FALSE(status.message().empty());
      ASSERT_EQ(into.one->Save(), before);
    } else {
      ASSERT_EQ(into.one->Save(), bytes);
    }
    for (int t = 0; t < 2; ++t) Step(*into.one, t);
    SEQ_ASSERT_OK(into.other->CopyFrom(*into.one));
    Fill(*into.one, 3);
    Fill(*into.other, 4);
    into.batch->Step({into.one.get(), into.other.get()}).IgnoreError();
    if (into.c_stream != nullptr) {
      const int32_t code =
          seqgraph_stream_restore(into.c_stream, exact.get(), bytes.size(), &status_);
      ASSERT_EQ(code, static_cast<int32_t>(status.code())) << status_.text;
      seqgraph_stream_step(into.c_stream, &status_);
    }
  }

  Mutator mutator_{FuzzSeed(20261129)};
  seqgraph_status status_ = SEQGRAPH_STATUS_INIT;
  std::vector<Streamed> all_;
  int refused_ = 0, restored_ = 0, steps_ = 0;
};

// But for models whose states are of the same names, types and weights: here none.
TEST_F(StreamStateFuzzTest, AStateFitsItsOwnModelAlone) {
  for (Streamed& into : all_) {
    for (const Streamed& from : all_) {
      SCOPED_TRACE(absl::StrCat(from.name, " into ", into.name));
      EXPECT_EQ(into.one->Restore(from.saved).ok(), &from == &into);
    }
  }
}

TEST_F(StreamStateFuzzTest, VersionsThatAreNotKnownAreRefused) {
  constexpr size_t kVersion = 8;  // where it stands
  std::string content = all_[0].saved.substr(0, all_[0].saved.size() - kSumBytes);
  ASSERT_EQ(content[kVersion], 1);
  content[kVersion] = 0;
  EXPECT_THAT(all_[0].one->Restore(Sealed(content)),
              StatusIs(absl::StatusCode::kInvalidArgument, "version 0"));
  content[kVersion] = 2;
  EXPECT_THAT(all_[0].one->Restore(Sealed(content)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "version 2"));
}

TEST_F(StreamStateFuzzTest, DamagedStatesAreRefusedOrGoOn) {
  const int count = FuzzCount(40000);
  for (int i = 0; i < count; ++i) {
    Streamed& into = all_[mutator_.Below(all_.size())];
    const bool of_another = mutator_.Below(8) == 0;
    Restore(into, Damaged(of_another ? all_[mutator_.Below(all_.size())] : into));
    if (HasFailure()) FAIL() << "mutation " << i << ", of " << into.name;
  }
  EXPECT_GT(refused_, count / 4);
  EXPECT_GT(restored_, count / 4);
}

}  // namespace
}  // namespace seqgraph
