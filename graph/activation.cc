#include "graph/activation.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "graph/attributes.h"

namespace seqgraph {
namespace {

constexpr double kSeluScale = 1.0507009873554805, kSeluAlpha = 1.6732632423543772;
constexpr double kSqrtHalf = 0.70710678118654752;
constexpr double kInverseSqrtTwoPi = 0.39894228040143268;
constexpr double kSqrtTwoOverPi = 0.79788456080286536;
constexpr double kGeluCubic = 0.044715;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using A = Activation;
// Sources: Keras 3, keras.activations; ONNX, operators RNN and those of the same names. The largest
// slopes of silu, gelu and mish are at z = 2.3994, sqrt(2) and 1.4906.
constexpr ActivationRow kRows[] = {
    {"linear", A::kNone, "z"},
    {"tanh", A::kTanh, "tanh(z)"},
    {"relu", A::kRelu, "max(0, z)"},
    {"sigmoid", A::kSigmoid, "1 / (1 + exp(-z))"},
    {"relu6", A::kRelu6, "min(6, max(0, z))"},
    {"hard_sigmoid", A::kHardSigmoid, "min(1, max(0, a z + b))", 1, 2, 1.0 / 6, 0.5},
    {"hard_tanh", A::kHardTanh, "min(1, max(-1, z))"},
    {"elu", A::kElu, "z where z > 0, else a (exp(z) - 1)", 1, 1, 1},
    {"celu", A::kCelu, "z where z > 0, else a (exp(z / a) - 1)", 1, 1, 1},
    {"selu", A::kSelu, "1.0507 (z where z > 0, else 1.6733 (exp(z) - 1))", 1.7581},
    {"softplus", A::kSoftplus, "log(1 + exp(z))"},
    {"softsign", A::kSoftsign, "z / (1 + |z|)"},
    {"silu", A::kSilu, "z sigmoid(z)", 1.1},
    {"swish", A::kSilu, "z sigmoid(z)", 1.1},
    {"hard_silu", A::kHardSilu, "z min(6, max(0, z + 3)) / 6", 1.5},
    {"hard_swish", A::kHardSilu, "z min(6, max(0, z + 3)) / 6", 1.5},
    {"gelu", A::kGelu, "z (1 + erf(z / sqrt(2))) / 2", 1.13},
    {"gelu_tanh", A::kGeluTanh, "z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2", 1.13},
    {"mish", A::kMish, "z tanh(softplus(z))", 1.09},
    {"log_sigmoid", A::kLogSigmoid, "log(sigmoid(z))"},
    {"exponential", A::kExponential, "exp(z)", 0},
    {"leaky_relu", A::kLeakyRelu, "z where z > 0, else a z", 1, 1, 0.2},
    {"affine", A::kAffine, "a z + b", 1, 2, 1, 0},
    {"scaled_tanh", A::kScaledTanh, "a tanh(b z)", 1, 2, 1, 1},
    {"thresholded_relu", A::kThresholdedRelu, "z where z > a, else 0", 1, 1, 1},
    {"tanh_shrink", A::kTanhShrink, "z - tanh(z)"},
    {"soft_shrink", A::kSoftShrink, "z - a where z > a, z + a where z < -a, else 0", 1, 1, 0.5},
    {"hard_shrink", A::kHardShrink, "z where |z| > a, else 0", 1, 1, 0.5},
    {"squareplus", A::kSquareplus, "(z + sqrt(z^2 + a)) / 2", 1, 1, 4},
    {"sparse_plus", A::kSparsePlus, "0 where z <= -1, z where z >= 1, else (z + 1)^2 / 4"},
    {"sparse_sigmoid", A::kSparseSigmoid, "min(1, max(0, (z + 1) / 2))"},
};

const ActivationRow* FindRow(absl::string_view name) {
  for (const ActivationRow& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// A square root and an exponent need the latter.
bool IsAllowed(const ActivationFunction& f) {
  if (!std::isfinite(f.alpha) || !std::isfinite(f.beta)) return false;
  if (f.kind == A::kSquareplus) return f.alpha >= 0;
  return f.kind != A::kCelu || f.alpha > 0;
}

template <typename T>
T Softplus(T z) {
  return std::max(z, T{0}) + std::log1p(std::exp(-std::abs(z)));
}

// z between the limits keeps its slope.
template <typename T>
ValueAndSlope<T> Between(T low, T high, T z, T slope) {
  if (z <= low) return {low, 0};
  if (z > high) return {high, 0};
  return {z, slope};
}

template <typename T>
ValueAndSlope<T> ExpBelow(T z, T scale, T alpha, T width) {
  if (z > 0) return {scale * z, scale};
  return {scale * alpha * std::expm1(z / width), scale * alpha / width * std::exp(z / width)};
}

template <typename T>
ValueAndSlope<T> Gelu(T z) {
  const T below = std::erfc(-z * T{kSqrtHalf}) / 2;
  return {z * below, below + z * T{kInverseSqrtTwoPi} * std::exp(-z * z / 2)};
}

template <typename T>
ValueAndSlope<T> GeluTanh(T z) {
  const T t = std::tanh(T{kSqrtTwoOverPi} * (z + T{kGeluCubic} * z * z * z));
  const T inner = T{kSqrtTwoOverPi} * (1 + 3 * T{kGeluCubic} * z * z);
  return {z * (1 + t) / 2, (1 + t) / 2 + z * (1 - t * t) * inner / 2};
}

}  // namespace

absl::Span<const ActivationRow> ActivationTable() { return kRows; }

const ActivationRow& RowOf(Activation kind) {
  return *std::find_if(std::begin(kRows), std::end(kRows),
                       [kind](const ActivationRow& row) { return row.kind == kind; });
}

std::optional<ActivationFunction> FindActivation(absl::string_view text) {
  if (text == "none") return ActivationFunction();
  const size_t open = std::min(text.find('('), text.size());
  const ActivationRow* row = FindRow(text.substr(0, open));
  if (row == nullptr) return std::nullopt;
  ActivationFunction f{row->kind, row->alpha, row->beta};
  if (open < text.size()) {
    absl::string_view given = text.substr(open + 1);
    if (!absl::ConsumeSuffix(&given, ")")) return std::nullopt;
    const std::vector<absl::string_view> numbers = absl::StrSplit(given, ',');
    if (static_cast<int>(numbers.size()) > row->parameters) return std::nullopt;
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!absl::SimpleAtod(numbers[i], i == 0 ? &f.alpha : &f.beta)) return std::nullopt;
    }
  }
  return IsAllowed(f) ? std::optional(f) : std::nullopt;
}

std::string ActivationText(const ActivationFunction& f) {
  const ActivationRow& row = RowOf(f.kind);
  if (f == ActivationFunction{row.kind, row.alpha, row.beta}) return row.name;
  std::string text = absl::StrCat(row.name, "(", AttributeToString(f.alpha));
  if (row.parameters > 1) absl::StrAppend(&text, ",", AttributeToString(f.beta));
  return text + ")";
}

double SteepestSlope(const ActivationFunction& f) {
  const double steepest = RowOf(f.kind).steepest;
  if (steepest == 0) return kInfinity;
  const double a = std::abs(f.alpha);
  const double factor = f.kind == A::kScaledTanh ? a * std::abs(f.beta)
                        : f.kind == A::kAffine || f.kind == A::kElu || f.kind == A::kHardSigmoid ||
                                f.kind == A::kLeakyRelu
                            ? a
                            : 1;
  return std::max(1.0, steepest * factor);
}

double KinkDistance(const ActivationFunction& f, double z) {
  const auto nearest = [z](std::initializer_list<double> kinks) {
    double distance = kInfinity;
    for (const double kink : kinks) distance = std::min(distance, std::abs(z - kink));
    return distance;
  };
  switch (f.kind) {
    case A::kRelu:
    case A::kSelu:
    case A::kLeakyRelu:
      return nearest({0});
    case A::kElu:
      return f.alpha == 1 ? kInfinity : nearest({0});
    case A::kRelu6:
      return nearest({0, 6});
    case A::kHardSigmoid:
      return f.alpha == 0 ? kInfinity : nearest({-f.beta / f.alpha, (1 - f.beta) / f.alpha});
    case A::kHardTanh:
    case A::kSparseSigmoid:
      return nearest({-1, 1});
    case A::kHardSilu:
      return nearest({-3, 3});
    case A::kThresholdedRelu:
      return nearest({f.alpha});
    case A::kSoftShrink:
    case A::kHardShrink:
      return nearest({-f.alpha, f.alpha});
    default:
      return kInfinity;
  }
}

template <typename T>
ValueAndSlope<T> ActivateWithSlope(const ActivationFunction& f, T z) {
  const T a = static_cast<T>(f.alpha), b = static_cast<T>(f.beta);
  switch (f.kind) {
    case A::kNone:
    case A::kTanh:
    case A::kRelu:
    case A::kSigmoid: {
      const T y = Activate(f.kind, z);
      return {y, SlopeFromOutput(f.kind, y)};
    }
    case A::kRelu6:
      return Between<T>(0, 6, z, 1);
    case A::kHardSigmoid:
      return Between<T>(0, 1, a * z + b, a);
    case A::kHardTanh:
      return Between<T>(-1, 1, z, 1);
    case A::kElu:
      return ExpBelow<T>(z, 1, a, 1);
    case A::kCelu:
      return ExpBelow<T>(z, 1, a, a);
    case A::kSelu:
      return ExpBelow<T>(z, T{kSeluScale}, T{kSeluAlpha}, 1);
    case A::kSoftplus:
      return {Softplus(z), StableSigmoid(z)};
    case A::kSoftsign: {
      const T below = 1 + std::abs(z);
      return {z / below, 1 / (below * below)};
    }
    case A::kSilu: {
      const T s = StableSigmoid(z);
      return {z * s, s * (1 + z * (1 - s))};
    }
    case A::kHardSilu:
      if (z <= -3) return {T{0}, T{0}};
      return z > 3 ? ValueAndSlope<T>{z, 1} : ValueAndSlope<T>{z * (z + 3) / 6, (2 * z + 3) / 6};
    case A::kGelu:
      return Gelu(z);
    case A::kGeluTanh:
      return GeluTanh(z);
    case A::kMish: {
      const T t = std::tanh(Softplus(z));
      return {z * t, t + z * (1 - t * t) * StableSigmoid(z)};
    }
    case A::kLogSigmoid:
      return {-Softplus(-z), StableSigmoid(-z)};
    case A::kExponential:
      return {std::exp(z), std::exp(z)};
    case A::kLeakyRelu:
      return z > 0 ? ValueAndSlope<T>{z, 1} : ValueAndSlope<T>{a * z, a};
    case A::kAffine:
      return {a * z + b, a};
    case A::kScaledTanh: {
      const T t = std::tanh(b * z);
      return {a * t, a * b * (1 - t * t)};
    }
    case A::kThresholdedRelu:
      return z <= a ? ValueAndSlope<T>{0, 0} : ValueAndSlope<T>{z, 1};
    case A::kTanhShrink: {
      const T t = std::tanh(z);
      return {z - t, t * t};
    }
    case A::kSoftShrink:
      if (std::abs(z) <= a) return {T{0}, T{0}};
      return {z > 0 ? z - a : z + a, T{1}};
    case A::kHardShrink:
      return std::abs(z) <= a ? ValueAndSlope<T>{0, 0} : ValueAndSlope<T>{z, 1};
    case A::kSquareplus: {
      const T root = std::sqrt(z * z + a);
      return {(z + root) / 2, root == 0 ? T{0} : (1 + z / root) / 2};
    }
    case A::kSparsePlus:
      if (z <= -1) return {T{0}, T{0}};
      return z > 1 ? ValueAndSlope<T>{z, 1} : ValueAndSlope<T>{(z + 1) * (z + 1) / 4, (z + 1) / 2};
    case A::kSparseSigmoid:
      return Between<T>(0, 1, (z + 1) / 2, T{0.5});
  }
  return {z, T{1}};
}

template ValueAndSlope<float> ActivateWithSlope(const ActivationFunction&, float);
template ValueAndSlope<double> ActivateWithSlope(const ActivationFunction&, double);

}  // namespace seqgraph
