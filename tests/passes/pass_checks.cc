#include "tests/passes/pass_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/compare.h"
#include "graph/gradient.h"
#include "graph/node_bounds.h"
#include "graph/verifier.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"

namespace seqgraph {

absl::StatusOr<std::vector<int>> OneBackend(const Function& function) {
  return std::vector<int>(function.nodes().size(), 0);
}

Function InDouble(const Function& function) {
  return WithRealType(function, AllOps(), DType::kFloat64).value();
}

TensorMap FeedsOf(const Function& function) {
  return RandomFeeds(function, {.seed = 11, .index_limit = kRows, .limit = 0.3});
}

absl::StatusOr<TensorMap> RunInFloat(const Function& function, const TensorMap& feeds,
                                     const PassList& passes) {
  const Backend* const reference = AllBackends().Get("reference").value();
  VariableStore variables;
  for (const VariableRead& read : function.variables()) {
    SEQ_RETURN_IF_ERROR(variables.Declare(read.def));
    SEQ_RETURN_IF_ERROR(
        variables.Assign(read.def.name, feeds.at(read.def.name).Cast(DType::kFloat32)));
  }
  SEQ_ASSIGN_OR_RETURN(const auto compiled,
                       CompiledFunction::Compile(function, AllOps(), &variables,
                                                 {.backends = {reference}, .passes = passes}));
  for (size_t i = 0; i < compiled->function().inputs().size(); ++i) {
    const ValueInfo& info = compiled->function().info(compiled->function().inputs()[i]);
    SEQ_RETURN_IF_ERROR(
        compiled->SetInput(static_cast<int>(i), feeds.at(info.name).Cast(info.type.dtype)));
  }
  SEQ_RETURN_IF_ERROR(compiled->Run());
  TensorMap results;
  for (size_t i = 0; i < function.results().size(); ++i) {
    results[function.results()[i].name] = compiled->Result(static_cast<int>(i));
  }
  return results;
}

Function ExpectSame(const Function& function, const std::string& text, const Counts& expected) {
  const PassList passes = SelectPasses(StandardPasses(), text).value();
  std::vector<RewriteCount> counts;
  Function after = RunPasses(function, AllOps(), passes, OneBackend, &counts).value();
  Counts fired;
  for (size_t p = 0; p < passes.size(); ++p) {
    if (counts[p].count > 0 && !passes[p]->cleans_up) fired[counts[p].name] = counts[p].count;
  }
  EXPECT_EQ(fired, expected);
  SEQ_EXPECT_OK(VerifyFunction(after));
  const TensorMap feeds = FeedsOf(function);
  const TensorMap exact = Evaluate(InDouble(function), feeds).value();
  // In double from the start: what is folded is computed in the function's own type.
  const Function after_in_double =
      RunPasses(InDouble(function), AllOps(), passes, OneBackend).value();
  EXPECT_EQ(CountOps(after_in_double), CountOps(after));
  const TensorMap same = Evaluate(after_in_double, feeds).value();
  double scale = 1;
  for (const auto& [name, tensor] : exact) scale = std::max(scale, LargestFiniteMagnitude(tensor));
  const TensorMap in_float = RunInFloat(function, feeds, passes).value();
  for (const auto& [name, tensor] : exact) {
    EXPECT_GT(LargestFiniteMagnitude(tensor), 0) << name << " says nothing";
    EXPECT_LE(RelativeError(same.at(name), tensor), 1e-13) << name;
    EXPECT_LE(RelativeError(in_float.at(name).Cast(DType::kFloat64), tensor) *
                  LargestFiniteMagnitude(tensor),
              GraphErrorBound(after, scale, DType::kFloat32))
        << name;
    EXPECT_LE(RelativeError(in_float.at(name).Cast(DType::kFloat64), tensor), 1e-4) << name;
  }
  return after;
}

Function WithGradients(FunctionBuilder g, Value loss, const std::vector<std::string>& of) {
  g.Result("loss", loss);
  std::vector<Value> variables;
  std::vector<std::string> names;
  for (const VariableRead& read : g.function().variables()) {
    if (!of.empty() && std::find(of.begin(), of.end(), read.def.name) == of.end()) continue;
    variables.push_back(read.value);
    names.push_back(read.def.name);
  }
  const std::vector<Value> gradients = AddGradients(g, loss, variables).value();
  for (size_t i = 0; i < names.size(); ++i) g.Result("d_" + names[i], gradients[i]);
  return std::move(g).Build().value();
}

LayerValues DeclareLayer(FunctionBuilder& g, int64_t rows, bool bias) {
  LayerValues layer;
  layer.ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
  layer.table = g.Variable("table", {rows, kFeatures}, Initializer::Zeros());
  layer.w = g.Variable("w", {kFeatures, kUnits}, Initializer::Zeros());
  layer.u = g.Variable("u", {kUnits, kUnits}, Initializer::Zeros());
  if (bias) layer.b = g.Variable("b", {kUnits}, Initializer::Zeros());
  return layer;
}

Value MeanSquare(FunctionBuilder& g, Value x) {
  std::vector<int64_t> axes;
  for (int i = 0; i < g.type(x).shape.rank(); ++i) axes.push_back(i);
  return ops::ReduceMean(g, ops::Multiply(g, x, x), {.axes = axes});
}

}  // namespace seqgraph
