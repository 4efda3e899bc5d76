// How long a model's check of itself takes when it is loaded.

#include <benchmark/benchmark.h>

#include <vector>

#include "training/self_tests.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

void BM_SelfTest(benchmark::State& state, bool one_hot, const char* function, bool gradients) {
  Model model = MakeTextModel({.one_hot = one_hot}).value();
  std::vector<int32_t> tokens(kSelfTestRows * 100), targets(kSelfTestRows, 1);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i * 37 % 500);
  const Examples examples{tokens, kSelfTestRows, 100, targets};
  const RunnerOptions options{.backend = "reference"};
  const auto inputs =
      SelfTestInputs(*model.FindFunction(function), examples, kSelfTestRows).value();
  const SelfTest test =
      MakeSelfTest(model, function, kSelfTestRows, inputs, gradients, options).value();
  for (auto _ : state) {
    const absl::Status status = RunSelfTests(model, {test}, options);
    if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  }
}
BENCHMARK_CAPTURE(BM_SelfTest, embedding, false, kPredict, false);
BENCHMARK_CAPTURE(BM_SelfTest, onehot, true, kPredict, false);
BENCHMARK_CAPTURE(BM_SelfTest, embedding_gradients, false, kEvaluate, true);
BENCHMARK_CAPTURE(BM_SelfTest, onehot_gradients, true, kEvaluate, true);

}  // namespace
}  // namespace seqgraph
