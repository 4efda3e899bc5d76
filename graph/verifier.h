#pragma once

#include "absl/status/status.h"
#include "graph/function.h"
#include "graph/model.h"

namespace seqgraph {

/// Checks every invariant of a function afresh: indices, topological order, unique names, complete
/// attributes, types as the shape rules infer them, updates of declared variables with the right
/// type. For functions that did not come straight from a builder (rewrites, files). InvalidArgument
/// names function, node and what is wrong.
absl::Status VerifyFunction(const Function& function);

/// Verifies each function, that all variables they read exist with the same type, and that names
/// are unique.
absl::Status VerifyModel(const Model& model);

}  // namespace seqgraph
