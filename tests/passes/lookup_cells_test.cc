// Recurrences on looked-up rows on the backends that have kernels for them, with the lookup fused
// into the cell and without: results and all gradients of several batches, against the function in
// double.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/passes/pass_checks.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr uint64_t kSeed = 20261128;
constexpr int kBatches = 3;

struct Case {
  const char* name;
  const char* cell;
  bool reset_after;
};

// A table of rows that are projected already or, where they are few, still to be projected.
struct Layer {
  int64_t batch, time, rows, units;
  bool projects, bias, state, masked, reverse, sequence;

  explicit Layer(SampleSource& source)
      : batch(source.OneOf<int64_t>({2, 5, 33, 64})),
        time(source.OneOf<int64_t>({8, 13})),
        rows(source.OneOf<int64_t>({7, 15, 3000})),
        units(source.OneOf<int64_t>({3, 8, 16, 20})),
        projects(rows < batch * time / 4 && source.Coin()),
        bias(source.Coin()),
        state(source.Coin()),
        masked(source.Coin()),
        reverse(source.Coin()),
        sequence(source.Coin()) {}

  std::string Describe() const {
    return absl::StrCat("batch ", batch, ", time ", time, ", rows ", rows, ", units ", units,
                        ", projects ", projects, ", bias ", bias, ", state ", state, ", masked ",
                        masked, ", reverse ", reverse, ", sequence ", sequence);
  }

  // loss = mean(last^2), and mean(sequence^2) where the layer returns its sequence. Token 0 is
  // padding where it is masked.
  Function Build(const Case& c) const {
    const OpDef& op = *AllOps().Find(c.cell);
    const int64_t columns = op.recurrence()->gates() * units;
    FunctionBuilder g("loss", AllOps());
    const auto variable = [&](const char* name, Shape shape) {
      return g.Variable(name, std::move(shape), Initializer::Zeros());
    };
    const Value ids = g.Input("ids", {DType::kInt32, {batch, time}});
    const Value table = variable("table", {rows, projects ? kFeatures : columns});
    std::vector<Value> inputs(op.inputs().size());
    inputs[op.FindInput("x")] = ops::Embedding(g, ids, table);
    if (projects) inputs[op.FindInput("w")] = variable("w", {kFeatures, columns});
    inputs[op.FindInput("u")] = variable("u", {units, columns});
    const bool two_biases = op.recurrence()->gates() == 3 && c.reset_after;
    if (bias) {
      inputs[op.FindInput("b")] = variable("b", two_biases ? Shape{2, columns} : Shape{columns});
    }
    if (state) inputs[op.FindInput("h0")] = variable("h0", {batch, units});
    const int c0 = op.FindInput("c0");
    if (state && c0 >= 0) inputs[c0] = variable("c0", {batch, units});
    if (masked) inputs[op.FindInput("mask")] = ids;
    Attributes attributes = {{"reverse", reverse}};
    if (op.recurrence()->gates() == 3) attributes.Set("reset_after", c.reset_after);
    const std::vector<Value> h = g.AddNode(c.cell, inputs, attributes);
    Value loss = MeanSquare(g, h[1]);
    if (sequence) loss = ops::Add(g, loss, MeanSquare(g, h[0]));
    g.Result("last", h[1]);
    if (sequence) g.Result("sequence", h[0]);
    return WithGradients(std::move(g), loss);
  }

  // Rows of masked batches have tokens in front, behind, or anywhere.
  Tensor DrawIds(SampleSource& source) const {
    Tensor ids = source.Indices({batch, time}, rows);
    auto tokens = ids.Elements<int32_t>();
    for (int64_t n = 0; masked && n < batch; ++n) {
      const int64_t length = source.Int(0, time), kind = source.Int(0, 2);
      for (int64_t t = 0; t < time; ++t) {
        int32_t& token = tokens[n * time + t];
        const bool counts = kind == 0 ? t < length : kind == 1 ? t >= time - length : token % 3 > 0;
        token = counts ? std::max(token, 1) : 0;
      }
    }
    return ids;
  }
};

// A function on one backend with some passes, over variables of its own.
class Compiled {
 public:
  Compiled(const Function& function, const std::string& backend, const std::string& passes,
           const TensorMap& values) {
    for (const VariableRead& read : function.variables()) {
      SEQ_CHECK(variables_.Declare(read.def).ok());
      const Tensor value = values.at(read.def.name).Cast(DType::kFloat32);
      SEQ_CHECK(variables_.Assign(read.def.name, value).ok());
    }
    auto compiled =
        CompiledFunction::Compile(function, AllOps(), &variables_,
                                  {.backends = {AllBackends().Get(backend).value()},
                                   .passes = SelectPasses(StandardPasses(), passes).value()});
    SEQ_CHECK(compiled.ok());
    compiled_ = *std::move(compiled);
  }

  absl::StatusOr<TensorMap> Run(const Tensor& ids) {
    SEQ_RETURN_IF_ERROR(compiled_->SetInput(0, ids));
    SEQ_RETURN_IF_ERROR(compiled_->Run());
    TensorMap results;
    for (size_t i = 0; i < compiled_->function().results().size(); ++i) {
      results[compiled_->function().results()[i].name] =
          compiled_->Result(static_cast<int>(i)).Cast(DType::kFloat64);
    }
    return results;
  }

  int CountOf(const std::string& op) const { return CountOps(compiled_->function())[op]; }

 private:
  VariableStore variables_;
  std::unique_ptr<CompiledFunction> compiled_;
};

class LookupCellsTest : public testing::TestWithParam<Case> {};

void Try(const Case& c, const std::string& backend, uint64_t seed) {
  SampleSource source(seed);
  const Layer layer(source);
  SCOPED_TRACE(absl::StrCat(backend, ", seed ", seed, ": ", layer.Describe()));
  const Function function = layer.Build(c);
  TensorMap values = RandomFeeds(function, {.seed = seed, .index_limit = 1, .limit = 0.5});
  for (auto& [name, value] : values) {  // as float32 has them
    if (IsReal(value.dtype())) value = value.Cast(DType::kFloat32).Cast(DType::kFloat64);
  }
  Compiled fused(function, backend, "all", values);
  Compiled apart(function, backend, "all,-fuse_lookup_rnn_cell", values);
  const std::string op = absl::StrCat("Lookup", c.cell);
  EXPECT_EQ(fused.CountOf(op), 1);
  EXPECT_EQ(fused.CountOf(op + "Grad"), 1);
  EXPECT_EQ(fused.CountOf("Embedding") + fused.CountOf("EmbeddingGrad"), 0);
  EXPECT_EQ(apart.CountOf(op) + apart.CountOf(op + "Grad"), 0);
  const Function in_double = InDouble(function);
  for (int i = 0; i < kBatches; ++i) {
    values["ids"] = layer.DrawIds(source);
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap exact, Evaluate(in_double, values));
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap together, fused.Run(values["ids"]));
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap alone, apart.Run(values["ids"]));
    for (const auto& [name, tensor] : exact) {
      SCOPED_TRACE(absl::StrCat(name, ", batch ", i));
      EXPECT_LE(RelativeError(together.at(name), tensor), 1e-5);
      EXPECT_LE(RelativeError(together.at(name), alone.at(name)), 1e-5);
    }
    if (!layer.masked) continue;
    const Tensor& d_table = together.at("d_table");
    const auto padding = d_table.Elements<double>().first(d_table.shape()[1].size());
    EXPECT_TRUE(std::all_of(padding.begin(), padding.end(), [](double d) { return d == 0; }));
  }
}

TEST_P(LookupCellsTest, FusedAndApartAreTheFunctionInDouble) {
  for (const std::string backend : {"simd", "onednn"}) {
    if (backend == "onednn" && GetParam().cell == std::string("RNNCell")) continue;  // no kernel
    for (uint64_t i = 0; i < 24; ++i) Try(GetParam(), backend, kSeed + i);
  }
}

TEST_P(LookupCellsTest, InferenceReadsTheTableAndRefusesIdsThatItHasNot) {
  const OpDef& op = *AllOps().Find(GetParam().cell);
  constexpr int64_t kUnitsHere = 5;
  const int64_t columns = op.recurrence()->gates() * kUnitsHere;
  FunctionBuilder g("predict", AllOps());
  const Value ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
  std::vector<Value> inputs(op.inputs().size());
  inputs[op.FindInput("x")] =
      ops::Embedding(g, ids, g.Variable("table", {kRows, columns}, Initializer::Zeros()));
  inputs[op.FindInput("u")] = g.Variable("u", {kUnitsHere, columns}, Initializer::Zeros());
  g.Result("last", g.AddNode(GetParam().cell, inputs, {})[1]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function predict, std::move(g).Build());
  TensorMap values = RandomFeeds(predict, {.seed = kSeed, .index_limit = kRows});
  Compiled fused(predict, "simd", "all", values);
  EXPECT_EQ(fused.CountOf(absl::StrCat("Lookup", GetParam().cell)), 1);
  SampleSource source(kSeed);
  for (int i = 0; i < kBatches; ++i) {
    values["ids"] = source.Indices({kBatch, kTime}, kRows);
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap exact, Evaluate(InDouble(predict), values));
    SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, fused.Run(values["ids"]));
    EXPECT_LE(RelativeError(results.at("last"), exact.at("last")), 1e-5) << kSeed;
  }
  for (const int32_t bad : {-1, static_cast<int32_t>(kRows)}) {
    Tensor wrong = values["ids"];
    wrong.Elements<int32_t>()[kTime + 2] = bad;
    EXPECT_THAT(fused.Run(wrong).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, absl::StrCat("ids[1, 2] is ", bad)));
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, LookupCellsTest,
                         testing::Values(Case{"RNN", "RNNCell", false},
                                         Case{"LSTM", "LSTMCell", false},
                                         Case{"GRU", "GRUCell", true},
                                         Case{"GRUResetBefore", "GRUCell", false}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace seqgraph
