#pragma once

// Add: y = a + b   Subtract: y = a - b   Multiply: y = a b   Scale: y = factor x   FillLike: y =
// value element by element; no broadcasting (see BroadcastLike).

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// a and b of one shape -> y of that shape; InvalidArgument (in the builder) if the shapes differ.
Value Add(FunctionBuilder& g, Value a, Value b, std::string name = "");
Value Subtract(FunctionBuilder& g, Value a, Value b, std::string name = "");
Value Multiply(FunctionBuilder& g, Value a, Value b, std::string name = "");

/// x of any shape -> y of that shape; the factor is rounded to the type of x.
Value Scale(FunctionBuilder& g, Value x, double factor, std::string name = "");

/// A tensor of the type of `like`, each element `value`. Nothing is read from `like`, so its
/// gradient is zero.
Value FillLike(FunctionBuilder& g, Value like, double value, std::string name = "");

}  // namespace seqgraph::ops
