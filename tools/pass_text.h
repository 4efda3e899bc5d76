#pragma once

#include <string>
#include <vector>

#include "graph/pass.h"

namespace seqgraph::tools {

/// "Passes: dead_code 3, common_subexpressions 1" of those that fired, or that none did; one line.
std::string PassCountsText(const std::vector<RewriteCount>& counts);

/// Each pass with its rule and its condition.
std::string PassListText(const PassList& passes);

}  // namespace seqgraph::tools
