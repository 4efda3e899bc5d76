#pragma once

// Sigmoid: y = 1 / (1 + exp(-x))   Tanh: y = tanh(x)   Relu: y = max(x, 0)   element by element.
// SigmoidGrad: dx = dy y (1 - y)   TanhGrad: dx = dy (1 - y^2)   ReluGrad: dx = dy where y > 0,
// else 0 (at the kink, x = 0, and where y is NaN too). Elu: y = x where x > 0, alpha (exp(x) - 1)
// elsewhere.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// x of any shape -> y of that shape. Nothing overflows; NaN gives NaN.
Value Sigmoid(FunctionBuilder& g, Value x, std::string name = "");
Value Tanh(FunctionBuilder& g, Value x, std::string name = "");
Value Relu(FunctionBuilder& g, Value x, std::string name = "");

/// The exponential linear unit of x of any shape, element by element; `alpha`, which must be
/// finite, is how far below 0 it goes. NaN stays NaN. Source: Clevert, Unterthiner and Hochreiter,
/// Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016.
Value Elu(FunctionBuilder& g, Value x, double alpha = 1, std::string name = "");

/// y = act(z) and dz = dy act'(z) for an activation by name: "none" (no node is added), "tanh",
/// "relu" or "sigmoid"; InvalidArgument (in the builder) for another.
Value ApplyActivation(FunctionBuilder& g, const std::string& activation, Value z,
                      std::string name = "");
Value ActivationGrad(FunctionBuilder& g, const std::string& activation, Value y, Value dy);

}  // namespace seqgraph::ops
