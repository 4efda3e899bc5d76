// Operators of ONNX Runtime's own domain that its optimizer makes of several standard ones.

#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"
#include "serialization/onnx/windows.h"

namespace seqgraph::onnx {
namespace {

// x / 2 (1 + erf(x / sqrt(2)))
Term Gelu(const Term& x) { return 0.5 * x * (Map("Erf", std::sqrt(0.5) * x) + 1); }

absl::StatusOr<Operand> ConvertBiasGelu(NodeImport& node) {
  const Term x = Real(node, 0);
  return Gelu(node.has_input(1) ? x + Input(node, 1) : x).Take();
}

// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) of x plus a bias
absl::StatusOr<Operand> ConvertFastGelu(NodeImport& node) {
  const Term given = Real(node, 0);
  const Term x = node.has_input(1) ? given + Input(node, 1) : given;
  const Term inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
  return (0.5 * x * (Map("Tanh", inner) + 1)).Take();
}

absl::StatusOr<Operand> ConvertQuickGelu(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", double{1.702f}));
  return (x * Map("Sigmoid", alpha * x)).Take();
}

absl::StatusOr<Operand> Swapped(GraphImport& g, const Operand& x, int64_t swap) {
  if (swap == 0) return x;
  if (x.rank() < 2) return InvalidArgument("a transpose of ", x.shape().ToString());
  std::vector<int64_t> order(x.rank());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 2], order.back());
  return g.Transpose(x, order);
}

// alpha A' B'
absl::StatusOr<Operand> ConvertFusedMatMul(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand a, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand b, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t swap_a, node.Int("transA", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t swap_b, node.Int("transB", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t batch_a, node.Int("transBatchA", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t batch_b, node.Int("transBatchB", 0));
  if (batch_a != 0 || batch_b != 0) return Unimplemented("a transpose of other axes");
  SEQ_ASSIGN_OR_RETURN(const Operand left, Swapped(g, a, swap_a));
  SEQ_ASSIGN_OR_RETURN(const Operand right, Swapped(g, b, swap_b));
  const Term product(g, MatrixProduct(node, left, right));
  return (alpha == 1 ? product : alpha * product).Take();
}

// LayerNormalization of the sum of the operands, along the last axis.
absl::StatusOr<Operand> ConvertSkipLayerNormalization(NodeImport& node) {
  Term x = Real(node, 0) + Real(node, 1);
  if (node.has_input(4)) x = x + Input(node, 4);
  SEQ_ASSIGN_OR_RETURN(const double epsilon, node.Float("epsilon", double{1e-12f}));
  SEQ_ASSIGN_OR_RETURN(Operand sum, x.Take());
  const std::vector<int64_t> axes{sum.rank() - 1};
  node.SetOutput(3, std::move(sum));
  const Term centered = x - Reduce("ReduceMean", x, axes);
  const Term variance = Reduce("ReduceMean", centered * centered, axes);
  const Term y = centered / Map("Sqrt", variance + epsilon) * Input(node, 2);
  return (node.has_input(3) ? y + Input(node, 3) : y).Take();
}

absl::StatusOr<Term> Activated(NodeImport& node, const Term& x) {
  SEQ_ASSIGN_OR_RETURN(const std::string name, node.String("activation", ""));
  SEQ_ASSIGN_OR_RETURN(const std::optional<std::vector<double>> given,
                       node.Floats("activation_params"));
  const std::vector<double> numbers = given.value_or(std::vector<double>{});
  if (name.empty()) return x;
  if (name == "Relu" || name == "Sigmoid" || name == "Tanh") return Map(name, x);
  if (name == "LeakyRelu" && numbers.size() == 1) return Max(x, 0) + numbers[0] * Min(x, 0);
  if (name == "Clip" && numbers.size() == 2) return Min(Max(x, numbers[0]), numbers[1]);
  if (name == "HardSigmoid" && numbers.size() == 2) {
    return Max(Min(numbers[0] * x + numbers[1], 1), 0);
  }
  return Unimplemented("activation \"", name, "\"");
}

// Conv, then plus input 3, then an activation.
absl::StatusOr<Operand> ConvertFusedConv(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  SEQ_ASSIGN_OR_RETURN(const Operand w, node.input(1));
  const Term y(node.graph(), Convolution(node, x, w, node.optional_input(2)));
  SEQ_ASSIGN_OR_RETURN(const Term activated,
                       Activated(node, node.has_input(3) ? y + Input(node, 3) : y));
  return activated.Take();
}

constexpr ConverterRow kFusedRows[] = {
    {"com.microsoft:BiasGelu", ConvertBiasGelu},
    {"com.microsoft:FastGelu", ConvertFastGelu},
    {"com.microsoft:FusedConv", ConvertFusedConv},
    {"com.microsoft:FusedMatMul", ConvertFusedMatMul},
    {"com.microsoft:Gelu", ConvertBiasGelu},
    {"com.microsoft:QuickGelu", ConvertQuickGelu},
    {"com.microsoft:SkipLayerNormalization", ConvertSkipLayerNormalization},
};

}  // namespace

absl::Span<const ConverterRow> FusedConverters() { return kFusedRows; }

}  // namespace seqgraph::onnx
