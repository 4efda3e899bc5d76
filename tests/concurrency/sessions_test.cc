// 64 sessions over four shared models on sixteen threads: functions compiled by each for itself,
// calls of one that all share, and streams. Whoever has time takes a session a step further. Each
// gives what one thread alone gives. Run it with --config=tsan, which sees what only seldom shows.

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backends/all_backends.h"
#include "ops/all_ops.h"
#include "runtime/compiled_function.h"
#include "stream/stream.h"
#include "stream/stream_model.h"
#include "tests/fuzz/seed_models.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int kThreads = 16, kSessions = 64, kModels = 4, kSteps = 12;
constexpr int64_t kBatch = 2;

// What session `s` takes in step t: tokens below 9, or reals.
void Fill(void* input, const TensorType& type, int s, int t) {
  for (int64_t k = 0; k < type.shape.num_elements(); ++k) {
    const int32_t token = static_cast<int32_t>((s * 5 + t * 7 + k) % 9);
    const float real = static_cast<float>(token) / 4 - 1;
    const bool tokens = type.dtype == DType::kInt32;
    std::memcpy(static_cast<char*>(input) + 4 * k,
                tokens ? static_cast<const void*>(&token) : &real, 4);
  }
}

const Backend& Simd() { return **AllBackends().Get("simd"); }
const Backend& Reference() { return **AllBackends().Get("reference"); }

using Numbers = std::vector<float>;

// A session: gives the results of its next step.
using Step = std::function<absl::StatusOr<Numbers>(int t)>;

Numbers NumbersOf(const void* result, const TensorType& type) {
  const auto* const numbers = static_cast<const float*>(result);
  return {numbers, numbers + type.shape.num_elements()};
}

// A model that all share, in each of the ways in which it is used.
struct Shared {
  Model model;  // that nobody writes
  std::unique_ptr<CompiledFunction> called;
  std::shared_ptr<const StreamModel> streams;
};

absl::StatusOr<std::unique_ptr<CompiledFunction>> CompilePredict(Model& model,
                                                                 const Backend& backend) {
  CompileOptions options;
  options.backends = {&backend, &Reference()};
  options.batch = kBatch;
  return CompiledFunction::Compile(*model.FindFunction("predict"), AllOps(), &model.variables,
                                   options);
}

absl::StatusOr<std::unique_ptr<Shared>> Share(const LayerStack& stack) {
  auto shared = std::make_unique<Shared>();
  SEQ_ASSIGN_OR_RETURN(shared->model, StackModel(stack, /*seed=*/7));
  SEQ_ASSIGN_OR_RETURN(shared->called, CompilePredict(shared->model, Simd()));
  // Before the first call is made it has run once.
  const Function& function = shared->called->function();
  Fill(shared->called->input(0), function.type(function.inputs()[0]), 0, 0);
  SEQ_RETURN_IF_ERROR(shared->called->Run());
  SEQ_ASSIGN_OR_RETURN(Model model, StackModel(stack, /*seed=*/7));
  SEQ_ASSIGN_OR_RETURN(shared->streams, StreamModel::Create(std::move(model)));
  return shared;
}

// Compiles, on the thread that takes its first step.
Step OwnFunction(Shared& shared, const Backend& backend, int s) {
  auto compiled = std::make_shared<std::unique_ptr<CompiledFunction>>();
  return [compiled, &shared, &backend, s](int t) -> absl::StatusOr<Numbers> {
    if (*compiled == nullptr) {
      SEQ_ASSIGN_OR_RETURN(*compiled, CompilePredict(shared.model, backend));
    }
    CompiledFunction& own = **compiled;
    const Function& function = own.function();
    Fill(own.input(0), function.type(function.inputs()[0]), s, t);
    SEQ_RETURN_IF_ERROR(own.Run());
    return NumbersOf(own.result(0), function.type(function.results()[0].value));
  };
}

Step CallOfOne(Shared& shared, int s) {
  auto call = std::make_shared<std::unique_ptr<FunctionCall>>();
  return [call, &shared, s](int t) -> absl::StatusOr<Numbers> {
    if (*call == nullptr) {
      SEQ_ASSIGN_OR_RETURN(*call, shared.called->MakeCall());
    }
    const Function& function = shared.called->function();
    Fill((*call)->input(0), function.type(function.inputs()[0]), s, t);
    SEQ_RETURN_IF_ERROR((*call)->Run());
    return NumbersOf((*call)->result(0), function.type(function.results()[0].value));
  };
}

Step StreamOf(Shared& shared, int s) {
  auto stream = std::make_shared<std::unique_ptr<Stream>>();
  return [stream, &shared, s](int t) -> absl::StatusOr<Numbers> {
    if (*stream == nullptr) {
      SEQ_ASSIGN_OR_RETURN(*stream, shared.streams->NewStream());
    }
    // Another stream takes its place, with its state.
    if (t % 5 == 4) {
      SEQ_ASSIGN_OR_RETURN(std::unique_ptr<Stream> next, shared.streams->NewStream());
      SEQ_RETURN_IF_ERROR(next->Restore((*stream)->Save()));
      *stream = std::move(next);
    }
    Fill((*stream)->input<void>(0), shared.streams->inputs()[0].type, s, t);
    SEQ_RETURN_IF_ERROR((*stream)->Step());
    return NumbersOf((*stream)->result<void>(0), shared.streams->results()[0].type);
  };
}

Step SessionOf(Shared& shared, int s) {
  switch (s / kModels % 4) {
    case 0:
      return OwnFunction(shared, Simd(), s);
    case 1:
      return OwnFunction(shared, Reference(), s);
    case 2:
      return CallOfOne(shared, s);
    default:
      return StreamOf(shared, s);
  }
}

TEST(SessionsTest, GiveWhatOneThreadGives) {
  std::vector<std::unique_ptr<Shared>> models;
  const std::vector<LayerStack> stacks = StreamStacks();
  ASSERT_GE(stacks.size(), kModels);
  for (int m = 0; m < kModels; ++m) {
    SEQ_ASSERT_OK_AND_ASSIGN(std::unique_ptr<Shared> shared, Share(stacks[m]));
    models.push_back(std::move(shared));
  }
  std::vector<std::vector<Numbers>> expected(kSessions);
  for (int s = 0; s < kSessions; ++s) {
    const Step step = SessionOf(*models[s % kModels], s);
    for (int t = 0; t < kSteps; ++t) {
      SEQ_ASSERT_OK_AND_ASSIGN(Numbers numbers, step(t));
      ASSERT_FALSE(numbers.empty());
      expected[s].push_back(std::move(numbers));
    }
  }
  struct Session {
    Step step;
    std::mutex taken;
    int done = 0;
  };
  std::vector<Session> sessions(kSessions);
  for (int s = 0; s < kSessions; ++s) sessions[s].step = SessionOf(*models[s % kModels], s);
  std::atomic<int> left{kSessions * kSteps};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int next = thread * 7; left.load() > 0; next += 5) {
        const int s = next % kSessions;
        Session& session = sessions[s];
        const std::unique_lock<std::mutex> lock(session.taken, std::try_to_lock);
        if (!lock.owns_lock() || session.done == kSteps) continue;
        const absl::StatusOr<Numbers> numbers = session.step(session.done);
        EXPECT_TRUE(numbers.ok() && *numbers == expected[s][session.done])
            << "session " << s << ", step " << session.done << ": " << numbers.status();
        ++session.done;
        --left;
      }
    });
  }
  threads.clear();
  for (const Session& session : sessions) EXPECT_EQ(session.done, kSteps);
}

}  // namespace
}  // namespace seqgraph
