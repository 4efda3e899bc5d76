// The recurrent cells with their gradients in one function, as training has them: random sizes,
// masks, recurrent dropout, reverse, activations, absent operands, against float64 under the bounds
// of each node. A gradient alone is the conformance kit's.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/simd/simd_backend.h"
#include "graph/compare.h"
#include "graph/function_builder.h"
#include "graph/node_bounds.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// A cell on a random sample of its gradient op, and that gradient; everything is a result.
struct Pair {
  Function function;
  std::map<int, Tensor> contents;  ///< of the inputs, by value
};

absl::StatusOr<Pair> MakePair(const std::string& cell, SampleSource& source) {
  const OpDef& forward = *AllOps().Find(cell);
  const OpDef& grad = *AllOps().Find(cell + "Grad");
  const OpSample sample = grad.sampler()(source);
  Pair pair;
  FunctionBuilder g("pair", AllOps());
  std::vector<Value> grad_inputs(grad.inputs().size()), forward_inputs(forward.inputs().size());
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    const std::string& name = grad.inputs()[i].name;
    if (!sample.inputs[i].has_value() || name == "sequence") continue;
    const bool real = IsReal(sample.inputs[i]->dtype());
    Tensor content = real ? sample.inputs[i]->Cast(DType::kFloat32) : *sample.inputs[i];
    grad_inputs[i] = g.Input(name, content.type());
    pair.contents[grad_inputs[i].index] = std::move(content);
    const int j = forward.FindInput(name);
    if (j >= 0) forward_inputs[j] = grad_inputs[i];
  }
  const std::vector<Value> states = g.AddNode(cell, forward_inputs, sample.attributes);
  grad_inputs[grad.FindInput("sequence")] = states[0];
  // A sequence that only the gradient reads may be left out.
  for (size_t o = source.Coin(); o < states.size(); ++o) {
    g.Result(forward.outputs()[o].name, states[o]);
  }
  const std::vector<Value> gradients = g.AddNode(cell + "Grad", grad_inputs, sample.attributes);
  for (size_t o = 0; o < gradients.size(); ++o) g.Result(grad.outputs()[o].name, gradients[o]);
  SEQ_ASSIGN_OR_RETURN(pair.function, std::move(g).Build());
  return pair;
}

class RecurrentCellsTest : public testing::TestWithParam<const char*> {};

TEST_P(RecurrentCellsTest, StatesAndGradientsAgreeWithTheDefinitionInDouble) {
  const std::unique_ptr<Backend> simd = MakeSimdBackend();
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    SampleSource source(seed, /*max_dim=*/seed % 2 == 0 ? 5 : 19);
    SEQ_ASSERT_OK_AND_ASSIGN(const Pair pair, MakePair(GetParam(), source));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto exact,
                             EvaluateNodesInDouble(pair.function, {0, 1}, pair.contents));
    CompileOptions options;
    options.backends = {simd.get()};
    SEQ_ASSERT_OK_AND_ASSIGN(const auto compiled,
                             CompiledFunction::Compile(pair.function, AllOps(), nullptr, options));
    for (const NodeAssignment& node : compiled->assignments()) {
      EXPECT_EQ(node.implementation.find("anew"), std::string::npos) << node.implementation;
    }
    std::vector<Tensor> first;
    for (int run = 0; run < 2; ++run) {
      const auto& inputs = pair.function.inputs();
      for (size_t i = 0; i < inputs.size(); ++i) {
        SEQ_ASSERT_OK(compiled->SetInput(static_cast<int>(i), pair.contents.at(inputs[i].index)));
      }
      SEQ_ASSERT_OK(compiled->Run());
      for (size_t r = 0; r < pair.function.results().size(); ++r) {
        const NamedValue& result = pair.function.results()[r];
        const Tensor got = compiled->Result(static_cast<int>(r));
        const BoundedValue& want = exact.at(result.value.index);
        const Comparison found = Compare(got, want.exact, want.bound);
        EXPECT_TRUE(found.within())
            << result.name << ComparisonText(found, got.shape()) << ": " << want.bound.formula;
        if (run == 0) {
          first.push_back(got);
        } else {
          EXPECT_TRUE(got.BitwiseEquals(first[r])) << result.name;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentCellsTest,
                         testing::Values("RNNCell", "LSTMCell", "GRUCell", "LookupRNNCell",
                                         "LookupLSTMCell", "LookupGRUCell"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace seqgraph
