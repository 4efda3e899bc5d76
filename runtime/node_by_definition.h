#pragma once

#include <vector>

#include "absl/status/status.h"
#include "graph/function.h"
#include "graph/op_def.h"
#include "runtime/backend.h"

namespace seqgraph {

/// A node that is run by the computation of its op's definition, in the node's own real type.
class NodeByDefinition {
 public:
  /// The function must outlive it.
  NodeByDefinition(const Function& function, int node);

  DType real() const { return real_; }
  absl::Status Run(const KernelArgs& args) const;

 private:
  using Operand = ReferenceContext::Operand;

  const Node* node_;
  std::vector<Operand> inputs_, outputs_;  // without data, which is each call's
  DType real_;
};

}  // namespace seqgraph
