#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "graph/op_registry.h"
#include "tools/conformance/case.h"

namespace seqgraph::conformance {

/// The cases of a graph test file, such as `seqgraph diff` writes: "files/PATH/CASE". Each is run
/// with its calls in a row twice through the backend's interface alone, every buffer between
/// canaries and then before an unmapped page, and then as `seqgraph test` does, with guards. Errors
/// are those of LoadGraphTests.
absl::StatusOr<Cases> FileCases(const std::string& path, const OpRegistry& registry);

}  // namespace seqgraph::conformance
