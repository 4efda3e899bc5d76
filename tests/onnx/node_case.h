#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/backend.h"

namespace seqgraph::onnx {

/// ONNX's own tests of operators, as Debian's libonnx-testdata has them.
inline constexpr char kNodeTests[] = "/usr/share/libonnx-testdata/data/node";

enum class Outcome { kPassed, kRefused, kFailed };

struct NodeResult {
  std::string test;  ///< "test_gather_0"
  std::string op;    ///< "Gather"; "several operators" where it has more
  Outcome outcome = Outcome::kFailed;
  std::string reason;  ///< of a refusal or a failure
};

/// Runs every test of `folder` whose operators the importer has converters for, on these backends.
/// What it does not support of them is refused; whatever else is not as the test says has failed.
std::vector<NodeResult> RunNodeTests(const std::string& folder,
                                     absl::Span<const Backend* const> backends);

/// A table of the operators: how many passed, were refused, failed; then the reasons.
std::string NodeTable(const std::vector<NodeResult>& results);

}  // namespace seqgraph::onnx
