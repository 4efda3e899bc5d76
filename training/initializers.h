#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "graph/model.h"

namespace seqgraph {

/// Fills the variables, or those of one role, with their starting content:
///
///   kZeros          0
///   kConstant       value
///   kUniform        U[-value, value)
///   kGlorotUniform  U[-l, l), l = sqrt(6 / (fan_in + fan_out)); [.., in, out] has fans in r and
///                   out r, where r is the product of the extents in front; a vector has its length
///                   twice, a scalar 1 twice. Source: Glorot & Bengio, AISTATS 2010.
///   kOrthogonal     Q of the QR factors (diagonal of R positive) of a max x min matrix of standard
///                   normals, transposed if there are fewer rows than columns; [.., r, c] counts as
///                   [.. r, c]. Source: Saxe, McClelland, Ganguli, ICLR 2014.
///
/// as Keras defines them. The content depends on seed, name and shape of the variable alone, not on
/// other variables or their order; it is computed in double, by operations that IEEE 754 fixes, and
/// then rounded: the same bits on every machine. Integer variables take kZeros and kConstant only.
/// Errors: InvalidArgument names the variable.
absl::Status InitializeVariables(uint64_t seed, VariableStore& variables,
                                 std::optional<VariableRole> role = std::nullopt);

}  // namespace seqgraph
