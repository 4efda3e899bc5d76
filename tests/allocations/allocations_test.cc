// A training step allocates nothing of ours once each batch size has run: checked on the compiled
// function and on the whole training loop. What oneDNN allocates itself is reported.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "backends/all_backends.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/allocations/allocation_counter.h"
#include "tests/testing.h"
#include "training/initializers.h"
#include "training/optimizers.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

class Allocations : public testing::TestWithParam<std::tuple<bool, std::string>> {
 protected:
  void SetUp() override {
    if (!AllocationsAreCounted()) GTEST_SKIP() << "a sanitizer owns the allocator";
    SEQ_ASSERT_OK_AND_ASSIGN(model_, MakeTextModel({.one_hot = std::get<0>(GetParam())}));
    SEQ_ASSERT_OK(InitializeVariables(1, model_.variables));
    SEQ_ASSERT_OK_AND_ASSIGN(backends_, AllBackends().ParseList(backend()));
  }

  const std::string& backend() const { return std::get<1>(GetParam()); }

  Model model_;
  std::vector<const Backend*> backends_;
};

TEST_P(Allocations, CounterSeesOurAllocations) {
  const int64_t before = CountAllocations().ours;
  // Volatile, so that the compiler cannot take the pair away.
  void* volatile memory = std::malloc(100);
  std::free(memory);
  auto* volatile object = new std::string(100, 'x');
  delete object;
  EXPECT_GE(CountAllocations().ours - before, 3);
}

TEST_P(Allocations, CompiledTrainStepOnVectorKernelsMakesNone) {
  SEQ_ASSERT_OK_AND_ASSIGN(backends_, AllBackends().ParseList("simd,onednn"));
  for (int threads : {1, 2}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        const std::unique_ptr<CompiledFunction> step,
        CompiledFunction::Compile(
            **model_.GetFunction("train_step"), AllOps(), &model_.variables,
            {.backends = backends_, .batch = 64, .threads = threads, .passes = StandardPasses()}));
    SEQ_ASSERT_OK(step->Run());
    const AllocationCounts before = CountAllocations();
    bool ok = true;
    for (int i = 0; i < 3; ++i) ok = step->Run().ok() && ok;
    const AllocationCounts after = CountAllocations();
    EXPECT_TRUE(ok);
    EXPECT_EQ(after.ours - before.ours, 0) << threads << " threads";
  }
}

TEST_P(Allocations, CompiledTrainStepMakesNoneOfOurs) {
  for (int64_t batch : {64, 32}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        const std::unique_ptr<CompiledFunction> step,
        CompiledFunction::Compile(
            **model_.GetFunction("train_step"), AllOps(), &model_.variables,
            {.backends = backends_, .batch = batch, .passes = StandardPasses()}));
    SEQ_ASSERT_OK(step->Run());
    const AllocationCounts before = CountAllocations();
    bool ok = true;  // googletest's matchers allocate
    for (int i = 0; i < 3; ++i) ok = step->Run().ok() && ok;
    const AllocationCounts after = CountAllocations();
    EXPECT_TRUE(ok);
    EXPECT_EQ(after.ours - before.ours, 0) << "in 3 steps of batch " << batch;
    RecordProperty(backend() + "_allocations_a_step_at_batch_" + std::to_string(batch),
                   std::to_string((after.library - before.library) / 3));
  }
}

// What is allocated from one batch to the next, once an epoch has seen every batch size.
class CountBetweenBatches : public Callback {
 public:
  absl::Status OnEpochBegin(FitContext&, int epoch) override {
    epoch_ = epoch;
    return absl::OkStatus();
  }
  absl::Status OnBatchEnd(FitContext&, int64_t batch, const Logs&) override {
    const int64_t now = CountAllocations().ours;
    if (epoch_ > 0 && batch > 0) {
      growth_ += now - last_;
      ++batches_;
    }
    last_ = now;
    return absl::OkStatus();
  }
  int64_t growth() const { return growth_; }
  int64_t batches() const { return batches_; }

 private:
  int epoch_ = 0;
  int64_t last_ = 0, growth_ = 0, batches_ = 0;
};

TEST_P(Allocations, TrainingLoopMakesNoneOfOurs) {
  constexpr int64_t kRows = 3 * 64 + 10;
  std::mt19937 rng(1);
  std::vector<int32_t> tokens(kRows * 100), targets(kRows);
  for (int32_t& token : tokens) token = static_cast<int32_t>(rng() % 500);
  for (int32_t& target : targets) target = static_cast<int32_t>(rng() % 2);
  const Examples examples{.tokens = tokens, .rows = kRows, .maxlen = 100, .targets = targets};
  CountBetweenBatches counter;
  Trainer trainer(&model_, {.backend = backend()});
  SEQ_ASSERT_OK(trainer.Fit(examples, examples, {.epochs = 3, .batch = 64, .callbacks = {&counter}})
                    .status());
  EXPECT_EQ(counter.batches(), 2 * 3);
  EXPECT_EQ(counter.growth(), 0);
}

// The update of each optimizer, on each backend alone: all of the formula, and what is computed
// once a step.
TEST(OptimizerAllocations, NoUpdateMakesAny) {
  if (!AllocationsAreCounted()) GTEST_SKIP() << "a sanitizer owns the allocator";
  std::vector<Optimizer> optimizers = {Adam{.amsgrad = true}};
  for (const OptimizerDef* def : AllOptimizers()) optimizers.emplace_back(*def);
  for (const std::string backends : {"onednn", "simd", "simd,onednn"}) {
    for (const Optimizer& optimizer : optimizers) {
      SCOPED_TRACE(testing::Message() << optimizer.name() << " on " << backends);
      FunctionBuilder g("train_step", AllOps());
      const Value w = g.Variable("w", {300, 7}, Initializer::Constant(0.5));
      const Value loss = ops::ReduceSum(g, ops::Multiply(g, w, w), {.axes = {0, 1}});
      g.Result("loss", loss);
      SEQ_ASSERT_OK(AddOptimizer(g, loss, optimizer));
      Model model;
      SEQ_ASSERT_OK(model.AddFunction(std::move(g).Build().value()));
      SEQ_ASSERT_OK(InitializeVariables(1, model.variables));
      SEQ_ASSERT_OK_AND_ASSIGN(const auto chosen, AllBackends().ParseList(backends));
      SEQ_ASSERT_OK_AND_ASSIGN(
          const std::unique_ptr<CompiledFunction> step,
          CompiledFunction::Compile(model.functions[0], AllOps(), &model.variables,
                                    {.backends = chosen, .passes = StandardPasses()}));
      SEQ_ASSERT_OK(step->Run());
      const int64_t before = CountAllocations().ours;
      bool ok = true;
      for (int i = 0; i < 3; ++i) ok = step->Run().ok() && ok;
      EXPECT_EQ(CountAllocations().ours - before, 0);
      EXPECT_TRUE(ok);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BothModels, Allocations,
                         testing::Combine(testing::Values(false, true),
                                          testing::Values("onednn", "simd")));

}  // namespace
}  // namespace seqgraph
