// A masked classifier of three classes on each gated cell, with dropout inside and softmax at the
// end: it trains on `onednn` alone and on `simd,onednn`, to the same bits each time, and a step
// allocates nothing of ours.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "ops/all_ops.h"
#include "ops/cross_entropy.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "runtime/compiled_function.h"
#include "tests/allocations/allocation_counter.h"
#include "tests/testing.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

constexpr int64_t kBatch = 12, kTime = 9, kWords = 20, kUnits = 10, kClasses = 3;

// The state after all steps; adds the weights by name.
Value Cell(FunctionBuilder& g, const std::string& cell, Value x, Value mask,
           std::map<std::string, Value>& weights) {
  const int64_t columns = (cell == "LSTMCell" ? 4 : cell == "GRUCell" ? 3 : 1) * kUnits;
  const Value w = g.Variable("kernel", {kUnits, columns}, Initializer::GlorotUniform());
  const Value u = g.Variable("recurrent_kernel", {kUnits, columns}, Initializer::Orthogonal());
  weights["kernel"] = w;
  weights["recurrent_kernel"] = u;
  const Value dropout = g.Input("dropout", {DType::kFloat32, {Dim::Batch(), columns}});
  if (cell == "LSTMCell") {
    return ops::LSTMCell(g, x, w, u, {.mask = mask, .recurrent_dropout = dropout}).last;
  }
  if (cell == "GRUCell") {
    return ops::GRUCell(g, x, w, u, {.mask = mask, .recurrent_dropout = dropout}).last;
  }
  return ops::RNNCell(g, x, w, u, {.mask = mask, .recurrent_dropout = dropout, .reverse = true})
      .last;
}

absl::StatusOr<Function> Classifier(const std::string& cell) {
  FunctionBuilder g("train_step", AllOps());
  const Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), kTime}});
  const Value labels = g.Input("labels", {DType::kInt32, {Dim::Batch()}});
  std::map<std::string, Value> weights;
  const Value table = weights["table"] =
      g.Variable("table", {kWords, kUnits}, Initializer::Uniform(0.5));
  const Value h = Cell(g, cell, ops::Embedding(g, tokens, table), tokens, weights);
  const Value dense = weights["dense"] =
      g.Variable("dense", {kUnits, kClasses}, Initializer::GlorotUniform());
  const Value loss =
      ops::SparseSoftmaxCrossEntropyWithLogits(g, ops::Dense(g, h, dense, {}), labels);
  const Value lr = g.Input("lr", {DType::kFloat32, {}});
  std::vector<Value> wrt;
  for (const auto& [name, weight] : weights) wrt.push_back(weight);
  SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g, loss, wrt));
  size_t i = 0;
  for (const auto& [name, weight] : weights) {
    g.Update(name, g.AddNode("SGDUpdate", {weight, gradients[i++], lr})[0]);
  }
  g.Result("loss", loss);
  return std::move(g).Build();
}

class ClassifierTest : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  // The losses of 60 steps on one batch.
  std::vector<float> Train(const std::string& backend_list) {
    std::vector<float> losses;
    const auto function = Classifier(std::get<0>(GetParam()));
    const auto backends = AllBackends().ParseList(backend_list);
    VariableStore store;
    SEQ_CHECK(function.ok() && backends.ok());
    for (const VariableRead& read : function->variables()) {
      SEQ_CHECK(store.Declare(read.def).ok());
    }
    SEQ_CHECK(InitializeVariables(3, store).ok());
    auto step = CompiledFunction::Compile(
        *function, AllOps(), &store,
        {.backends = *backends, .batch = kBatch, .passes = StandardPasses()});
    SEQ_CHECK(step.ok());
    const auto input = [&](const char* name) { return (*step)->input((*step)->FindInput(name)); };
    for (int64_t i = 0; i < kBatch * kTime; ++i) {  // zeros pad, some rows in front
      const int64_t row = i / kTime, t = i % kTime;
      const bool padded = row % 2 == 0 ? t < row / 2 : t > kTime - row / 2;
      static_cast<int32_t*>(input("tokens"))[i] =
          padded ? 0 : static_cast<int32_t>(1 + (7 * i + row) % (kWords - 1));
    }
    for (int64_t i = 0; i < kBatch; ++i) {
      static_cast<int32_t*>(input("labels"))[i] = static_cast<int32_t>(i % kClasses);
    }
    const Function& bound = (*step)->function();
    const int64_t factors = bound.type(bound.FindValue("dropout")).shape.num_elements();
    for (int64_t i = 0; i < factors; ++i) {
      static_cast<float*>(input("dropout"))[i] = i % 4 == 0 ? 0.0f : 4.0f / 3;
    }
    *static_cast<float*>(input("lr")) = 0.3f;
    losses.reserve(60);
    int64_t before = 0;
    for (int i = 0; i < 60; ++i) {
      if (i == 1) before = CountAllocations().ours;
      SEQ_CHECK((*step)->Run().ok());
      losses.push_back(*static_cast<const float*>((*step)->result(0)));
    }
    growth_ = CountAllocations().ours - before;
    return losses;
  }

  int64_t growth_ = 0;
};

TEST_P(ClassifierTest, TrainsAsTheReferenceDoesToTheSameBitsWithoutAllocations) {
  const std::vector<float> losses = Train(std::get<1>(GetParam()));
  if (AllocationsAreCounted()) {
    EXPECT_EQ(growth_, 0);
  }
  EXPECT_NEAR(losses.front(), 1.1, 0.3);  // log 3, before it knows anything
  EXPECT_LT(losses.back(), 0.9f * losses.front());
  EXPECT_EQ(Train(std::get<1>(GetParam())), losses);
  const std::vector<float> reference = Train("reference");
  for (size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(losses[i], reference[i], 1e-4) << "step " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, ClassifierTest,
                         testing::Combine(testing::Values("RNNCell", "LSTMCell", "GRUCell"),
                                          testing::Values("onednn", "simd,onednn")));

}  // namespace
}  // namespace seqgraph
