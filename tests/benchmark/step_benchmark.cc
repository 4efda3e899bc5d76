// Whole training steps against oneDNN's bare primitives: the tutorial's on the backend onednn,
// those of LSTM and both GRUs on the default backends, with the share of the machine's peak that
// the cells' arithmetic takes; the one-hot model's against the embedding model's; and one step of
// streams, also with weights in fewer bits. The two sides of a ratio alternate in one process, so
// that what else the machine does hits both alike; the counters are the median and the 10 % and 90
// % quantiles of the paired ratios.
//
//   bazel run //tests/benchmark:step_benchmark
//   ONEDNN_MAX_CPU_ISA=AVX2 SEQGRAPH_SIMD_TARGET=AVX2 bazel run //tests/benchmark:step_benchmark

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "backends/all_backends.h"
#include "backends/kernels/recurrence.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/weight_format.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/benchmark/bare_rnn.h"
#include "tests/benchmark/paired.h"
#include "tools/bench/machine_peak.h"
#include "training/initializers.h"
#include "training/model_builder.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

constexpr int64_t kTime = 100, kBatch = 64, kVocabulary = 500;

// A model's compiled train_step and a random batch.
class TrainStep {
 public:
  TrainStep(absl::StatusOr<Model> model, const char* backend_list) {
    SEQ_CHECK(model.ok());
    model_ = *std::move(model);
    SEQ_CHECK(InitializeVariables(1, model_.variables).ok());
    const auto backends = AllBackends().ParseList(backend_list);
    SEQ_CHECK(backends.ok());
    auto step = CompiledFunction::Compile(
        **model_.GetFunction("train_step"), AllOps(), &model_.variables,
        {.backends = *backends, .batch = kBatch, .passes = StandardPasses()});
    SEQ_CHECK(step.ok());
    step_ = *std::move(step);
    std::mt19937 rng(1);
    int32_t* tokens = static_cast<int32_t*>(step_->input(step_->FindInput("tokens")));
    for (int64_t i = 0; i < kBatch * kTime; ++i) tokens[i] = static_cast<int32_t>(rng() % 500);
    float* labels = static_cast<float*>(step_->input(step_->FindInput("labels")));
    for (int64_t i = 0; i < kBatch; ++i) labels[i] = static_cast<float>(rng() % 2);
  }

  void Run() { SEQ_CHECK(step_->Run().ok()); }

 private:
  Model model_;
  std::unique_ptr<CompiledFunction> step_;
};

// One of the tutorial's models.
absl::StatusOr<Model> Tutorial(bool one_hot, int64_t features, int64_t units) {
  return MakeTextModel({.one_hot = one_hot,
                        .num_words = kVocabulary,
                        .maxlen = kTime,
                        .embedding_dim = features,
                        .units = units});
}

// The embedding model with another cell.
absl::StatusOr<Model> Gated(BareCell cell, int64_t features, int64_t units) {
  FunctionBuilder g("predict", AllOps());
  const int64_t columns = (cell == BareCell::kLstm ? 4 : 3) * units;
  const Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), kTime}});
  const Value table =
      g.Variable("embedding/embeddings", {kVocabulary, features}, Initializer::Uniform(0.05));
  const Value x = ops::Embedding(g, tokens, table);
  const Value w = g.Variable("cell/kernel", {features, columns}, Initializer::GlorotUniform());
  const Value u = g.Variable("cell/recurrent_kernel", {units, columns}, Initializer::Orthogonal());
  const bool reset_after = cell == BareCell::kLbrGru;
  const Value b = g.Variable("cell/bias", reset_after ? Shape{2, columns} : Shape{columns},
                             Initializer::Zeros());
  const Value h = cell == BareCell::kLstm
                      ? ops::LSTMCell(g, x, w, u, {.bias = b}).last
                      : ops::GRUCell(g, x, w, u, {.bias = b, .reset_after = reset_after}).last;
  const Value kernel = g.Variable("dense/kernel", {units, 1}, Initializer::GlorotUniform());
  const Value bias = g.Variable("dense/bias", {1}, Initializer::Zeros());
  g.Result("probability", ops::Dense(g, h, kernel, {.bias = bias, .activation = "sigmoid"}));
  return MakeTrainable(std::move(g));
}

// Alternates the two sides; the time shown is that of one run of `measured`.
void MeasureRatio(benchmark::State& state, const BenchmarkRun& measured,
                  const BenchmarkRun& baseline, BenchmarkClock clock = WallSeconds) {
  const int repeats = RepeatsFor(clock, 0.02, baseline);
  SecondsOfRun(clock, 3, measured);
  std::vector<double> ratios;
  for (auto _ : state) {
    const double base = SecondsOfRun(clock, repeats, baseline);
    const double time = SecondsOfRun(clock, repeats, measured);
    ratios.push_back(time / base);
    state.SetIterationTime(time);
  }
  const Spread ratio = SpreadOf(ratios);
  state.counters["ratio"] = ratio.median;
  state.counters["p10"] = ratio.p10;
  state.counters["p90"] = ratio.p90;
}

// The same with the samples that a training step takes.
void MeasureStep(benchmark::State& state, const BenchmarkRun& measured,
                 const BenchmarkRun& baseline) {
  MeasureRatio(state, measured, baseline);
  state.counters["samples/s"] =
      benchmark::Counter(kBatch, benchmark::Counter::kIsIterationInvariantRate);
}

void StepOverBarePrimitive(benchmark::State& state) {
  omp_set_num_threads(1);
  TrainStep step(Tutorial(false, state.range(0), state.range(1)), "onednn");
  BareRnn bare(BareCell::kRnn, kTime, kBatch, state.range(0), state.range(1));
  MeasureStep(
      state, [&] { step.Run(); }, [&] { bare.Run(); });
}

// 24 U (F + U) T B of an LSTM, 18 of a GRU: forward, and twice that backward. A lookup that is
// projected once counts as if it had been done for each token.
double CellFlops(BareCell cell, double features, double units) {
  const double gates = cell == BareCell::kLstm ? 4 : 3;
  return 6 * gates * units * (features + units) * kTime * kBatch;
}

template <BareCell cell>
void GatedStepOverBarePrimitive(benchmark::State& state) {
  omp_set_num_threads(1);
  static const double peak = bench::MachinePeak(1).gflops();
  TrainStep step(Gated(cell, state.range(0), state.range(1)), kDefaultBackends);
  BareRnn bare(cell, kTime, kBatch, state.range(0), state.range(1));
  double seconds = 1e9;
  const auto timed = [&] {
    const double start = WallSeconds();
    step.Run();
    seconds = std::min(seconds, WallSeconds() - start);
  };
  MeasureStep(state, timed, [&] { bare.Run(); });
  state.counters["of_peak"] =
      CellFlops(cell, static_cast<double>(state.range(0)), static_cast<double>(state.range(1))) /
      seconds / 1e9 / peak;
}

// Cells with random weights, each but the first on the states of the one before it.
class Cells {
 public:
  Cells(int64_t layers, const kernels::RecurrenceSizes& sizes) : streams_(sizes.batch) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      const std::vector<float> w = Random(sizes.features * sizes.columns()),
                               u = Random(sizes.units * sizes.columns()),
                               b = Random(2 * sizes.columns());
      layers_.push_back(std::make_unique<kernels::RecurrenceSteps>(
          sizes, kernels::RecurrenceOperands{.w = w.data(), .u = u.data(), .b = b.data()}));
    }
  }

  std::vector<float> Random(int64_t n) {
    std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
    std::vector<float> values(n);
    for (float& value : values) value = uniform(rng_);
    return values;
  }
  int64_t width() const { return layers_[0]->width(); }
  /// The last layer's states after one more step.
  const float* Step(const float* x) {
    for (const auto& layer : layers_) {
      layer->Step(x, streams_);
      x = layer->states();
    }
    return x;
  }

 private:
  const int64_t streams_;
  std::mt19937 rng_{1};
  std::vector<std::unique_ptr<kernels::RecurrenceSteps>> layers_;
};

// One step of streams with one input each and a dense output, which the next step's input follows
// from: nothing of it can begin before.
void StreamStep(benchmark::State& state, kernels::CellKind cell) {
  const int64_t units = state.range(0), streams = state.range(1);
  Cells cells(1, {.cell = cell, .batch = streams, .time = 1, .features = 1, .units = units});
  const std::vector<float> dense = cells.Random(cells.width());
  std::vector<float> x(streams, 0.5f);
  for (auto _ : state) {
    const float* states = cells.Step(x.data());
    float sums[8] = {};
    for (int64_t j = 0; j + 8 <= cells.width(); j += 8) {
      for (int64_t i = 0; i < 8; ++i) sums[i] += states[j + i] * dense[j + i];
    }
    x[0] = std::accumulate(std::begin(sums), std::end(sums), 0.0f);
  }
  state.SetItemsProcessed(state.iterations() * streams);
}

// One step of one stream with weights in fewer bits, over the same step with floats.
void StepOverFloats(benchmark::State& state, kernels::CellKind cell) {
  const int64_t layers = state.range(0);
  kernels::RecurrenceSizes sizes = {
      .cell = cell, .batch = 1, .time = 1, .features = state.range(1), .units = state.range(2)};
  Cells floats(layers, sizes);
  sizes.weights = state.range(3) == 16 ? WeightFormat::kBf16 : WeightFormat::kInt8;
  Cells fewer_bits(layers, sizes);
  std::vector<float> x(sizes.features, 0.5f);
  MeasureRatio(
      state, [&] { x[0] = fewer_bits.Step(x.data())[0]; }, [&] { x[0] = floats.Step(x.data())[0]; },
      ThreadSeconds);
}

void OneHotStepOverEmbeddingStep(benchmark::State& state) {
  omp_set_num_threads(1);
  TrainStep one_hot(Tutorial(true, state.range(0), state.range(1)), "onednn");
  TrainStep embedding(Tutorial(false, state.range(0), state.range(1)), "onednn");
  MeasureStep(
      state, [&] { one_hot.Run(); }, [&] { embedding.Run(); });
}

void Sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"features", "units"})
      ->Args({16, 8})
      ->Args({128, 128})
      ->Args({512, 512})
      ->Iterations(31)  // pairs
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}
BENCHMARK(StepOverBarePrimitive)->Apply(Sizes);
BENCHMARK(OneHotStepOverEmbeddingStep)->Apply(Sizes);

void GatedSizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"features", "units"})
      ->Args({16, 16})
      ->Args({32, 32})
      ->Args({64, 64})
      ->Args({128, 128})
      ->Args({256, 256})
      ->Args({512, 512})
      ->Iterations(15)  // pairs
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}
BENCHMARK_TEMPLATE(GatedStepOverBarePrimitive, BareCell::kLstm)->Apply(GatedSizes);
BENCHMARK_TEMPLATE(GatedStepOverBarePrimitive, BareCell::kGru)->Apply(GatedSizes);
BENCHMARK_TEMPLATE(GatedStepOverBarePrimitive, BareCell::kLbrGru)->Apply(GatedSizes);

void StreamSizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"units", "streams"})->ArgsProduct({{8, 16, 40, 64, 128}, {1, 8}});
}
BENCHMARK_CAPTURE(StreamStep, Lstm, kernels::CellKind::kLstm)->Apply(StreamSizes);
BENCHMARK_CAPTURE(StreamStep, Gru, kernels::CellKind::kGruAfter)->Apply(StreamSizes);

void StackSizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"layers", "features", "units", "bits"});
  for (const int64_t bits : {16, 8}) {
    for (const int64_t units : {40, 64}) b->Args({1, 1, units, bits});
    for (const int64_t units : {128, 256}) b->Args({2, units, units, bits});
  }
  b->Iterations(31)->UseManualTime()->Unit(benchmark::kNanosecond);  // pairs
}
BENCHMARK_CAPTURE(StepOverFloats, Lstm, kernels::CellKind::kLstm)->Apply(StackSizes);
BENCHMARK_CAPTURE(StepOverFloats, Gru, kernels::CellKind::kGruAfter)->Apply(StackSizes);

}  // namespace
}  // namespace seqgraph
