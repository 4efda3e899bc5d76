#ifndef SEQGRAPH_OPS_ACTIVATION_MATH_H_
#define SEQGRAPH_OPS_ACTIVATION_MATH_H_

// The activation functions and their slopes, for the reference computations of the ops that have
// one: Sigmoid, Tanh, Relu, Dense, RNNCell and their gradients.

#include <cmath>
#include <string>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph::ops {

enum class Activation { kNone, kTanh, kRelu, kSigmoid };

/// The activation of that name: one of "none", "tanh", "relu", "sigmoid". The op's definition has
/// checked the text.
inline Activation ParseActivation(const std::string& name) {
  if (name == "tanh") return Activation::kTanh;
  if (name == "relu") return Activation::kRelu;
  if (name == "sigmoid") return Activation::kSigmoid;
  SEQ_CHECK(name == "none");
  return Activation::kNone;
}

/// 1 / (1 + exp(-z)), where exp is only taken of what is not positive, so that nothing overflows
/// and small results keep their relative precision.
template <typename T>
T StableSigmoid(T z) {
  if (z >= 0) return T{1} / (T{1} + std::exp(-z));
  const T e = std::exp(z);
  return e / (T{1} + e);
}

template <typename T>
T Activate(Activation activation, T z) {
  switch (activation) {
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kRelu:
      return z < 0 ? T{0} : z;  // NaN stays NaN
    case Activation::kSigmoid:
      return StableSigmoid(z);
    case Activation::kNone:
      break;
  }
  return z;
}

/// d act(z) / dz from y = act(z): 1 - y^2, 1 where y > 0 and 0 elsewhere, y (1 - y), 1.
template <typename T>
T SlopeFromOutput(Activation activation, T y) {
  switch (activation) {
    case Activation::kTanh:
      return T{1} - y * y;
    case Activation::kRelu:
      return y > 0 ? T{1} : T{0};
    case Activation::kSigmoid:
      return y * (T{1} - y);
    case Activation::kNone:
      break;
  }
  return T{1};
}

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_ACTIVATION_MATH_H_
