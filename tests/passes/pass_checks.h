#pragma once

// What tests of passes have in common: functions to try them on, and what must not change.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/pass.h"
#include "graph/testing/functions.h"

namespace seqgraph {

using Counts = std::map<std::string, int>;

inline constexpr int64_t kBatch = 16, kTime = 10, kRows = 12, kFeatures = 16, kUnits = 8;

/// One backend that takes every node.
absl::StatusOr<std::vector<int>> OneBackend(const Function& function);

/// The function with every real value in float64.
Function InDouble(const Function& function);

/// What inputs and variables of a function hold in ExpectSame.
TensorMap FeedsOf(const Function& function);

/// The results of a float32 function on the backend `reference`, compiled with these passes.
absl::StatusOr<TensorMap> RunInFloat(const Function& function, const TensorMap& feeds,
                                     const PassList& passes);

/// Runs the passes that `text` names; expects so many of each to fire (but for those that clean
/// up), and the same results, but for roundings. Gives the new function.
Function ExpectSame(const Function& function, const std::string& text, const Counts& expected);

/// With the gradients of the result "loss" by all variables, or those named, as results.
Function WithGradients(FunctionBuilder g, Value loss, const std::vector<std::string>& of = {});

/// Tokens, and the variables of an embedding and a recurrent layer.
struct LayerValues {
  Value ids, table, w, u, b;
};
LayerValues DeclareLayer(FunctionBuilder& g, int64_t rows = kRows, bool bias = true);

Value MeanSquare(FunctionBuilder& g, Value x);

}  // namespace seqgraph
