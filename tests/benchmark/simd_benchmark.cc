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

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "ops/all_ops.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "runtime/compiled_function.h"
#include "tests/benchmark/bare_rnn.h"
#include "tests/benchmark/paired.h"
#include "training/initializers.h"
#include "training/text_models.h"

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
  ModelFunction(bool one_hot, const char* name, int64_t batch, int threads = 1) {
    absl::StatusOr<Model> model =
        MakeTextModel({.one_hot = one_hot, .num_words = kVocabulary, .maxlen = kTime});
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

// Alternates the two sides; the time shown is that of one run of `measured`.
void MeasureSpeedup(benchmark::State& state, BenchmarkClock clock, const BenchmarkRun& baseline,
                    const BenchmarkRun& measured) {
  constexpr double kTurn = 0.01;
  const int base_repeats = RepeatsFor(clock, kTurn, baseline);
  const int repeats = RepeatsFor(clock, kTurn, measured);
  std::vector<double> speedups, times;
  for (auto _ : state) {
    const double base = SecondsOfRun(clock, base_repeats, baseline);
    times.push_back(SecondsOfRun(clock, repeats, measured));
    speedups.push_back(base / times.back());
    state.SetIterationTime(times.back());
  }
  const Spread speedup = SpreadOf(speedups);
  state.counters["speedup"] = speedup.median;
  state.counters["p10"] = speedup.p10;
  state.counters["p90"] = speedup.p90;
  state.counters["best_us"] = 1e6 * Quantile(times, 0);
}

void TrainStepOverPrimitive(benchmark::State& state, bool one_hot) {
  omp_set_num_threads(1);
  ModelFunction step(one_hot, "train_step", kBatch);
  BareRnn bare(BareCell::kRnn, kTime, kBatch, 16, 16);
  MeasureSpeedup(
      state, ThreadSeconds, [&] { bare.Run(); }, [&] { step.Run(); });
}
BENCHMARK_CAPTURE(TrainStepOverPrimitive, Embedding, false)
    ->Iterations(31)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(TrainStepOverPrimitive, OneHot, true)
    ->Iterations(31)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

void RecurrenceOverPrimitive(benchmark::State& state) {
  omp_set_num_threads(1);
  Recurrence recurrence(state.range(0), state.range(0));
  BareRnn bare(BareCell::kRnn, kTime, kBatch, state.range(0), state.range(0));
  MeasureSpeedup(
      state, ThreadSeconds, [&] { bare.Run(); }, [&] { recurrence.Run(); });
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

void Inference(benchmark::State& state, bool one_hot) {
  ModelFunction predict(one_hot, "predict", state.range(0));
  for (auto _ : state) predict.Run();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(Inference, Embedding, false)->ArgName("batch")->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(Inference, OneHot, true)->ArgName("batch")->Arg(1)->Arg(64);

void TwoThreadsOverOne(benchmark::State& state) {
  constexpr int64_t kLargeBatch = 512;
  ModelFunction one(false, "train_step", kLargeBatch, 1);
  ModelFunction two(false, "train_step", kLargeBatch, 2);
  MeasureSpeedup(
      state, WallSeconds, [&] { one.Run(); }, [&] { two.Run(); });
}
BENCHMARK(TwoThreadsOverOne)->Iterations(31)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace seqgraph
