#include "backends/simd/simd_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/kernels/target.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/op_def.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/bce.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/reductions.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kBatch = 512, kTime = 40, kRows = 100, kWidth = 24, kUnits = 33;

// Mean of looked-up rows, two layers, loss, and the gradients of table and weights: large enough
// that every kernel that can use threads does.
absl::StatusOr<Function> Network() {
  FunctionBuilder g("network", AllOps());
  const Value ids = g.Input("ids", {DType::kInt32, Shape{kBatch, kTime}});
  const Value labels = g.Input("labels", {DType::kFloat32, Shape{kBatch, 1}});
  const Value table = g.Input("table", {DType::kFloat32, Shape{kRows, kWidth}});
  const Value w1 = g.Input("w1", {DType::kFloat32, Shape{kWidth, kUnits}});
  const Value w2 = g.Input("w2", {DType::kFloat32, Shape{kUnits, 1}});
  const Value rows = ops::Dense(g, ops::Embedding(g, ids, table), w1, {.activation = "tanh"});
  const Value mean = ops::ReduceMean(g, rows, {.axes = {1}});
  const Value loss = ops::BCEWithLogits(g, ops::Dense(g, mean, w2), labels);
  const auto gradients = AddGradients(g, loss, {table, w1, w2});
  if (!gradients.ok()) return gradients.status();
  g.Result("loss", loss);
  const char* const names[] = {"d_table", "d_w1", "d_w2"};
  for (int i = 0; i < 3; ++i) g.Result(names[i], (*gradients)[i]);
  return std::move(g).Build();
}

std::map<std::string, Tensor> ResultsOn(const Function& function, const Backend& backend,
                                        int threads) {
  VariableStore store;
  CompileOptions options;
  options.backends = {&backend};
  options.threads = threads;
  auto compiled = CompiledFunction::Compile(function, AllOps(), &store, options);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  if (!compiled.ok()) return {};
  SampleSource source(/*seed=*/7);
  for (int i = 0; i < 5; ++i) {
    const TensorType& type = function.type(function.inputs()[i]);
    const Tensor content = type.dtype == DType::kInt32
                               ? source.Indices(type.shape, kRows)
                               : source.Reals(type.shape, 0, 1).Cast(DType::kFloat32);
    EXPECT_TRUE((*compiled)->SetInput(i, content).ok());
  }
  EXPECT_TRUE((*compiled)->Run().ok());
  std::map<std::string, Tensor> results;
  for (size_t i = 0; i < function.results().size(); ++i) {
    results[function.results()[i].name] = (*compiled)->Result(static_cast<int>(i));
  }
  return results;
}

class SimdBackend : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SEQ_ASSERT_OK(kernels::ForceTarget(GetParam())); }
  void TearDown() override { SEQ_ASSERT_OK(kernels::ForceTarget("")); }
};

TEST_P(SimdBackend, NamesTheTargetInUse) {
  const auto backend = MakeSimdBackend();
  EXPECT_EQ(backend->info().name, "simd");
  EXPECT_THAT(backend->info().version, HasSubstr("Highway 1."));
  EXPECT_THAT(backend->info().description, HasSubstr(GetParam()));
}

TEST_P(SimdBackend, AnyNumberOfThreadsGivesTheSameBits) {
  const auto backend = MakeSimdBackend();
  SEQ_ASSERT_OK_AND_ASSIGN(const Function network, Network());
  const auto one = ResultsOn(network, *backend, 1);
  ASSERT_EQ(one.size(), 4u);
  for (int threads : {2, 3}) {
    for (const auto& [name, tensor] : ResultsOn(network, *backend, threads)) {
      EXPECT_TRUE(tensor.BitwiseEquals(one.at(name))) << name << ", " << threads << " threads";
    }
  }
}

TEST_P(SimdBackend, RunsDoublesByDefinitionAndSaysWhatItHas) {
  const auto backend = MakeSimdBackend();
  FunctionBuilder g("doubles", AllOps());
  const Value x = g.Input("x", {DType::kFloat64, Shape{3}});
  g.Result("y", ops::Tanh(g, x));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  const Claim claim = backend->ClaimFunction(function).nodes[0];
  EXPECT_EQ(claim.reason, ClaimReason::kByDefinition);
  EXPECT_THAT(claim.text, HasSubstr("float32"));
}

INSTANTIATE_TEST_SUITE_P(Targets, SimdBackend, ::testing::ValuesIn(kernels::SupportedTargets()),
                         [](const auto& info) { return info.param; });

TEST(SimdBackendDeathTest, AForcedTargetThatIsNotThereMakesItRefuseEveryNode) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        setenv(kernels::kTargetVariable, "AVX1024", 1);
        const auto backend = MakeSimdBackend();
        const auto network = Network();
        const Claim claim = backend->ClaimFunction(*network).nodes[0];
        std::fputs(claim.text.c_str(), stderr);
        std::exit(claim.claimed() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "SEQGRAPH_SIMD_TARGET: no SIMD target 'AVX1024'");
}

}  // namespace
}  // namespace seqgraph
