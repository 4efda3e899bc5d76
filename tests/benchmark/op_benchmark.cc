// One op at a time at the sizes of the tutorial's training step: the backend simd against onednn.
// The two alternate in one process; "onednn/simd" is the median of the paired ratios of their
// times, the time shown is simd's.
//
//   bazel run //tests/benchmark:op_benchmark
//   SEQGRAPH_SIMD_TARGET=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 bazel run //tests/benchmark:op_benchmark

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "runtime/compiled_function.h"

namespace seqgraph {
namespace {

struct OpCase {
  std::string name;
  std::string op;
  Attributes attributes;
  std::vector<TensorType> inputs;
  int64_t rows = 0;  // that ids choose from
  int absent = 0;    // inputs at the end
};

TensorType Reals(Shape shape) { return {DType::kFloat32, std::move(shape)}; }

std::vector<OpCase> Cases() {
  constexpr int64_t kBatch = 64, kTime = 100, kRows = 500;
  const TensorType ids{DType::kInt32, Shape{kBatch, kTime}};
  const TensorType table = Reals({kRows, 16}), scalar = Reals({}),
                   state = Reals({kBatch, kTime, 8});
  const TensorType x = Reals({kBatch, kTime, 16}), w = Reals({16, 8}), column = Reals({kBatch, 1});
  return {
      {"embedding", "Embedding", {}, {ids, table}, kRows},
      {"embedding_grad", "EmbeddingGrad", {{"rows", kRows}}, {ids, x}, kRows},
      {"projection", "Dense", {}, {x, w, Reals({8})}},
      {"projection_grad", "DenseGrad", {}, {x, w, state}},
      {"head", "Dense", {}, {Reals({kBatch, 8}), Reals({8, 1}), Reals({1})}},
      {"head_grad", "DenseGrad", {}, {Reals({kBatch, 8}), Reals({8, 1}), column}},
      {"square", "Dense", {}, {Reals({512, 512}), Reals({512, 512}), Reals({512})}},
      {"loss", "BCEWithLogits", {}, {column, column}},
      {"loss_grad", "BCEWithLogitsGrad", {}, {column, column, scalar}},
      {"tanh", "Tanh", {}, {state}},
      {"sigmoid", "Sigmoid", {}, {state}},
      {"rmsprop", "RMSPropUpdate", {}, {table, table, scalar, table}, 0, 2},
  };
}

// The op alone on one backend.
class OpRun {
 public:
  OpRun(const OpCase& c, const char* backend) {
    FunctionBuilder g("op", AllOps());
    std::vector<Value> inputs;
    for (const TensorType& type : c.inputs) {
      inputs.push_back(g.Input("x" + std::to_string(inputs.size()), type));
    }
    inputs.resize(inputs.size() + c.absent);
    const std::vector<Value> outputs = g.AddNode(c.op, inputs, c.attributes);
    for (size_t o = 0; o < outputs.size(); ++o) g.Result("y" + std::to_string(o), outputs[o]);
    const auto function = std::move(g).Build();
    SEQ_CHECK(function.ok());
    CompileOptions options;
    options.backends = *AllBackends().ParseList(backend);
    auto compiled = CompiledFunction::Compile(*function, AllOps(), &store_, options);
    SEQ_CHECK(compiled.ok());
    compiled_ = *std::move(compiled);
    SampleSource source(/*seed=*/1);
    for (size_t i = 0; i < function->inputs().size(); ++i) {
      const TensorType& type = function->type(function->inputs()[i]);
      const Tensor content = type.dtype == DType::kInt32
                                 ? source.Indices(type.shape, c.rows)
                                 : source.Reals(type.shape, 0, 1).Cast(DType::kFloat32);
      SEQ_CHECK(compiled_->SetInput(static_cast<int>(i), content).ok());
    }
  }

  double Seconds(int repeats) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) SEQ_CHECK(compiled_->Run().ok());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  VariableStore store_;
  std::unique_ptr<CompiledFunction> compiled_;
};

void OnednnOverSimd(benchmark::State& state, const OpCase& c) {
  omp_set_num_threads(1);
  OpRun simd(c, "simd"), onednn(c, "onednn");
  const int repeats = std::max(1, static_cast<int>(2e-3 / (onednn.Seconds(3) / 3)));
  std::vector<double> ratios;
  for (auto _ : state) {
    const double theirs = onednn.Seconds(repeats), ours = simd.Seconds(repeats);
    ratios.push_back(theirs / ours);
    state.SetIterationTime(ours / repeats);
  }
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<int64_t>(ratios.size() / 2),
                   ratios.end());
  state.counters["onednn/simd"] = ratios[ratios.size() / 2];
}

const bool kRegistered = [] {
  for (const OpCase& c : Cases()) {
    benchmark::RegisterBenchmark(c.name.c_str(),
                                 [c](benchmark::State& state) { OnednnOverSimd(state, c); })
        ->UseManualTime()
        ->Iterations(50)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace seqgraph
