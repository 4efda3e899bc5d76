// Counts every call of operator new in this program.

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/progress.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace {
int64_t g_allocations = 0;
}

void* operator new(size_t size) {
  ++g_allocations;
  if (void* p = std::malloc(size)) return p;
  std::abort();
}
void* operator new(size_t size, std::align_val_t align) {
  ++g_allocations;
  const size_t a = static_cast<size_t>(align);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }

namespace seqgraph {
namespace {

// The count at the end of each batch.
class Counter : public Callback {
 public:
  Counter() { counts.reserve(1000); }
  absl::Status OnBatchEnd(FitContext&, int64_t, const Logs&) override {
    counts.push_back(g_allocations);
    return absl::OkStatus();
  }
  std::vector<int64_t> counts;
};

// What one call of the compiled step alone allocates, after a first one: the backend's own affair.
int64_t AllocationsOfRun(ModelRunner& runner, int64_t batch) {
  absl::StatusOr<CompiledFunction*> step = runner.Compile(kTrainStep, batch);
  SEQ_EXPECT_OK(step);
  SEQ_EXPECT_OK((*step)->Run());
  const int64_t before = g_allocations;
  const absl::Status status = (*step)->Run();
  const int64_t allocations = g_allocations - before;
  SEQ_EXPECT_OK(status);
  return allocations;
}

TEST(Trainer, StepsAllocateNothingBesideTheBackend) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model, MakeTextModel({.num_words = 10, .maxlen = 4, .embedding_dim = 3, .units = 4}));
  const std::vector<int32_t> tokens(4 * 38, 5), targets(38, 1);
  double now = 0;
  int64_t drawn = 0;
  ProgressOptions options;
  options.terminal = options.color = true;
  options.write = [&](absl::string_view text) { drawn += static_cast<int64_t>(text.size()); };
  options.clock = [&] { return now += 1; };  // every step is drawn
  Counter counter;
  Trainer trainer(&model, {.backend = "reference"});
  const int64_t whole = AllocationsOfRun(trainer.runner(), 4);
  const int64_t partial = AllocationsOfRun(trainer.runner(), 2);
  SEQ_ASSERT_OK(trainer.Fit({tokens, 38, 4, targets}, {{}, 0, 4, {}},
                            {.epochs = 2, .batch = 4, .callbacks = {Progress(options), &counter}}));
  // Nine whole batches and a partial one, twice; between epochs the loop may allocate.
  ASSERT_EQ(counter.counts.size(), 20u);
  for (const int begin : {0, 10}) {
    for (int i = begin + 1; i < begin + 9; ++i) {
      EXPECT_EQ(counter.counts[i] - counter.counts[i - 1], whole) << i;
    }
  }
  EXPECT_EQ(counter.counts[19] - counter.counts[18], partial);
  EXPECT_GT(g_allocations, 100);  // The counting works.
  EXPECT_GT(drawn, 20 * 40);
}

}  // namespace
}  // namespace seqgraph
