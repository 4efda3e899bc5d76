// Weights in fewer bits: where the pass puts RoundWeights, what it refuses, and that backends which
// then read fewer bits compute what the rewritten function says, in double, also after a weight has
// changed.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "graph/compare.h"
#include "graph/function_builder.h"
#include "graph/node_bounds.h"
#include "graph/op_def.h"
#include "graph/pass.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "runtime/compiled_function.h"
#include "tests/passes/pass_checks.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr WeightFormat kFormats[] = {WeightFormat::kBf16, WeightFormat::kInt8};
constexpr int64_t kBatchOfTest = 3, kSteps = 4;

Value Weights(FunctionBuilder& g, const std::string& name, const Shape& shape) {
  return g.Variable(name, shape, Initializer::Zeros());
}

// A table, a cell and a dense layer, so large that kernels read them in fewer bits.
Function Model(const std::string& cell) {
  constexpr int64_t kVocabulary = 300, kWidth = 20, kWide = 68, kOutputs = 70;
  FunctionBuilder g("predict", AllOps());
  const int64_t gates = cell == "lstm" ? 4 : cell == "rnn" ? 1 : 3;
  const Value ids = g.Input("ids", {DType::kInt32, {Dim::Batch(), kSteps}});
  const Value x = ops::Embedding(g, ids, Weights(g, "table", {kVocabulary, kWidth}));
  const Value w = Weights(g, "w", {kWidth, gates * kWide});
  const Value u = Weights(g, "u", {kWide, gates * kWide});
  const bool after = cell == "gru_after";
  const Value b = Weights(g, "b", after ? Shape{2, gates * kWide} : Shape{gates * kWide});
  const Value h = cell == "lstm" ? ops::LSTMCell(g, x, w, u, {.bias = b}).last
                  : cell == "rnn"
                      ? ops::RNNCell(g, x, w, u, {.bias = b}).last
                      : ops::GRUCell(g, x, w, u, {.bias = b, .reset_after = after}).last;
  const Value v = Weights(g, "v", {kWide, kOutputs});
  g.Result("y", ops::Dense(g, h, v, {.bias = Weights(g, "c", {kOutputs}), .activation = "tanh"}));
  return std::move(g).Build().value();
}

void Randomize(VariableStore& store, uint64_t seed) {
  SampleSource source(seed);
  for (const Variable& variable : store.all()) {
    const Shape& shape = variable.def.type.shape;
    const double limit = 1 / std::sqrt(static_cast<double>(shape[0].size()));
    SEQ_CHECK(
        store.Assign(variable.def.name, source.Reals(shape, -limit, limit).Cast(DType::kFloat32))
            .ok());
  }
}

class RoundWeightsTest : public testing::TestWithParam<const char*> {};

TEST_P(RoundWeightsTest, BackendsComputeTheRewrittenFunction) {
  const Function f = Model(GetParam());
  VariableStore store;
  for (const VariableRead& read : f.variables()) SEQ_ASSERT_OK(store.Declare(read.def));
  std::vector<int32_t> ids(kBatchOfTest * kSteps);
  std::iota(ids.begin(), ids.end(), 7);
  for (const std::string backend : {"simd", "onednn,simd", "reference"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList(backend));
    for (const WeightFormat format : kFormats) {
      SCOPED_TRACE(absl::StrCat(backend, ", ", WeightFormatName(format)));
      SEQ_ASSERT_OK_AND_ASSIGN(
          const auto compiled,
          CompiledFunction::Compile(
              f, AllOps(), &store,
              {.backends = backends, .batch = kBatchOfTest, .passes = PassesWithWeights(format)}));
      const Function& rewritten = compiled->function();
      EXPECT_EQ(CountOps(rewritten)["RoundWeights"], 4);  // table, w, u, v
      for (size_t n = 0; n < rewritten.nodes().size(); ++n) {
        const NodeAssignment& node = compiled->assignments()[n];
        EXPECT_TRUE(node.op != "RoundWeights" || compiled->constant_nodes()[n]) << node.node;
        const bool reads_weights =
            rewritten.nodes()[n].op->recurrence().has_value() || node.op == "Dense";
        if (backend == "reference" || !reads_weights) continue;
        EXPECT_TRUE(absl::StrContains(node.implementation,
                                      absl::StrCat(WeightFormatName(format), " weights")))
            << node.node << ": " << node.implementation;
      }
      SEQ_ASSERT_OK(compiled->SetInput(
          0, Tensor::Of<int32_t>({kBatchOfTest, kSteps}, absl::MakeConstSpan(ids))));
      for (const uint64_t seed : {1, 2}) {
        Randomize(store, seed);
        std::map<int, Tensor> given;
        given[rewritten.inputs()[0].index] =
            Tensor::Of<int32_t>({kBatchOfTest, kSteps}, absl::MakeConstSpan(ids));
        for (const VariableRead& read : rewritten.variables()) {
          given[read.value.index] = store.Find(read.def.name)->value.Cast(DType::kFloat64);
        }
        std::vector<int> nodes(rewritten.nodes().size());
        std::iota(nodes.begin(), nodes.end(), 0);
        SEQ_ASSERT_OK_AND_ASSIGN(const auto exact, EvaluateNodesInDouble(rewritten, nodes, given));
        const BoundedValue& want = exact.at(rewritten.results()[0].value.index);
        for (int call = 0; call < 2; ++call) {
          SEQ_ASSERT_OK(compiled->Run());
          const Tensor got = compiled->Result(0);
          const Comparison found = Compare(got, want.exact, want.bound);
          EXPECT_TRUE(found.within())
              << "seed " << seed << ", call " << call << ComparisonText(found, got.shape());
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RoundWeightsTest,
                         testing::Values("rnn", "lstm", "gru_after", "gru_before"),
                         [](const auto& info) { return std::string(info.param); });

// y = x w: each row of w is off by its own share, at most.
TEST(RoundWeights, MovesAProductByNoMoreThanItsTermsMayMove) {
  constexpr int64_t kInner = 80, kColumns = 64;
  FunctionBuilder g("predict", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), kInner}});
  g.Result("y", ops::Dense(g, x, Weights(g, "w", {kInner, kColumns})));
  const Function f = std::move(g).Build().value();
  VariableStore store;
  for (const VariableRead& read : f.variables()) SEQ_ASSERT_OK(store.Declare(read.def));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList("simd"));
  for (uint64_t seed = 20261128; seed < 20261133; ++seed) {
    Randomize(store, seed);
    SampleSource source(seed + 100);
    const Tensor input = source.Reals({2, kInner}).Cast(DType::kFloat32);
    std::vector<Tensor> y;
    for (const WeightFormat format :
         {WeightFormat::kFloat32, WeightFormat::kBf16, WeightFormat::kInt8}) {
      SEQ_ASSERT_OK_AND_ASSIGN(
          const auto compiled,
          CompiledFunction::Compile(
              f, AllOps(), &store,
              {.backends = backends, .batch = 2, .passes = PassesWithWeights(format)}));
      SEQ_ASSERT_OK(compiled->SetInput(0, input));
      SEQ_ASSERT_OK(compiled->Run());
      y.push_back(compiled->Result(0));
    }
    const auto w = store.Find("w")->value.Elements<float>();
    const auto a = input.Elements<float>();
    for (int64_t r = 0; r < 2; ++r) {
      for (int64_t j = 0; j < kColumns; ++j) {
        double largest = 0, inputs = 0, terms = 0;
        for (int64_t k = 0; k < kInner; ++k) {
          const double weight = std::abs(w[k * kColumns + j]),
                       element = std::abs(a[r * kInner + k]);
          largest = std::max(largest, weight);
          inputs += element;
          terms += element * weight;
        }
        const double sums = 1e-5 * terms;
        const int64_t at = r * kColumns + j;
        const auto moved = [&](int i) {
          return std::abs(y[i].Elements<float>()[at] - y[0].Elements<float>()[at]);
        };
        EXPECT_LE(moved(1), terms / 256 + sums) << "seed " << seed;
        EXPECT_LE(moved(2), inputs * largest / 253 + sums) << "seed " << seed;
        EXPECT_NE(moved(1) + moved(2), 0) << "seed " << seed;
      }
    }
  }
}

TEST(RoundWeights, LeavesFewWeightsAsTheyAre) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  g.Result("h", ops::RNNCell(g, ops::Embedding(g, l.ids, l.table), l.w, l.u).last);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function after,
                           RunPasses(std::move(g).Build().value(), AllOps(),
                                     PassesWithWeights(WeightFormat::kBf16, {})));
  EXPECT_EQ(CountOps(after)["RoundWeights"], 0);
}

TEST(RoundWeights, RefusesTraining) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const Value last = ops::RNNCell(g, ops::Embedding(g, l.ids, l.table), l.w, l.u).last;
  const Value loss = MeanSquare(g, last);
  const PassList passes = PassesWithWeights(WeightFormat::kInt8, {});
  EXPECT_THAT(RunPasses(WithGradients(std::move(g), loss), AllOps(), passes),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "function f is for training (it has gradients): weights in int8 are for "
                       "inference alone"));
  FunctionBuilder step("f", AllOps());
  const Value w = Weights(step, "w", {2, 2});
  step.Update("w", ops::Dense(step, w, w));
  EXPECT_THAT(RunPasses(std::move(step).Build().value(), AllOps(), passes),
              StatusIs(absl::StatusCode::kInvalidArgument, "it updates variables"));
}

}  // namespace
}  // namespace seqgraph
