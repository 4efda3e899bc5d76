#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graph/evaluate.h"
#include "graph/function.h"

namespace seqgraph {

/// How many nodes of each op a function has.
std::map<std::string, int> CountOps(const Function& function);

struct RandomFeedOptions {
  uint64_t seed = 1;
  int64_t index_limit = 1;  ///< integers lie below
  double limit = 1;         ///< reals in [-limit, limit), but what is called "labels": 0 or 1
  int64_t batch = 1;        ///< what the symbolic batch stands for
};

/// Random content for all inputs and variables of a function, reals in float64.
TensorMap RandomFeeds(const Function& function, const RandomFeedOptions& options);

}  // namespace seqgraph
