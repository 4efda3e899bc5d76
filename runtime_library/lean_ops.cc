#include "runtime_library/lean_ops.h"

#include "base/status_macros.h"

// The method itself.
#undef Example

namespace seqgraph::ops {

void OneExample(OpDef& op) {
  if (op.examples().empty()) op.Example({.name = "left_out"});
}

absl::StatusOr<ErrorBound> NoBound(const BoundContext&, int) {
  return Unimplemented("the runtime library holds no error bounds");
}

absl::Status NoFloat64() {
  return Unimplemented("the runtime library computes in float32, and this node in float64");
}

}  // namespace seqgraph::ops
