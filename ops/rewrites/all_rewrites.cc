#include "ops/rewrites/all_rewrites.h"

#include <vector>

#include "ops/rewrites/one_hot_to_lookup.h"
#include "ops/rewrites/sigmoid_bce_to_logits.h"

namespace seqgraph {

absl::Span<const Rewrite> StandardRewrites() {
  static const auto* const kRewrites = new std::vector<Rewrite>{
      ops::RNNCellOneHotToLookup(),
      ops::DenseOneHotToLookup(),
      ops::SplitDenseSigmoid(),
      ops::SigmoidBCEToLogits(),
  };
  return *kRewrites;
}

}  // namespace seqgraph
