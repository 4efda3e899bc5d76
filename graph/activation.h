#pragma once

// The activation functions that ops have as an attribute, and their slopes: what the definitions
// compute and what backends choose kernels by. activation.cc has the one table of them.

#include <cmath>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"

namespace seqgraph {

enum class Activation {
  kNone,
  // These three are known by their output alone: SlopeFromOutput.
  kTanh,
  kRelu,
  kSigmoid,
  kRelu6,
  kHardSigmoid,
  kHardTanh,
  kElu,
  kCelu,
  kSelu,
  kSoftplus,
  kSoftsign,
  kSilu,
  kHardSilu,
  kGelu,
  kGeluTanh,
  kMish,
  kLogSigmoid,
  kExponential,
  kLeakyRelu,
  kAffine,
  kScaledTanh,
  kThresholdedRelu,
  kTanhShrink,
  kSoftShrink,
  kHardShrink,
  kSquareplus,
  kSparsePlus,
  kSparseSigmoid,
};

/// An activation with its parameters, which formulas call a and b.
struct ActivationFunction {
  Activation kind = Activation::kNone;
  double alpha = 0, beta = 0;

  friend bool operator==(const ActivationFunction& f, const ActivationFunction& g) {
    return f.kind == g.kind && f.alpha == g.alpha && f.beta == g.beta;
  }
};

/// A row of the table.
struct ActivationRow {
  const char* name;
  Activation kind;
  const char* formula;
  /// |act'| is at most this: 1 or more, times |a| or |a b| where there are parameters (`affine`,
  /// `scaled_tanh`). 0: there is no limit.
  double steepest = 1;
  int parameters = 0;
  double alpha = 0, beta = 0;  ///< where they are not given
};

/// All activations by Keras's names, and those of ONNX that Keras does not have. The first row of
/// a kind has its name; others are aliases.
absl::Span<const ActivationRow> ActivationTable();
/// The first row of the kind.
const ActivationRow& RowOf(Activation kind);

/// The activation of that text: the name of a row, and behind it in parentheses as many of its
/// parameters as differ from their defaults: "elu", "elu(0.5)", "hard_sigmoid(0.2,0.5)". Also
/// "none" for "linear". Nullopt for another text, and for parameters that are not finite.
std::optional<ActivationFunction> FindActivation(absl::string_view text);
/// The text of which FindActivation makes this: without what has its default.
std::string ActivationText(const ActivationFunction& function);
/// |act'| is at most this, and at least 1; infinity if there is no limit.
double SteepestSlope(const ActivationFunction& function);
/// How far z is from where act or act' jumps; infinity if there is no such place.
double KinkDistance(const ActivationFunction& function, double z);

/// The kind where the op's definition has checked the name.
inline Activation ParseActivation(absl::string_view name) {
  const std::optional<ActivationFunction> activation = FindActivation(name);
  SEQ_CHECK(activation.has_value());
  return activation->kind;
}

/// 1 / (1 + exp(-z)), where exp is only taken of what is not positive, so that nothing overflows
/// and small results keep their relative precision.
template <typename T>
T StableSigmoid(T z) {
  if (z >= 0) return T{1} / (T{1} + std::exp(-z));
  const T e = std::exp(z);
  return e / (T{1} + e);
}

/// act(z) for the kinds that are known by their output.
template <typename T>
T Activate(Activation activation, T z) {
  switch (activation) {
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kRelu:
      return z < 0 ? T{0} : z;  // NaN stays NaN
    case Activation::kSigmoid:
      return StableSigmoid(z);
    default:
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
    default:
      break;
  }
  return T{1};
}
/// Whether SlopeFromOutput is the slope.
inline bool IsKnownByOutput(Activation activation) { return activation <= Activation::kSigmoid; }

/// act(z) and its slope there, for all activations; of float and double. At a kink the slope is
/// that on the left.
template <typename T>
struct ValueAndSlope {
  T value, slope;
};
template <typename T>
ValueAndSlope<T> ActivateWithSlope(const ActivationFunction& function, T z);

}  // namespace seqgraph
