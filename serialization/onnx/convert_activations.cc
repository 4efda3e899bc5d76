// Activations: formulas of one operand and numbers.

#include <cmath>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

// What ONNX says as decimal numbers its attributes hold as float.
double AsFloat(double x) { return static_cast<float>(x); }

// max(x, 0) + min(0, alpha (exp(x / alpha) - 1)), which is alpha elu(x / alpha).
absl::StatusOr<Operand> ConvertCelu(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", 1));
  if (!(alpha > 0)) return Unimplemented("alpha is ", alpha, ", not above 0");
  return (alpha * Map("Elu", 1 / alpha * Real(node, 0), {{"alpha", 1.0}})).Take();
}

absl::StatusOr<Operand> ConvertElu(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", 1));
  return Map("Elu", Real(node, 0), {{"alpha", alpha}}).Take();
}

// x / 2 (1 + erf(x / sqrt(2))), or 1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for the bracket.
absl::StatusOr<Operand> ConvertGelu(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const std::string approximate, node.String("approximate", "none"));
  if (approximate == "none") {
    return (0.5 * x * (Map("Erf", std::sqrt(0.5) * x) + 1)).Take();
  }
  if (approximate != "tanh") return InvalidArgument("approximate is \"", approximate, "\"");
  const Term inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
  return (0.5 * x * (Map("Tanh", inner) + 1)).Take();
}

// max(0, min(1, alpha x + beta))
Term HardSigmoid(const Term& x, double alpha, double beta) {
  return Max(Min(alpha * x + beta, 1), 0);
}

absl::StatusOr<Operand> ConvertHardSigmoid(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", AsFloat(0.2)));
  SEQ_ASSIGN_OR_RETURN(const double beta, node.Float("beta", 0.5));
  return HardSigmoid(Real(node, 0), alpha, beta).Take();
}

absl::StatusOr<Operand> ConvertHardSwish(NodeImport& node) {
  const Term x = Real(node, 0);
  return (x * HardSigmoid(x, 1.0 / 6, 0.5)).Take();
}

// max(x, 0) + alpha min(x, 0)
absl::StatusOr<Operand> ConvertLeakyRelu(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", AsFloat(0.01)));
  return (Map("Relu", x) + alpha * Min(x, 0)).Take();
}

absl::StatusOr<Operand> ConvertMish(NodeImport& node) {
  const Term x = Real(node, 0);
  return (x * Map("Tanh", Map("Softplus", x))).Take();
}

// max(x, 0) + slope min(x, 0)
absl::StatusOr<Operand> ConvertPRelu(NodeImport& node) {
  const Term x = Real(node, 0), slope = Real(node, 1);
  if (node.opset() < 7 && slope.operand().ok() && slope.operand()->rank() > 0 &&
      slope.operand()->shape() != Shape{1}) {
    return Unimplemented("a slope for each channel in opset ", node.opset());
  }
  return (Max(x, 0) + slope * Min(x, 0)).Take();
}

absl::StatusOr<Operand> ConvertSelu(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", AsFloat(1.67326319217681884765625)));
  SEQ_ASSIGN_OR_RETURN(const double gamma, node.Float("gamma", AsFloat(1.05070102214813232421875)));
  return (gamma * Map("Elu", Real(node, 0), {{"alpha", alpha}})).Take();
}

// x + bias below -lambd, x - bias above lambd, 0 between.
absl::StatusOr<Operand> ConvertShrink(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const double bias, node.Float("bias", 0));
  SEQ_ASSIGN_OR_RETURN(const double lambd, node.Float("lambd", 0.5));
  const Term above = Where(Less(x.Scalar(lambd), x), x - bias, x.Scalar(0));
  return Where(Less(x, x.Scalar(-lambd)), x + bias, above).Take();
}

absl::StatusOr<Operand> ConvertSoftplus(NodeImport& node) {
  return Map("Softplus", Real(node, 0)).Take();
}

absl::StatusOr<Operand> ConvertSoftsign(NodeImport& node) {
  const Term x = Real(node, 0);
  return (x / (Map("Abs", x) + 1)).Take();
}

absl::StatusOr<Operand> ConvertThresholdedRelu(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", 1));
  return Where(Less(x.Scalar(alpha), x), x, x.Scalar(0)).Take();
}

constexpr ConverterRow kActivationRows[] = {
    {"Celu", ConvertCelu},
    {"Elu", ConvertElu},
    {"Gelu", ConvertGelu},
    {"HardSigmoid", ConvertHardSigmoid},
    {"HardSwish", ConvertHardSwish},
    {"LeakyRelu", ConvertLeakyRelu},
    {"Mish", ConvertMish},
    {"PRelu", ConvertPRelu},
    {"Selu", ConvertSelu},
    {"Shrink", ConvertShrink},
    {"Softplus", ConvertSoftplus},
    {"Softsign", ConvertSoftsign},
    {"ThresholdedRelu", ConvertThresholdedRelu},
};

}  // namespace

absl::Span<const ConverterRow> ActivationConverters() { return kActivationRows; }

}  // namespace seqgraph::onnx
