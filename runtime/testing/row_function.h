#pragma once

// A small function with a variable, and what tests of compiled functions do with it.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "runtime/compiled_function.h"
#include "runtime/testing/fake_backend.h"
#include "tests/testing.h"

namespace seqgraph {

inline const TensorType kRows{DType::kFloat32, {Dim::Batch(), 2}};
inline const FakeBackend kFake({});

/// y = round(x) + row for each row of x [batch, 2], and row [2] becomes 2 row. Its nodes are
/// rounded, sum and doubled.
inline Function RowFunction() {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  const Value row = g.Variable("row", {2}, {});
  const Value rounded = g.AddNode("Round", {x}, {}, "rounded")[0];
  g.Result("y", g.AddNode("AddRow", {rounded, row}, {}, "sum")[0]);
  g.Update("row", g.AddNode("Scale", {row}, {}, "doubled")[0]);
  return std::move(g).Build().value();
}

/// The variables that a function reads, not filled.
inline VariableStore StoreOf(const Function& function) {
  VariableStore store;
  for (const VariableRead& read : function.variables()) {
    EXPECT_TRUE(store.Declare(read.def).ok());
  }
  return store;
}

inline absl::StatusOr<std::unique_ptr<CompiledFunction>> CompileFor(
    const Function& function, VariableStore* store, int64_t batch = 1,
    std::vector<const Backend*> backends = {&kFake}) {
  return CompiledFunction::Compile(function, TestOps(), store,
                                   {.backends = std::move(backends), .batch = batch});
}

inline std::vector<float> Floats(const Tensor& tensor) {
  const absl::Span<const float> elements = tensor.Elements<float>();
  return {elements.begin(), elements.end()};
}

}  // namespace seqgraph
