#pragma once

#include <vector>

#include "graph/function.h"

namespace seqgraph {

/// For each node: true if its outputs follow from variables alone that the function does not
/// update, so that they are the same in every call until somebody else changes one of these: a
/// table that is projected for inference. A node without inputs counts where only such nodes read
/// it; one that is not pure (OpDef::Impure) never does.
std::vector<bool> ConstantSubgraph(const Function& function);

}  // namespace seqgraph
