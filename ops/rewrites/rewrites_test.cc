// Each rewrite against the function as it was: results and gradients in float64 on random data.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/rewrite.h"
#include "graph/testing/functions.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/bce.h"
#include "ops/cross_entropy.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/one_hot.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "ops/softmax.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int64_t kBatch = 4, kTime = 3, kWords = 6, kUnits = 2;

std::map<std::string, int> CountsByName(const std::vector<RewriteCount>& counts) {
  std::map<std::string, int> by_name;
  for (const RewriteCount& count : counts) {
    if (count.count > 0) by_name[count.name] = count.count;
  }
  return by_name;
}

TensorMap FeedsOf(const Function& function) {
  return RandomFeeds(function, {.seed = 7, .index_limit = kWords, .batch = kBatch});
}

// The function with the gradient of its result "loss" by each variable as further results
// "d_<variable>", for a fixed batch, in float64.
Function WithGradients(const Function& function) {
  FunctionBuilder g(function.name(), AllOps(), function);
  std::vector<Value> variables;
  for (const VariableRead& read : function.variables()) variables.push_back(read.value);
  const absl::StatusOr<std::vector<Value>> gradients =
      AddGradients(g, function.FindResult("loss"), variables);
  SEQ_CHECK(gradients.ok());
  for (size_t i = 0; i < variables.size(); ++i) {
    g.Result("d_" + function.variables()[i].def.name, (*gradients)[i]);
  }
  absl::StatusOr<Function> built = std::move(g).Build();
  SEQ_CHECK(built.ok());
  absl::StatusOr<Function> bound = BindBatch(*built, AllOps(), kBatch);
  SEQ_CHECK(bound.ok());
  absl::StatusOr<Function> real = WithRealType(*bound, AllOps(), DType::kFloat64);
  SEQ_CHECK(real.ok());
  return *std::move(real);
}

// Rewrites the function and expects the same results and gradients within `bound`, relative to the
// largest magnitude in each tensor. Gives the rewritten function.
Function ExpectSame(const Function& function, const std::map<std::string, int>& expected_counts,
                    double bound) {
  std::vector<RewriteCount> counts;
  absl::StatusOr<Function> rewritten =
      ApplyRewrites(function, AllOps(), StandardRewrites(), &counts);
  SEQ_CHECK(rewritten.ok());
  EXPECT_EQ(CountsByName(counts), expected_counts);
  const TensorMap feeds = FeedsOf(function);
  const absl::StatusOr<TensorMap> before = Evaluate(WithGradients(function), feeds);
  const absl::StatusOr<TensorMap> after = Evaluate(WithGradients(*rewritten), feeds);
  EXPECT_TRUE(before.ok()) << before.status();
  EXPECT_TRUE(after.ok()) << after.status();
  if (!before.ok() || !after.ok()) return *std::move(rewritten);
  EXPECT_EQ(before->size(), after->size());
  for (const auto& [name, tensor] : *before) {
    EXPECT_LE(RelativeError(after->at(name), tensor), bound) << name;
    EXPECT_GT(LargestFiniteMagnitude(tensor), 0) << name << " says nothing";
  }
  return *std::move(rewritten);
}

// The classifier on one-hot input: ids -> OneHot -> RNNCell -> Dense with sigmoid -> BCE.
Function OneHotClassifier(bool with_probability) {
  FunctionBuilder g("loss", AllOps());
  const Value ids = g.Input("ids", {DType::kInt32, {Dim::Batch(), kTime}});
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch(), 1}});
  const Value w = g.Variable("w", {kWords, kUnits}, Initializer::GlorotUniform());
  const Value u = g.Variable("u", {kUnits, kUnits}, Initializer::GlorotUniform());
  const Value b = g.Variable("b", {kUnits}, Initializer::Zeros());
  const Value v = g.Variable("v", {kUnits, 1}, Initializer::GlorotUniform());
  const Value c = g.Variable("c", {1}, Initializer::Zeros());
  const Value one_hot = ops::OneHot(g, ids, kWords);
  const Value last = ops::RNNCell(g, one_hot, w, u, {.bias = b}).last;
  const Value p = ops::Dense(g, last, v, {.bias = c, .activation = "sigmoid", .name = "dense"});
  g.Result("loss", ops::BCE(g, p, labels));
  if (with_probability) g.Result("probability", p);
  absl::StatusOr<Function> function = std::move(g).Build();
  SEQ_CHECK(function.ok());
  return *std::move(function);
}

TEST(Rewrites, OneHotInputOfRNNCellBecomesALookupOfProjectedRows) {
  const Function rewritten = ExpectSame(
      OneHotClassifier(/*with_probability=*/false),
      {{"rnn_cell_one_hot_to_lookup", 1}, {"split_dense_sigmoid", 1}, {"sigmoid_bce_to_logits", 1}},
      1e-14);
  EXPECT_EQ(CountOps(rewritten),
            (std::map<std::string, int>{
                {"Embedding", 1}, {"RNNCell", 1}, {"Dense", 1}, {"BCEWithLogits", 1}}));
}

TEST(Rewrites, AProbabilityThatIsReadOtherwiseStaysAsSigmoidOfTheSameLogits) {
  const Function rewritten = ExpectSame(
      OneHotClassifier(/*with_probability=*/true),
      {{"rnn_cell_one_hot_to_lookup", 1}, {"split_dense_sigmoid", 1}, {"sigmoid_bce_to_logits", 1}},
      1e-14);
  const Node* sigmoid = rewritten.producer(rewritten.FindResult("probability"));
  const Node* loss = rewritten.producer(rewritten.FindResult("loss"));
  ASSERT_NE(sigmoid, nullptr);
  EXPECT_EQ(sigmoid->op->name(), "Sigmoid");
  EXPECT_EQ(sigmoid->inputs[0], loss->inputs[0]);
}

TEST(Rewrites, OneHotInputOfDenseBecomesALookupPlusBias) {
  for (const char* activation : {"none", "tanh", "sigmoid"}) {
    SCOPED_TRACE(activation);
    FunctionBuilder g("loss", AllOps());
    const Value ids = g.Input("ids", {DType::kInt32, {Dim::Batch(), kTime}});
    const Value w = g.Variable("w", {kWords, kUnits}, Initializer::GlorotUniform());
    const Value b = g.Variable("b", {kUnits}, Initializer::Zeros());
    const Value y =
        ops::Dense(g, ops::OneHot(g, ids, kWords), w, {.bias = b, .activation = activation});
    g.Result("loss", ops::ReduceMean(g, ops::Multiply(g, y, y), {.axes = {0, 1, 2}}));
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
    const Function rewritten = ExpectSame(function, {{"dense_one_hot_to_lookup", 1}}, 1e-14);
    EXPECT_EQ(CountOps(rewritten).count("OneHot"), 0);
    EXPECT_EQ(CountOps(rewritten).count("Dense"), 0);
  }
}

TEST(Rewrites, BCEOfASigmoidOpGoesToLogits) {
  FunctionBuilder g("loss", AllOps());
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch()}});
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 3}});
  const Value w = g.Variable("w", {3, 1}, Initializer::GlorotUniform());
  const Value z = ops::ReduceSum(g, ops::Dense(g, x, w), {.axes = {1}});
  g.Result("loss", ops::BCE(g, ops::Sigmoid(g, z), labels));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  const Function rewritten = ExpectSame(function, {{"sigmoid_bce_to_logits", 1}}, 1e-14);
  EXPECT_EQ(CountOps(rewritten).count("Sigmoid"), 0);
}

TEST(Rewrites, BCEKeepsItsWeightsOnLogits) {
  FunctionBuilder g("loss", AllOps());
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch(), 1}});
  const Value weights = g.Input("weights", {DType::kFloat32, {Dim::Batch()}});
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 3}});
  const Value w = g.Variable("w", {3, 1}, Initializer::GlorotUniform());
  const Value p = ops::Dense(g, x, w, {.activation = "sigmoid"});
  g.Result("loss", ops::BCE(g, p, labels, {.weights = weights}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  ExpectSame(function, {{"split_dense_sigmoid", 1}, {"sigmoid_bce_to_logits", 1}}, 1e-14);
}

// The classifier of three classes: Softmax, and a loss that clips at `epsilon`.
Function SoftmaxClassifier(double epsilon) {
  FunctionBuilder g("loss", AllOps());
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch(), 3}});
  const Value weights = g.Input("weights", {DType::kFloat32, {Dim::Batch()}});
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 2}});
  const Value w = g.Variable("w", {2, 3}, Initializer::GlorotUniform());
  const Value p = ops::Softmax(g, ops::Dense(g, x, w));
  g.Result("loss",
           ops::CategoricalCrossEntropy(g, p, labels, {.weights = weights, .epsilon = epsilon}));
  absl::StatusOr<Function> function = std::move(g).Build();
  SEQ_CHECK(function.ok());
  return *std::move(function);
}

TEST(Rewrites, CategoricalCrossEntropyOfASoftmaxGoesToLogits) {
  const Function rewritten =
      ExpectSame(SoftmaxClassifier(1e-7), {{"softmax_cce_to_logits", 1}}, 1e-14);
  EXPECT_EQ(CountOps(rewritten),
            (std::map<std::string, int>{{"Dense", 1}, {"SoftmaxCrossEntropyWithLogits", 1}}));
  ExpectSame(SoftmaxClassifier(1e-3), {}, 0);
}

TEST(Rewrites, LeaveAloneWhatIsNotOneHotAndWhatBCEDoesNotRead) {
  FunctionBuilder g("loss", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), kTime, kWords}});
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch(), 1}});
  const Value w = g.Variable("w", {kWords, kUnits}, Initializer::GlorotUniform());
  const Value u = g.Variable("u", {kUnits, kUnits}, Initializer::GlorotUniform());
  const Value v = g.Variable("v", {kUnits, 1}, Initializer::GlorotUniform());
  const Value last = ops::RNNCell(g, x, w, u).last;
  // Probabilities as labels are not p, and tanh is no sigmoid.
  const Value soft_labels =
      ops::Dense(g, last, v, {.activation = "sigmoid", .name = "soft_labels"});
  const Value p = ops::Dense(g, last, v, {.activation = "tanh"});
  g.Result("loss", ops::BCE(g, p, soft_labels));
  g.Result("labels", labels);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function rewritten,
                           ApplyRewrites(function, AllOps(), StandardRewrites(), &counts));
  EXPECT_EQ(CountsByName(counts), (std::map<std::string, int>{}));
  EXPECT_EQ(CountOps(rewritten), CountOps(function));
}

TEST(Rewrites, AnIdOutOfRangeIsAnErrorInBothForms) {
  const Function function = OneHotClassifier(/*with_probability=*/false);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function rewritten,
                           ApplyRewrites(function, AllOps(), StandardRewrites()));
  TensorMap feeds = FeedsOf(function);
  feeds["ids"].Elements<int32_t>()[kTime + 1] = kWords;
  for (const Function* form : {&function, &rewritten}) {
    EXPECT_THAT(Evaluate(WithGradients(*form), feeds),
                StatusIs(absl::StatusCode::kInvalidArgument, "ids[1, 1] is 6"));
  }
}

TEST(Rewrites, ABCEThatMeansToClipStays) {
  FunctionBuilder g("loss", AllOps());
  const Value labels = g.Input("labels", {DType::kFloat32, {Dim::Batch()}});
  const Value z = g.Input("z", {DType::kFloat32, {Dim::Batch()}});
  g.Result("loss", g.AddNode("BCE", {ops::Sigmoid(g, z), labels}, {{"epsilon", 0.1}})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function rewritten,
                           ApplyRewrites(function, AllOps(), StandardRewrites()));
  EXPECT_EQ(CountOps(rewritten), CountOps(function));
}

TEST(Rewrites, SaturatedLogitsKeepTheirGradient) {
  FunctionBuilder g("loss", AllOps());
  const Value labels = g.Input("labels", {DType::kFloat32, {kBatch}});
  const Value z = g.Variable("z", {kBatch}, Initializer::Zeros());
  g.Result("loss", ops::BCE(g, ops::Sigmoid(g, z), labels));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function rewritten,
                           ApplyRewrites(function, AllOps(), StandardRewrites()));
  const TensorMap feeds = {{"labels", Tensor::Of<double>({kBatch}, {0, 1, 0, 1})},
                           {"z", Tensor::Of<double>({kBatch}, {40, -40, -40, 40})}};
  SEQ_ASSERT_OK_AND_ASSIGN(TensorMap clipped, Evaluate(WithGradients(function), feeds));
  SEQ_ASSERT_OK_AND_ASSIGN(TensorMap exact, Evaluate(WithGradients(rewritten), feeds));
  // BCE clips: (2 * -log(1e-7) + 2 * -log(1 - 1e-7)) / 4, gradient 0. On logits: (40 + 40) / 4, and
  // (sigmoid(z) - y) / 4.
  EXPECT_NEAR(clipped["loss"].Elements<double>()[0], 8.059047875479163, 1e-6);
  EXPECT_EQ(LargestFiniteMagnitude(clipped["d_z"]), 0);
  EXPECT_NEAR(exact["loss"].Elements<double>()[0], 20, 1e-12);
  EXPECT_LE(RelativeError(exact["d_z"], Tensor::Of<double>({kBatch}, {0.25, -0.25, 0, 0})), 1e-15);
}

}  // namespace
}  // namespace seqgraph
