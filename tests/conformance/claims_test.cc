// Which ops the built-in backends have kernels for, and that they run all others by definition.
// Other suites go by what has a kernel: one that is lost fails here.

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "graph/activation.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/rnn_cell.h"
#include "tests/testing.h"
#include "tools/op_claims.h"

namespace seqgraph {
namespace {

using Names = std::set<std::string>;

Names KernelsOf(const std::string& backend) {
  return tools::OpsWithKernels(**AllBackends().Get(backend), AllOps()).value();
}

// What `onednn` and `simd` both have, and what only one has: who adds a kernel adds its op.
Names InBothAnd(const Names& others) {
  Names names = absl::StrSplit(
      "AveragePool1D AveragePool1DGrad Conv1D Conv1DGrad MaxPool1D MaxPool1DGrad Pad "
      "Abs AdamUpdate Add BCE BCEGrad BCEWithLogits BCEWithLogitsGrad BroadcastLike "
      "BroadcastTo Cast CategoricalCrossEntropy CategoricalCrossEntropyGrad Ceil Clip ClipByNorm "
      "Concat Constant Dense DenseGrad Divide DropoutMask Elu Embedding EmbeddingGrad Equal "
      "Erf Exp FillLike Floor FusedElementwise GRUCell GRUCellGrad Gather GatherGrad "
      "GlobalAveragePooling1D GlobalAveragePooling1DGrad GlobalMaxPooling1D "
      "GlobalMaxPooling1DGrad Increment LSTMCell LSTMCellGrad Less Log "
      "LookupGRUCell LookupGRUCellGrad LookupLSTMCell LookupLSTMCellGrad MSE MSEGrad MatMul "
      "Maximum Minimum Multiply Negative OneHot Power RMSPropUpdate RNNCell RNNCellGrad Reciprocal "
      "ReduceMax ReduceMean ReduceMeanGrad ReduceMin ReduceProd ReduceSum Relu ReluGrad "
      "Reshape Reverse Round SGDUpdate Scale SequenceMask Sigmoid SigmoidGrad Sign Slice "
      "SliceGrad Softmax SoftmaxCrossEntropyWithLogits SoftmaxCrossEntropyWithLogitsGrad "
      "SoftmaxGrad Softplus Sqrt Subtract TakeStep TakeStepGrad Tanh TanhGrad Transpose Where "
      "ZeroMasked",
      ' ');
  names.insert(others.begin(), others.end());
  return names;
}

TEST(Claims, EveryBackendTakesEveryUseOfEveryOp) {
  for (const auto& backend : AllBackends().all()) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto all, tools::ClaimsOfAllOps(*backend, AllOps()));
    for (const tools::OpClaims& claims : all) {
      EXPECT_EQ(claims.claimed, claims.uses) << claims.op->name() << " by " << backend->info().name
                                             << ": " << absl::StrJoin(claims.reasons, "; ");
    }
  }
}

TEST(Claims, TypesWithoutAKernelRunByDefinition) {
  const TensorType ints{DType::kInt32, {3}}, wide{DType::kInt64, {3}},
      doubles{DType::kFloat64, {3}};
  const auto answer = [](const char* backend, const char* op, const TensorType& type) {
    FunctionBuilder g("f", AllOps());
    const Value x = g.Input("x", type);
    g.Result("y", g.AddNode(op, {x, x}, {})[0]);
    return (*AllBackends().Get(backend))->ClaimFunction(*std::move(g).Build()).nodes[0];
  };
  for (const char* backend : {"onednn", "simd"}) {
    EXPECT_TRUE(answer(backend, "Add", {DType::kFloat32, {3}}).has_kernel());
    for (const TensorType& type : {ints, wide, doubles}) {
      const Claim claim = answer(backend, "Add", type);
      EXPECT_EQ(claim.reason, ClaimReason::kByDefinition);
      EXPECT_EQ(claim.text, absl::StrCat(DTypeName(type.dtype), " (float32 is there)"));
    }
    EXPECT_EQ(answer(backend, "Remainder", ints).text, "no kernel for Remainder version 1");
  }
}

TEST(Claims, ReferenceHasEveryOp) {
  EXPECT_EQ(KernelsOf("reference").size(), AllOps().All().size());
}

TEST(Claims, OnednnHasKernelsForTheseOps) { EXPECT_EQ(KernelsOf("onednn"), InBothAnd({})); }

TEST(Claims, SimdHasKernelsForTheseOps) {
  EXPECT_EQ(KernelsOf("simd"), InBothAnd({"LookupRNNCell", "LookupRNNCellGrad"}));
}

// With each activation in each place, and all that a cell may have.
TEST(Claims, CellsHaveAKernelWhateverTheirFunctions) {
  FunctionBuilder g("cells", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {2, 3, 4}});
  const auto weight = [&](Shape shape) {
    return g.Input(absl::StrCat("w", g.function().inputs().size()),
                   {DType::kFloat32, std::move(shape)});
  };
  for (const ActivationRow& row : ActivationTable()) {
    const std::string act = row.name;
    const auto y =
        ops::RNNCell(g, x, weight({4, 5}), weight({5, 5}), {.activation = act, .clip = 2});
    g.Result(act, y.last);
    for (const bool extra : {false, true}) {
      ops::LSTMCell(g, x, weight({4, 20}), weight({5, 20}),
                    {.bias = weight({extra ? 35 : 20}),
                     .activation = act,
                     .recurrent_activation = act,
                     .output_activation = extra ? "tanh" : act,
                     .clip = extra ? 2.0 : 0.0,
                     .input_forget = extra,
                     .peepholes = extra});
      ops::GRUCell(g, x, weight({4, 15}), weight({5, 15}),
                   {.activation = act,
                    .recurrent_activation = extra ? "sigmoid" : act,
                    .reset_after = extra});
    }
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  for (const char* backend : {"onednn", "simd"}) {
    SCOPED_TRACE(backend);
    const auto claims = (**AllBackends().Get(backend)).ClaimFunction(function).nodes;
    ASSERT_EQ(claims.size(), function.nodes().size());
    for (size_t n = 0; n < claims.size(); ++n) {
      EXPECT_TRUE(claims[n].has_kernel()) << function.nodes()[n].name << ": " << claims[n].text;
    }
  }
}

}  // namespace
}  // namespace seqgraph
