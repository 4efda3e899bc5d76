// What a step promises: it allocates nothing, takes no lock, makes no system call and touches no
// memory for the first time; and a saved state goes on in another process with the same bits.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "seqgraph.h"
#include "tests/allocations/allocation_counter.h"
#include "tests/streams/whole_and_steps.h"
#include "tests/testing.h"

namespace {

std::atomic<int64_t> locks{0};

template <typename F>
F Next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// Stand before the C library's, for all of this program.
extern "C" {
int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static const auto next = Next<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  locks.fetch_add(1, std::memory_order_relaxed);
  return next(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  static const auto next = Next<int (*)(pthread_mutex_t*)>("pthread_mutex_trylock");
  locks.fetch_add(1, std::memory_order_relaxed);
  return next(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  static const auto next = Next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  locks.fetch_add(1, std::memory_order_relaxed);
  return next(lock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  static const auto next = Next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  locks.fetch_add(1, std::memory_order_relaxed);
  return next(lock);
}
}

namespace seqgraph {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSteps = 20'000;
constexpr bool kSanitized = true;
#else
constexpr int kSteps = 10'000'000;
constexpr bool kSanitized = false;
#endif

absl::StatusOr<std::shared_ptr<const StreamModel>> Create(const LayerCollection& layers,
                                                          StreamOptions options = {}) {
  SEQ_ASSIGN_OR_RETURN(Model model, layers.Build({.loss = MeanSquaredError()}));
  return StreamModel::Create(std::move(model), options);
}

Sequential Lstm() {
  Sequential stack({.time = 20, .features = 1});
  stack.Add(LSTM(8)).Add(DenseLayer{.units = 1});
  return stack;
}

// Of all that a stream may have to do: tokens, a mask, a convolution, several cells.
Sequential Everything() {
  Sequential stack({.time = 24});
  stack.Add(EmbeddingLayer{.input_dim = 30, .output_dim = 8, .mask_zero = true})
      .Add(GRU(12, {.return_sequences = true}))
      .Add(LSTM(20, {.return_sequences = true}))
      .Add(SimpleRNN(5))
      .Add(DenseLayer{.units = 3, .activation = "softmax"});
  return stack;
}

Sequential Convolved() {
  Sequential stack({.time = 24, .features = 2});
  stack.Add(Conv1DLayer{.filters = 6, .kernel_size = 3, .padding = "causal", .activation = "relu"})
      .Add(MaxPooling1DLayer{{.pool_size = 2}})
      .Add(LSTM(7, {.return_sequences = true}))
      .Add(DenseLayer{.units = 2});
  return stack;
}

// Inputs that change, of any type.
void Fill(Stream& stream, int step) {
  for (size_t i = 0; i < stream.model().inputs().size(); ++i) {
    const StreamPort& port = stream.model().inputs()[i];
    for (int64_t k = 0; k < port.elements(); ++k) {
      if (port.type.dtype == DType::kInt32) {
        stream.input<int32_t>(static_cast<int>(i))[k] = (step * 7 + static_cast<int>(k)) % 30;
      } else {
        stream.input<float>(static_cast<int>(i))[k] = static_cast<float>(step % 17) / 8 - 1;
      }
    }
  }
}

TEST(Promises, AStepAllocatesNothingAndLocksNothing) {
  if (kSanitized) GTEST_SKIP() << "sanitizers allocate and lock themselves";
  ASSERT_TRUE(AllocationsAreCounted());
  const auto run = [](const Sequential& layers, int steps) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto model, Create(layers, {.max_batch = 4}));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
    SEQ_ASSERT_OK_AND_ASSIGN(const auto other, model->NewStream());
    SEQ_ASSERT_OK_AND_ASSIGN(const auto batch, model->NewBatch());
    Stream* const both[] = {stream.get(), other.get()};
    const AllocationCounts before = CountAllocations();
    const int64_t locked = locks;
    bool ok = true;
    for (int t = 0; t < steps; ++t) {
      Fill(*stream, t);
      ok = stream->Step().ok() && ok;
      if (t % 16 != 0) continue;
      Fill(*other, t + 1);
      ok = batch->Step(both).ok() && ok;
      if (t % 64 == 0) ok = other->CopyFrom(*stream).ok() && ok;
      if (t % 1024 == 0) stream->Reset();
    }
    const AllocationCounts after = CountAllocations();
    EXPECT_TRUE(ok);
    EXPECT_EQ(after.ours, before.ours);
    EXPECT_EQ(locks - locked, 0);
  };
  run(Lstm(), kSteps);
  run(Everything(), kSteps / 20);
  run(Convolved(), kSteps / 20);
}

// A process of its own, which the kernel ends at its first system call but write and exit.
TEST(Promises, AStepMakesNoSystemCall) {
  for (const Sequential& layers : {Lstm(), Everything(), Convolved()}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto model, Create(layers));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) syscall(SYS_exit, 77);
      bool ok = true;
      for (int t = 0; t < 100'000; ++t) {
        Fill(*stream, t);
        ok = stream->Step().ok() && ok;
      }
      syscall(SYS_exit, ok ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no seccomp here";
    EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

// Of several new streams, for the kernel may take pages away at any time.
TEST(Promises, TheFirstStepTouchesNoNewMemory) {
  if (kSanitized) GTEST_SKIP() << "sanitizers have shadow memory";
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, Create(Everything()));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto warm, model->NewStream());
  SEQ_ASSERT_OK(warm->Step());
  int64_t fewest = 1 << 20;
  for (int i = 0; i < 20; ++i) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
    rusage before, after;
    ASSERT_EQ(getrusage(RUSAGE_THREAD, &before), 0);
    const bool ok = stream->Step().ok();
    ASSERT_EQ(getrusage(RUSAGE_THREAD, &after), 0);
    EXPECT_TRUE(ok);
    fewest = std::min<int64_t>(fewest, after.ru_minflt - before.ru_minflt);
  }
  EXPECT_EQ(fewest, 0);
}

// A leaky state that halves: after 200 steps it would be far below the smallest normal number.
TEST(Promises, DenormalsAreOffInAStepOnly) {
  Sequential stack({.time = 4, .features = 1});
  stack.Add(SimpleRNN(4, {.activation = "linear"}));
  SEQ_ASSERT_OK_AND_ASSIGN(Model made, stack.Build({.loss = MeanSquaredError()}));
  const auto set = [&](const char* name, float value) {
    const Variable* variable = made.variables.Find(name);
    ASSERT_NE(variable, nullptr) << name;
    made.variables.Mutate<float>(*variable, [&](absl::Span<float> elements) {
      std::fill(elements.begin(), elements.end(), 0.0f);
      for (size_t i = 0; i < elements.size(); i += 5) elements[i] = value;
    });
  };
  set("simple_rnn/kernel", 1);
  set("simple_rnn/recurrent_kernel", 0.5f);  // on the diagonal
  set("simple_rnn/bias", 0);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, StreamModel::Create(std::move(made)));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
  const unsigned mode = _mm_getcsr() & 0xFFC0;
  stream->input<float>(0)[0] = 1;
  SEQ_ASSERT_OK(stream->Step());
  stream->input<float>(0)[0] = 0;
  for (int t = 1; t <= 126; ++t) SEQ_ASSERT_OK(stream->Step());
  EXPECT_EQ(stream->result<float>(0)[0], 0x1p-126f);
  SEQ_ASSERT_OK(stream->Step());
  EXPECT_EQ(stream->result<float>(0)[0], 0.0f);
  EXPECT_EQ(_mm_getcsr() & 0xFFC0, mode);
}

// The other process makes the model anew from its bytes.
TEST(Promises, ASavedStateGoesOnInAnotherProcess) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model made, Everything().Build({.loss = MeanSquaredError()}));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(made, ModelFormat::kBinary));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto model, StreamModel::Create(std::move(made)));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto stream, model->NewStream());
  const auto go = [](Stream& s, int from, int to) {
    for (int t = from; t < to; ++t) {
      Fill(s, t);
      if (!s.Step().ok()) return false;
    }
    return true;
  };
  ASSERT_TRUE(go(*stream, 0, 50));
  const std::string saved = stream->Save();
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    absl::StatusOr<Model> again = ParseModel(bytes, ModelFormat::kBinary, AllOps());
    const auto other = StreamModel::Create(*std::move(again));
    const auto there = (*other)->NewStream();
    const bool ok = (*there)->Restore(saved).ok() && go(**there, 50, 100);
    const std::string end = (*there)->Save();
    const bool written =
        write(pipes[1], end.data(), end.size()) == static_cast<ssize_t>(end.size());
    _exit(ok && written ? 0 : 1);
  }
  close(pipes[1]);
  ASSERT_TRUE(go(*stream, 50, 100));
  const std::string expected = stream->Save();
  std::string told(expected.size() + 1, '\0');
  size_t have = 0;
  for (ssize_t n;
       have < told.size() && (n = read(pipes[0], told.data() + have, told.size() - have)) > 0;) {
    have += static_cast<size_t>(n);
  }
  close(pipes[0]);
  told.resize(have);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(told, expected);
}

}  // namespace
}  // namespace seqgraph
