// Which ops the built-in backends claim. Other suites go by what is claimed: a claim that is lost
// fails here.

#include <set>
#include <string>

#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "ops/all_ops.h"
#include "tests/testing.h"
#include "tools/op_claims.h"

namespace seqgraph {
namespace {

using Names = std::set<std::string>;

Names OpsClaimedBy(const std::string& backend) {
  return tools::ClaimedOps(**AllBackends().Get(backend), AllOps()).value();
}

// What `onednn` and `simd` both have, and what only one has: who adds a kernel adds its op.
Names InBothAnd(const Names& others) {
  Names names = absl::StrSplit(
      "Abs AdamUpdate Add BCE BCEGrad BCEWithLogits BCEWithLogitsGrad BroadcastLike Cast "
      "CategoricalCrossEntropy CategoricalCrossEntropyGrad Clip ClipByNorm Concat Constant "
      "Dense DenseGrad Divide DropoutMask Embedding EmbeddingGrad FillLike FusedElementwise "
      "GlobalAveragePooling1D GlobalAveragePooling1DGrad GlobalMaxPooling1D "
      "GlobalMaxPooling1DGrad GRUCell GRUCellGrad Increment LSTMCell LSTMCellGrad MSE MSEGrad "
      "Maximum Multiply OneHot Power RMSPropUpdate "
      "RNNCell RNNCellGrad ReduceMean ReduceMeanGrad ReduceSum Relu ReluGrad Reshape Reverse "
      "SGDUpdate Scale SequenceMask Sigmoid SigmoidGrad Slice SliceGrad Softmax "
      "SoftmaxCrossEntropyWithLogits SoftmaxCrossEntropyWithLogitsGrad SoftmaxGrad Sqrt "
      "Subtract TakeStep TakeStepGrad Tanh TanhGrad Transpose ZeroMasked",
      ' ');
  names.insert(others.begin(), others.end());
  return names;
}

TEST(Claims, ReferenceTakesEveryOp) {
  EXPECT_EQ(OpsClaimedBy("reference").size(), AllOps().All().size());
}

TEST(Claims, OnednnTakesTheseOps) { EXPECT_EQ(OpsClaimedBy("onednn"), InBothAnd({})); }

TEST(Claims, SimdTakesTheseOps) {
  EXPECT_EQ(OpsClaimedBy("simd"), InBothAnd({"LookupRNNCell", "LookupRNNCellGrad"}));
}

}  // namespace
}  // namespace seqgraph
