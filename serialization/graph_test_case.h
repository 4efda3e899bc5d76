#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/function.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "graph/tensor.h"

namespace seqgraph {

/// How far a compared tensor may be off: |actual - expected| <= absolute + relative * |expected|.
struct GraphTestTolerance {
  double absolute = 0;
  double relative = 0;
};

/// One case of a graph test file (serialization/graph_test.proto), with everything that can be
/// checked without running it checked: names are there, types fit.
struct GraphTestCase {
  using Tensors = std::map<std::string, Tensor>;
  /// What differs from the compared call, by name.
  struct Call {
    Tensors inputs;
    Tensors variables;
  };

  std::string name;
  std::string source;  ///< where the numbers come from
  Function function;   ///< static: the batch is bound
  int64_t batch = 1;
  VariableStore variables;  ///< all that the function reads, with their content
  Tensors inputs;           ///< one for each input of the function
  Tensors results;          ///< expected; float64 may stand for a float32 result
  Tensors updates;          ///< expected contents of variables after the call
  /// dL / d value by the name of an input or variable, where L is the sum over all weights of
  /// sum(weight * result).
  Tensors gradients;
  Tensors gradient_weights;  ///< by the name of a result
  /// By "results/NAME", "updates/NAME" or "gradients/NAME".
  std::map<std::string, GraphTestTolerance> tolerances;
  std::string error;          ///< if not empty: the call fails with a message that contains this
  std::vector<Call> earlier;  ///< made first, in order, on what was prepared once
  int64_t guard_bytes = 0;    ///< around every buffer; in [0, kMaxCaseGuardBytes]
};

/// Of a case: as much as a function may be compiled with.
inline constexpr int64_t kMaxCaseGuardBytes = int64_t{1} << 20;

/// Parses a file's text. Models that it names are read from `folder`. Errors say line and column,
/// or case and what is wrong in it: InvalidArgument for whatever does not fit together, and those
/// of FunctionFromProto and LoadModel.
absl::StatusOr<std::vector<GraphTestCase>> ParseGraphTests(absl::string_view text,
                                                           const std::string& folder,
                                                           const OpRegistry& registry);

/// The same for a file, whose path errors name.
absl::StatusOr<std::vector<GraphTestCase>> LoadGraphTests(const std::string& path,
                                                          const OpRegistry& registry);

/// The text of a file with this one case, which ParseGraphTests reads back. Tensors keep every bit.
std::string GraphTestToText(const GraphTestCase& test);

}  // namespace seqgraph
