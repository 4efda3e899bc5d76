// Steps of streams through their public faces, in C++ and in C: what they take beside the bare
// kernel, how long the longest takes, and what stepping many streams together gains.
//
//   bazel run //tests/benchmark:stream_benchmark

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <vector>

#include "backends/kernels/gemm.h"
#include "backends/kernels/recurrence.h"
#include "runtime_library/runtime.h"
#include "seqgraph.h"
#include "serialization/model_io.h"
#include "tests/benchmark/paired.h"
#include "tools/step_times.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

// LSTMs of one feature and a dense output, as of a plugin for sound.
Model MakeLstm(int64_t layers, int64_t features, int64_t units) {
  Sequential stack({.time = 100, .features = features});
  for (int64_t i = 0; i + 1 < layers; ++i) stack.Add(LSTM(units, {.return_sequences = true}));
  stack.Add(LSTM(units)).Add(DenseLayer{.units = 1});
  absl::StatusOr<Model> model = stack.Build({.loss = MeanSquaredError()});
  SEQ_CHECK(model.ok());
  return *std::move(model);
}

std::shared_ptr<const StreamModel> MakeModel(int64_t layers, int64_t features, int64_t units,
                                             StreamOptions options = {}) {
  auto made = StreamModel::Create(MakeLstm(layers, features, units), options);
  SEQ_CHECK(made.ok());
  return *made;
}

// The kernels of that model alone, each on the states of the one before it.
class BareKernels {
 public:
  BareKernels(int64_t layers, int64_t features, int64_t units)
      : dense_{1, units, 1}, dense_w_(static_cast<size_t>(units), 0.1f) {
    for (int64_t i = 0; i < layers; ++i) {
      const kernels::RecurrenceSizes sizes{.cell = kernels::CellKind::kLstm,
                                           .batch = 1,
                                           .time = 1,
                                           .features = i == 0 ? features : units,
                                           .units = units};
      const auto random = [this](int64_t n) {
        std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
        std::vector<float> values(static_cast<size_t>(n));
        for (float& value : values) value = uniform(rng_);
        return values;
      };
      const std::vector<float> w = random(sizes.features * sizes.columns()),
                               u = random(units * sizes.columns()), b = random(sizes.columns());
      cells_.push_back(std::make_unique<kernels::RecurrenceSteps>(
          sizes, kernels::RecurrenceOperands{.w = w.data(), .u = u.data(), .b = b.data()}));
    }
  }

  float Step(const float* x) {
    for (const auto& cell : cells_) {
      cell->Step(x, 1);
      x = cell->states();
    }
    float y;
    kernels::Multiply(dense_, kernels::RowMajor(x, dense_.inner),
                      kernels::RowMajor(dense_w_.data(), 1), &dense_b_, &y, nullptr, pool_);
    return y;
  }

 private:
  std::mt19937 rng_{1};
  std::vector<std::unique_ptr<kernels::RecurrenceSteps>> cells_;
  const kernels::GemmShape dense_;
  const std::vector<float> dense_w_;
  const float dense_b_ = 0;
  kernels::ThreadPool pool_{1};
};

// The same model through the C interface of the library that is installed.
class CStream {
 public:
  explicit CStream(const Model& model) {
    const auto bytes = SerializeModel(model, ModelFormat::kBinary);
    SEQ_CHECK(bytes.ok());
    Check(seqgraph_stream_model_parse(bytes->data(), bytes->size(), nullptr, &model_, &status_));
    Check(seqgraph_stream_create(model_, &stream_, &status_));
    seqgraph_tensor_info info = SEQGRAPH_INIT(seqgraph_tensor_info);
    Check(seqgraph_stream_get_input(stream_, 0, &info, &status_));
    x_ = static_cast<float*>(info.data);
    Check(seqgraph_stream_get_output(stream_, 0, &info, &status_));
    y_ = static_cast<const float*>(info.data);
  }
  ~CStream() {
    seqgraph_stream_free(stream_);
    seqgraph_stream_model_free(model_);
  }

  void Step() {
    x_[0] = y_[0] * 0.5f;
    Check(seqgraph_stream_step(stream_, &status_));
  }

 private:
  static void Check(int32_t code) { SEQ_CHECK(code == SEQGRAPH_OK); }

  seqgraph_status status_ = SEQGRAPH_STATUS_INIT;
  seqgraph_stream_model* model_ = nullptr;
  seqgraph_stream* stream_ = nullptr;
  float* x_ = nullptr;
  const float* y_ = nullptr;
};

// Kernels, C++ and C in turn: what each face adds. Each step's input follows from the last one's
// output: nothing of it can begin before.
void StepsByFace(benchmark::State& state) {
  const int64_t layers = state.range(0), features = state.range(1), units = state.range(2);
  const Model model = MakeLstm(layers, features, units);
  CStream in_c(model);
  const auto streams = MakeModel(layers, features, units);
  const auto stream = *streams->NewStream();
  BareKernels bare(layers, features, units);
  std::vector<float> x(static_cast<size_t>(features), 0.5f);
  const BenchmarkRun kernel = [&] { x[0] = bare.Step(x.data()); };
  const BenchmarkRun through_cpp = [&] {
    stream->input<float>(0)[0] = stream->result<float>(0)[0] * 0.5f;
    SEQ_CHECK(stream->Step().ok());
  };
  const BenchmarkRun through_c = [&] { in_c.Step(); };
  const int repeats = RepeatsFor(ThreadSeconds, 0.02, kernel);
  SecondsOfRun(ThreadSeconds, repeats, through_c);
  std::vector<double> alone, cpp_more, c_more, c_over_cpp, ratios;
  for (auto _ : state) {
    const double base = SecondsOfRun(ThreadSeconds, repeats, kernel) * 1e9;
    const double cpp = SecondsOfRun(ThreadSeconds, repeats, through_cpp) * 1e9;
    const double c = SecondsOfRun(ThreadSeconds, repeats, through_c) * 1e9;
    alone.push_back(base);
    cpp_more.push_back(cpp - base);
    c_more.push_back(c - base);
    c_over_cpp.push_back(c - cpp);
    ratios.push_back(c / base);
    state.SetIterationTime(c * 1e-9);
  }
  state.counters["kernel_ns"] = SpreadOf(alone).median;
  state.counters["cpp_more_ns"] = SpreadOf(cpp_more).median;
  state.counters["c_more_ns"] = SpreadOf(c_more).median;
  state.counters["c_over_cpp_ns"] = SpreadOf(c_over_cpp).median;
  state.counters["ratio"] = SpreadOf(ratios).median;
}

void Latency(benchmark::State& state) {
  const auto model = MakeModel(1, 1, state.range(0));
  const auto stream = *model->NewStream();
  tools::StepTimes times;
  using Clock = std::chrono::steady_clock;
  for (auto _ : state) {
    for (int i = 0; i < 1'000'000; ++i) {
      const auto begin = Clock::now();
      stream->input<float>(0)[0] = stream->result<float>(0)[0] * 0.5f;
      SEQ_CHECK(stream->Step().ok());
      times.Add((Clock::now() - begin).count());
    }
  }
  state.counters["median_ns"] = static_cast<double>(times.Quantile(0.5));
  state.counters["p99_9_ns"] = static_cast<double>(times.Quantile(0.999));
  state.counters["longest_ns"] = static_cast<double>(times.longest());
}

void TogetherOverSingle(benchmark::State& state) {
  const int64_t streams = state.range(0), together = state.range(1);
  const auto model = MakeModel(1, 1, 32, {.max_batch = together});
  const auto batch = *model->NewBatch();
  std::vector<std::unique_ptr<Stream>> all;
  std::vector<Stream*> pointers;
  for (int64_t s = 0; s < streams; ++s) {
    all.push_back(*model->NewStream());
    all.back()->input<float>(0)[0] = static_cast<float>(s % 7);
    pointers.push_back(all.back().get());
  }
  const BenchmarkRun at_once = [&] { SEQ_CHECK(batch->Step(pointers).ok()); };
  const BenchmarkRun one_by_one = [&] {
    for (Stream* stream : pointers) SEQ_CHECK(stream->Step().ok());
  };
  const int repeats = RepeatsFor(ThreadSeconds, 0.005, one_by_one);
  std::vector<double> ratios, alone;
  for (auto _ : state) {
    const double base = SecondsOfRun(ThreadSeconds, repeats, one_by_one);
    const double time = SecondsOfRun(ThreadSeconds, repeats, at_once);
    ratios.push_back(time / base);
    alone.push_back(base * 1e9 / static_cast<double>(streams));
    state.SetIterationTime(time);
  }
  state.counters["ratio"] = SpreadOf(ratios).median;
  state.counters["single_ns"] = SpreadOf(alone).median;
}

BENCHMARK(StepsByFace)
    ->ArgNames({"layers", "features", "units"})
    ->Args({1, 1, 8})
    ->Args({1, 1, 16})
    ->Args({1, 1, 32})
    ->Args({1, 1, 40})
    ->Args({1, 1, 64})
    ->Args({2, 128, 128})
    ->Iterations(31)  // rounds
    ->UseManualTime()
    ->Unit(benchmark::kNanosecond);
BENCHMARK(Latency)->ArgName("units")->Arg(16)->Arg(64)->Iterations(10)->Unit(
    benchmark::kMillisecond);
BENCHMARK(TogetherOverSingle)
    ->ArgNames({"streams", "together"})
    ->Args({64, 64})
    ->Args({10'000, 64})
    ->Args({10'000, 8})
    ->Iterations(31)  // pairs
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seqgraph
