#pragma once

// The activation functions that ops have as an attribute, and their slopes: what the definitions
// compute and what backends choose kernels by.

#include <cmath>
#include <optional>

#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace seqgraph {

enum class Activation { kNone, kTanh, kRelu, kSigmoid };

/// The activation of that name: one of "none", "tanh", "relu", "sigmoid"; nullopt for another.
inline std::optional<Activation> FindActivation(absl::string_view name) {
  if (name == "tanh") return Activation::kTanh;
  if (name == "relu") return Activation::kRelu;
  if (name == "sigmoid") return Activation::kSigmoid;
  if (name == "none") return Activation::kNone;
  return std::nullopt;
}

/// The same where the op's definition has checked the name.
inline Activation ParseActivation(absl::string_view name) {
  const std::optional<Activation> activation = FindActivation(name);
  SEQ_CHECK(activation.has_value());
  return *activation;
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

}  // namespace seqgraph
