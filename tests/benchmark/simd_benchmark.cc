// Backend simd against oneDNN's bare primitive, forward and backward: whole training steps against
// the primitive at (16, 16), on which a padded step of 8 units runs, and recurrences with their
// input projection against the primitive at the same sizes. Beside that inference through the
// public API, and two threads against one. The two sides of a ratio alternate in one process,
// measured in processor time of their thread, so that what else the machine does hits both alike;
// counters are the median and the 10 % and 90 % quantiles of (time of the baseline) / (time of
// simd).
//
//   bazel run //tests/benchmark:simd_benchmark
//   ONEDNN_MAX_CPU_ISA=AVX2 SEQGRAPH_SIMD_TARGET=AVX2 bazel run //tests/benchmark:simd_benchmark

#include <benchmark/benchmark.h>
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "backends/compiled_function.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/status_macros.h"
#include "ops/all_ops.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "tests/benchmark/bare_rnn.h"
#include "training/imdb_models.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

constexpr int64_t kTime = 100, kBatch = 64, kVocabulary = 500;

std::unique_ptr<CompiledFunction> Compile(const Function& function, VariableStore* variables,
                                          int64_t batch, int threads) {
  const auto backends = AllBackends().ParseList("simd");
  SEQ_CHECK(backends.ok());
  auto compiled = CompiledFunction::Compile(
      function, AllOps(), variables,
      {.backends = *backends, .batch = batch, .threads = threads, .passes = StandardPasses()});
  SEQ_CHECK(compiled.ok());
  return *std::move(compiled);
}

// Random content for an input.
void Fill(CompiledFunction& function, const char* name, int64_t count) {
  std::mt19937 rng(1);
  void* input = function.input(function.FindInput(name));
  const bool reals = std::string(name) != "tokens";
  for (int64_t i = 0; i < count; ++i) {
    if (reals) {
      static_cast<float*>(input)[i] = static_cast<float>(rng() % 2);
    } else {
      static_cast<int32_t*>(input)[i] = static_cast<int32_t>(rng() % kVocabulary);
    }
  }
}

// A function of one of the tutorial's models on a random batch.
class ModelFunction {
 public:
  ModelFunction(ImdbInput input, const char* name, int64_t batch, int threads = 1) {
    absl::StatusOr<Model> model =
        MakeImdbModel({.input = input, .num_words = kVocabulary, .maxlen = kTime});
    SEQ_CHECK(model.ok());
    model_ = *std::move(model);
    SEQ_CHECK(InitializeVariables(1, model_.variables).ok());
    function_ = Compile(**model_.GetFunction(name), &model_.variables, batch, threads);
    Fill(*function_, "tokens", batch * kTime);
    if (std::string(name) == "train_step") Fill(*function_, "labels", batch);
  }

  void Run() { SEQ_CHECK(function_->Run().ok()); }

 private:
  Model model_;
  std::unique_ptr<CompiledFunction> function_;
};

// RNNCell on features with its gradients for x and all weights: what the primitive computes, and
// the mean of the last states as a loss.
class Recurrence {
 public:
  Recurrence(int64_t features, int64_t units) {
    FunctionBuilder g("recurrence", AllOps());
    const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), kTime, features}});
    const Value w = g.Variable("w", {features, units}, Initializer::GlorotUniform());
    const Value u = g.Variable("u", {units, units}, Initializer::Orthogonal());
    const Value b = g.Variable("b", {units}, Initializer::Zeros());
    const Value last = ops::RNNCell(g, x, w, u, {.bias = b}).last;
    const Value loss = ops::ReduceMean(g, last, {.axes = {0, 1}});
    const auto gradients = AddGradients(g, loss, {x, w, u, b});
    SEQ_CHECK(gradients.ok());
    for (size_t i = 0; i < gradients->size(); ++i) {
      g.Result("d" + std::to_string(i), (*gradients)[i]);
    }
    auto function = std::move(g).Build();
    SEQ_CHECK(function.ok());
    for (const VariableRead& read : function->variables()) {
      SEQ_CHECK(variables_.Declare(read.def).ok());
    }
    SEQ_CHECK(InitializeVariables(1, variables_).ok());
    function_ = Compile(*function, &variables_, kBatch, /*threads=*/1);
    Fill(*function_, "x", kBatch * kTime * features);
  }

  void Run() { SEQ_CHECK(function_->Run().ok()); }

 private:
  VariableStore variables_;
  std::unique_ptr<CompiledFunction> function_;
};

// Processor time of this thread.
double Now() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double WallClock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Seconds(int repeats, double (*clock)(), const std::function<void()>& run) {
  const double start = clock();
  for (int i = 0; i < repeats; ++i) run();
  return clock() - start;
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

// Alternates the two sides; the time shown is that of one run of `measured`.
void MeasureSpeedup(benchmark::State& state, double (*clock)(),
                    const std::function<void()>& baseline, const std::function<void()>& measured) {
  Seconds(3, clock, baseline);
  Seconds(3, clock, measured);
  const int base_repeats = std::max(1, static_cast<int>(0.01 / (Seconds(3, clock, baseline) / 3)));
  const int repeats = std::max(1, static_cast<int>(0.01 / (Seconds(3, clock, measured) / 3)));
  std::vector<double> speedups, times;
  for (auto _ : state) {
    const double base = Seconds(base_repeats, clock, baseline) / base_repeats;
    const double time = Seconds(repeats, clock, measured) / repeats;
    speedups.push_back(base / time);
    times.push_back(time);
    state.SetIterationTime(time);
  }
  state.counters["speedup"] = Quantile(speedups, 0.5);
  state.counters["p10"] = Quantile(speedups, 0.1);
  state.counters["p90"] = Quantile(speedups, 0.9);
  state.counters["best_us"] = 1e6 * *std::min_element(times.begin(), times.end());
}

void TrainStepOverPrimitive(benchmark::State& state, ImdbInput input) {
  omp_set_num_threads(1);
  ModelFunction step(input, "train_step", kBatch);
  BareRnn bare(BareCell::kRnn, kTime, kBatch, 16, 16);
  MeasureSpeedup(
      state, Now, [&] { bare.Run(); }, [&] { step.Run(); });
}
BENCHMARK_CAPTURE(TrainStepOverPrimitive, Embedding, ImdbInput::kEmbedding)
    ->Iterations(31)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(TrainStepOverPrimitive, OneHot, ImdbInput::kOneHot)
    ->Iterations(31)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

void RecurrenceOverPrimitive(benchmark::State& state) {
  omp_set_num_threads(1);
  Recurrence recurrence(state.range(0), state.range(0));
  BareRnn bare(BareCell::kRnn, kTime, kBatch, state.range(0), state.range(0));
  MeasureSpeedup(
      state, Now, [&] { bare.Run(); }, [&] { recurrence.Run(); });
}
BENCHMARK(RecurrenceOverPrimitive)
    ->ArgNames({"features=units"})
    ->Arg(16)
    ->Arg(32)
    ->Arg(64)
    ->Arg(128)
    ->Iterations(31)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

void Inference(benchmark::State& state, ImdbInput input) {
  ModelFunction predict(input, "predict", state.range(0));
  for (auto _ : state) predict.Run();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(Inference, Embedding, ImdbInput::kEmbedding)->ArgName("batch")->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(Inference, OneHot, ImdbInput::kOneHot)->ArgName("batch")->Arg(1)->Arg(64);

void TwoThreadsOverOne(benchmark::State& state) {
  constexpr int64_t kLargeBatch = 512;
  ModelFunction one(ImdbInput::kEmbedding, "train_step", kLargeBatch, 1);
  ModelFunction two(ImdbInput::kEmbedding, "train_step", kLargeBatch, 2);
  MeasureSpeedup(
      state, WallClock, [&] { one.Run(); }, [&] { two.Run(); });
}
BENCHMARK(TwoThreadsOverOne)->Iterations(31)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace seqgraph
