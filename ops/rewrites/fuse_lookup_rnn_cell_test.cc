// The fused function against the function as it was: every result and gradient, bit for bit, since
// the reference does the same operations in the same order.

#include "ops/rewrites/fuse_lookup_rnn_cell.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/op_def.h"
#include "graph/rewrite.h"
#include "graph/testing/functions.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/reductions.h"
#include "ops/rnn_cell.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr int64_t kBatch = 4, kTime = 5, kWords = 3, kUnits = 2;

TensorMap FeedsOf(const Function& function) {
  return RandomFeeds(function, {.seed = 11, .index_limit = kWords});
}

// loss = mean(h_last^2) + mean(sequence^2) of a recurrence over looked-up rows.
struct Recurrence {
  FunctionBuilder g{"loss", AllOps()};
  Value ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
  Value table = g.Variable("table", {kWords, kUnits}, Initializer::Zeros());
  Value u = g.Variable("u", {kUnits, kUnits}, Initializer::Zeros());
  Value b = g.Variable("b", {kUnits}, Initializer::Zeros());
  Value h0 = g.Variable("h0", {kBatch, kUnits}, Initializer::Zeros());
  Value rows = ops::Embedding(g, ids, table);
  ops::RNNCellOutputs h;
  Value loss;

  Recurrence() : Recurrence(Value{}) {}
  explicit Recurrence(Value w, const std::string& activation = "tanh") {
    h = ops::RNNCell(g, rows, w, u, {.bias = b, .initial_state = h0, .activation = activation});
    loss =
        ops::Add(g, ops::ReduceMean(g, ops::Multiply(g, h.last, h.last), {.axes = {0, 1}}),
                 ops::ReduceMean(g, ops::Multiply(g, h.sequence, h.sequence), {.axes = {0, 1, 2}}));
    g.Result("loss", loss);
  }

  std::vector<Value> Gradients(const std::vector<Value>& wrt) {
    const absl::StatusOr<std::vector<Value>> gradients = AddGradients(g, loss, wrt);
    SEQ_CHECK(gradients.ok());
    for (size_t i = 0; i < wrt.size(); ++i) g.Result(absl::StrCat("d", i), (*gradients)[i]);
    return *gradients;
  }

  Function Build() {
    absl::StatusOr<Function> built = std::move(g).Build();
    SEQ_CHECK(built.ok());
    absl::StatusOr<Function> real = WithRealType(*built, AllOps(), DType::kFloat64);
    SEQ_CHECK(real.ok());
    return *std::move(real);
  }
};

// Fuses, expects the same bits, and gives the fused function.
Function Fused(const Function& function, int forward, int backward) {
  std::vector<RewriteCount> counts;
  const std::vector<Rewrite> rules = {ops::FuseLookupRNNCell(), ops::FuseLookupRNNCellGrad()};
  absl::StatusOr<Function> fused = ApplyRewrites(function, AllOps(), rules, &counts);
  SEQ_CHECK(fused.ok());
  EXPECT_EQ(counts[0].count, forward);
  EXPECT_EQ(counts[1].count, backward);
  const TensorMap feeds = FeedsOf(function);
  const absl::StatusOr<TensorMap> before = Evaluate(function, feeds);
  const absl::StatusOr<TensorMap> after = Evaluate(*fused, feeds);
  EXPECT_TRUE(before.ok()) << before.status();
  EXPECT_TRUE(after.ok()) << after.status();
  if (!before.ok() || !after.ok()) return *std::move(fused);
  EXPECT_EQ(before->size(), after->size());
  for (const auto& [name, tensor] : *before) {
    EXPECT_EQ(RelativeError(after->at(name), tensor), 0) << name;
    EXPECT_GT(LargestFiniteMagnitude(tensor), 0) << name << " says nothing";
  }
  return *std::move(fused);
}

TEST(FuseLookupRNNCell, ForwardAndAllGradientsBecomeTwoNodes) {
  for (const char* activation : {"tanh", "relu", "sigmoid"}) {
    SCOPED_TRACE(activation);
    Recurrence r(Value{}, activation);
    r.Gradients({r.table, r.u, r.b, r.h0});
    const Function fused = Fused(r.Build(), 1, 1);
    const auto ops = CountOps(fused);
    EXPECT_EQ(ops.at("LookupRNNCell"), 1);
    EXPECT_EQ(ops.at("LookupRNNCellGrad"), 1);
    for (const char* gone : {"Embedding", "EmbeddingGrad", "RNNCell", "RNNCellGrad"}) {
      EXPECT_EQ(ops.count(gone), 0) << gone;
    }
  }
}

TEST(FuseLookupRNNCell, AFrozenRecurrenceGivesTheTableItsGradient) {
  Recurrence r;
  r.Gradients({r.table});
  const auto ops = CountOps(Fused(r.Build(), 1, 1));
  EXPECT_EQ(ops.at("LookupRNNCellGrad"), 1);
  EXPECT_EQ(ops.count("RNNCellGrad"), 0);
}

TEST(FuseLookupRNNCell, AFrozenTableIsLeftOut) {
  Recurrence r;
  r.Gradients({r.u});
  const auto ops = CountOps(Fused(r.Build(), 1, 1));
  EXPECT_EQ(ops.at("LookupRNNCellGrad"), 1);
  EXPECT_EQ(ops.count("RNNCellGrad"), 0);
}

TEST(FuseLookupRNNCell, AGradientOfTheLookedUpRowsThatIsReadKeepsBothNodes) {
  Recurrence r;
  r.Gradients({r.table, r.u, r.rows});
  const auto ops = CountOps(Fused(r.Build(), 0, 0));
  EXPECT_EQ(ops.count("LookupRNNCellGrad"), 0);
  EXPECT_EQ(ops.at("RNNCellGrad"), 1);
}

TEST(FuseLookupRNNCell, OtherIdsAndAnotherRowCountAreAnotherTable) {
  for (const int64_t rows : {kWords, kWords + 1}) {
    Recurrence r;
    const Value d_rows = r.Gradients({r.rows, r.u})[0];
    const Value other =
        rows == kWords ? r.g.Input("other", {DType::kInt32, {kBatch, kTime}}) : r.ids;
    r.g.Result("elsewhere", ops::EmbeddingGrad(r.g, other, d_rows, rows));
    Fused(r.Build(), 0, 0);
  }
}

TEST(FuseLookupRNNCell, GatedCellsAreFusedWithAllThatTheyHave) {
  for (const std::string name : {"LSTMCell", "GRUCell"}) {
    for (const bool everything : {false, true}) {
      SCOPED_TRACE(absl::StrCat(name, everything ? " with everything" : ""));
      const OpDef& cell = *AllOps().Find(name);
      const int64_t columns = cell.recurrence()->gates() * kUnits;
      FunctionBuilder g("loss", AllOps());
      std::vector<Value> variables;
      const auto variable = [&](const std::string& input, Shape shape) {
        variables.push_back(g.Variable(input, std::move(shape), Initializer::Zeros()));
        return variables.back();
      };
      const Value ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
      std::vector<Value> inputs(cell.inputs().size());
      inputs[cell.FindInput("x")] = ops::Embedding(g, ids, variable("table", {kWords, columns}));
      inputs[cell.FindInput("u")] = variable("u", {kUnits, columns});
      if (everything) {
        const bool lstm = cell.FindInput("c0") >= 0;
        inputs[cell.FindInput("b")] = variable("b", lstm ? Shape{columns} : Shape{2, columns});
        inputs[cell.FindInput("h0")] = variable("h0", {kBatch, kUnits});
        if (lstm) inputs[cell.FindInput("c0")] = variable("c0", {kBatch, kUnits});
        inputs[cell.FindInput("mask")] = ids;
        inputs[cell.FindInput("recurrent_dropout")] =
            g.Input("dropout", {DType::kFloat32, {kBatch, columns}});
      }
      const std::vector<Value> h = g.AddNode(
          name, inputs, {{"reverse", everything}, {"activation", everything ? "sigmoid" : "tanh"}});
      Value loss = ops::ReduceMean(g, ops::Multiply(g, h[0], h[0]), {.axes = {0, 1, 2}});
      for (size_t o = 1; everything && o < h.size(); ++o) {
        loss = ops::Add(g, loss, ops::ReduceMean(g, h[o], {.axes = {0, 1}}));
      }
      g.Result("loss", loss);
      SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> d, AddGradients(g, loss, variables));
      for (size_t i = 0; i < d.size(); ++i) g.Result(absl::StrCat("d", i), d[i]);
      SEQ_ASSERT_OK_AND_ASSIGN(const Function built, std::move(g).Build());
      SEQ_ASSERT_OK_AND_ASSIGN(const Function function,
                               WithRealType(built, AllOps(), DType::kFloat64));
      const auto ops = CountOps(Fused(function, 1, 1));
      EXPECT_EQ(ops.at("Lookup" + name), 1);
      EXPECT_EQ(ops.at(absl::StrCat("Lookup", name, "Grad")), 1);
      for (const std::string& gone : {std::string("Embedding"), std::string("EmbeddingGrad"), name,
                                      absl::StrCat(name, "Grad")}) {
        EXPECT_EQ(ops.count(gone), 0) << gone;
      }
    }
  }
}

TEST(FuseLookupRNNCell, AGradientOfTheSameCellAboveDoesNotHinderIt) {
  Recurrence r;
  const Value above = ops::RNNCell(r.g, r.h.sequence, {}, r.u).last;
  r.loss = ops::ReduceMean(r.g, ops::Multiply(r.g, above, above), {.axes = {0, 1}});
  r.Gradients({r.table, r.u});
  const auto ops = CountOps(Fused(r.Build(), 1, 1));
  EXPECT_EQ(ops.at("RNNCell"), 1);
  EXPECT_EQ(ops.at("RNNCellGrad"), 1);
}

TEST(FuseLookupRNNCell, MasksReverseAndDropoutComeAlong) {
  for (const bool dropped : {false, true}) {
    FunctionBuilder g("loss", AllOps());
    const Value ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
    const Value table = g.Variable("table", {kWords, kUnits}, Initializer::Zeros());
    const Value u = g.Variable("u", {kUnits, kUnits}, Initializer::Zeros());
    ops::RNNCellOptions options{.mask = ids, .reverse = true};
    if (dropped)
      options.recurrent_dropout = g.Input("dropout", {DType::kFloat32, {kBatch, kUnits}});
    const Value h = ops::RNNCell(g, ops::Embedding(g, ids, table), {}, u, options).last;
    const Value loss = ops::ReduceMean(g, ops::Multiply(g, h, h), {.axes = {0, 1}});
    g.Result("loss", loss);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> d, AddGradients(g, loss, {table, u}));
    for (size_t i = 0; i < d.size(); ++i) g.Result(absl::StrCat("d", i), d[i]);
    SEQ_ASSERT_OK_AND_ASSIGN(const Function built, std::move(g).Build());
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function,
                             WithRealType(built, AllOps(), DType::kFloat64));
    Fused(function, 1, 1);
  }
}

TEST(FuseLookupRNNCell, AnInputThatIsStillToBeProjectedStays) {
  FunctionBuilder g("loss", AllOps());
  const Value ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
  const Value table = g.Variable("table", {kWords, 3}, Initializer::Zeros());
  const Value w = g.Variable("w", {3, kUnits}, Initializer::Zeros());
  const Value u = g.Variable("u", {kUnits, kUnits}, Initializer::Zeros());
  const Value h = ops::RNNCell(g, ops::Embedding(g, ids, table), w, u).last;
  const Value loss = ops::ReduceMean(g, ops::Multiply(g, h, h), {.axes = {0, 1}});
  g.Result("loss", loss);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> d, AddGradients(g, loss, {table, w, u}));
  for (size_t i = 0; i < d.size(); ++i) g.Result(absl::StrCat("d", i), d[i]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function built, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, WithRealType(built, AllOps(), DType::kFloat64));
  Fused(function, 0, 0);
}

TEST(FuseLookupRNNCell, AnIdOutOfRangeIsAnErrorInBothForms) {
  Recurrence r;
  r.Gradients({r.table, r.u});
  const Function function = r.Build();
  const Function fused = Fused(function, 1, 1);
  TensorMap feeds = FeedsOf(function);
  feeds["ids"].Elements<int32_t>()[kTime + 1] = kWords;
  for (const Function* form : {&function, &fused}) {
    EXPECT_THAT(Evaluate(*form, feeds),
                StatusIs(absl::StatusCode::kInvalidArgument, "ids[1, 1] is 3"));
  }
}

}  // namespace
}  // namespace seqgraph
