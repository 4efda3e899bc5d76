#ifndef SEQGRAPH_OPS_ACTIVATIONS_H_
#define SEQGRAPH_OPS_ACTIVATIONS_H_

// Sigmoid: y = 1 / (1 + exp(-x))   Tanh: y = tanh(x)   Relu: y = max(x, 0)   element by element.
// SigmoidGrad: dx = dy y (1 - y)   TanhGrad: dx = dy (1 - y^2)   ReluGrad: dx = dy where y > 0.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// x of any shape -> y of that shape. Nothing overflows; NaN gives NaN.
Value Sigmoid(FunctionBuilder& g, Value x, std::string name = "");
Value Tanh(FunctionBuilder& g, Value x, std::string name = "");
Value Relu(FunctionBuilder& g, Value x, std::string name = "");

/// The gradients from the activations' outputs: y and dy of one shape -> dx of that shape. At the
/// kink of Relu (x = 0) the gradient is 0, and where y is NaN too.
Value SigmoidGrad(FunctionBuilder& g, Value y, Value dy, std::string name = "");
Value TanhGrad(FunctionBuilder& g, Value y, Value dy, std::string name = "");
Value ReluGrad(FunctionBuilder& g, Value y, Value dy, std::string name = "");

/// y = act(z) and dz = dy act'(z) for an activation by name: "none" (no node is added), "tanh",
/// "relu" or "sigmoid"; InvalidArgument (in the builder) for another.
Value ApplyActivation(FunctionBuilder& g, const std::string& activation, Value z,
                      std::string name = "");
Value ActivationGrad(FunctionBuilder& g, const std::string& activation, Value y, Value dy,
                     std::string name = "");

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_ACTIVATIONS_H_
