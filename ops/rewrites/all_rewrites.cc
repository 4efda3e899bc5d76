#include "ops/rewrites/all_rewrites.h"

#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "ops/rewrites/commute_lookup_projection.h"
#include "ops/rewrites/constant_folding.h"
#include "ops/rewrites/fuse_dense_activation.h"
#include "ops/rewrites/fuse_elementwise.h"
#include "ops/rewrites/fuse_lookup_rnn_cell.h"
#include "ops/rewrites/last_state.h"
#include "ops/rewrites/one_hot_to_lookup.h"
#include "ops/rewrites/round_weights.h"
#include "ops/rewrites/sigmoid_bce_to_logits.h"
#include "ops/rewrites/softmax_cce_to_logits.h"

namespace seqgraph {
namespace {

// A pass of rewrites that are worth it in any case.
FunctionPass PassOf(std::string name, std::vector<Rewrite> rewrites, bool only_if_claimed) {
  FunctionPass pass{.name = std::move(name)};
  pass.rule = absl::StrJoin(
      rewrites, "; ", [](std::string* out, const Rewrite& rewrite) { out->append(rewrite.rule); });
  pass.only_if_claimed = only_if_claimed;
  pass.rewrites = std::move(rewrites);
  return pass;
}

// Where a backend has kernels for it, that is.
FunctionPass LookupRNNCells() {
  FunctionPass pass =
      PassOf("fuse_lookup_rnn_cell", {ops::FuseLookupRNNCell(), ops::FuseLookupRNNCellGrad()},
             /*only_if_claimed=*/true);
  pass.stage = PassStage::kFuse;
  return pass;
}

const std::vector<FunctionPass>& Passes() {
  static const auto* const kPasses = new std::vector<FunctionPass>{
      DeadCode(),
      PassOf("one_hot_to_lookup", {ops::RNNCellOneHotToLookup(), ops::DenseOneHotToLookup()},
             /*only_if_claimed=*/false),
      PassOf("sigmoid_bce_to_logits", {ops::SplitDenseSigmoid(), ops::SigmoidBCEToLogits()},
             /*only_if_claimed=*/false),
      PassOf("softmax_cce_to_logits", {ops::SoftmaxCCEToLogits()}, /*only_if_claimed=*/false),
      PassOf("last_state", {ops::LastStateOfSequence(), ops::GradientOfLastState()},
             /*only_if_claimed=*/false),
      PassOf("constant_folding", {ops::ConstantFolding()}, /*only_if_claimed=*/true),
      CommonSubexpressions(),
      ops::CommuteLookupProjection(),
      LookupRNNCells(),
      ops::FuseDenseActivation(),
      ops::FuseElementwise(),
  };
  return *kPasses;
}

}  // namespace

absl::Span<const Rewrite> StandardRewrites() {
  static const auto* const kRewrites = new std::vector<Rewrite>{
      ops::RNNCellOneHotToLookup(), ops::DenseOneHotToLookup(), ops::SplitDenseSigmoid(),
      ops::SigmoidBCEToLogits(),    ops::SoftmaxCCEToLogits(),  ops::LastStateOfSequence(),
  };
  return *kRewrites;
}

const PassList& StandardPasses() {
  static const auto* const kList = [] {
    auto* list = new PassList;
    for (const FunctionPass& pass : Passes()) list->push_back(&pass);
    return list;
  }();
  return *kList;
}

PassList PassesWithWeights(WeightFormat format, const PassList& passes) {
  static const auto* const kBf16 = new FunctionPass(ops::RoundWeightsTo(WeightFormat::kBf16));
  static const auto* const kInt8 = new FunctionPass(ops::RoundWeightsTo(WeightFormat::kInt8));
  if (format == WeightFormat::kFloat32) return passes;
  PassList all = {format == WeightFormat::kBf16 ? kBf16 : kInt8};
  all.insert(all.end(), passes.begin(), passes.end());
  return all;
}

}  // namespace seqgraph
