// Losses over classes, which lie along axis 1 of [batch, classes, ..], by labels [batch, ..].

#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

Term Total(const Term& x, int rank) {
  Ints axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return Map("ReduceSum", x, {{"axes", axes}});
}

// -x[n, label[n, ..], ..] weight[label[n, ..]], summed up or divided by the sum of the weights.
// A label that is no class, or is that to ignore, has weight 0.
absl::StatusOr<Operand> LikelihoodLoss(NodeImport& node, const Operand& x) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand labels, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const std::string reduction, node.String("reduction", "mean"));
  SEQ_ASSIGN_OR_RETURN(const int64_t ignored, node.Int("ignore_index", -1));
  if (x.rank() < 2 || x.shape()[1].is_batch() || labels.rank() != x.rank() - 1 ||
      IsReal(labels.type.dtype)) {
    return InvalidArgument("labels ", labels.type.ToString(), " for ", x.type.ToString());
  }
  const int64_t classes = x.shape()[1].size();
  Shape each{classes}, spread{labels.shape()[0], 1};
  for (int axis = 1; axis < labels.rank(); ++axis) {
    each.Append(1);
    spread.Append(labels.shape()[axis]);
  }
  SEQ_RETURN_IF_ERROR(g.Charge(classes * 16));
  std::vector<int64_t> numbers(classes);
  std::iota(numbers.begin(), numbers.end(), 0);
  Tensor names = Tensor::Of<int64_t>(each, numbers);
  if (node.Attribute("ignore_index") != nullptr && ignored >= 0 && ignored < classes) {
    names.Elements<int64_t>()[ignored] = -1 - classes;  // what no label is that counts
  }
  const Term term(g, x);
  Term weight = term.Scalar(1);
  if (node.has_input(2)) {
    if (node.optional_input(2).shape() != Shape{classes}) {
      return InvalidArgument("it needs a weight for each of ", classes, " classes");
    }
    weight = Term(g, g.Reshape(node.optional_input(2), each));
  }
  const Term hot = Equal(Term(g, g.Reshape(labels, spread)),
                         Term(g, Operand::Of(names.Cast(labels.type.dtype))));
  const auto of_label = [&](const Term& value) {
    return Map("ReduceSum", Where(hot, value, term.Scalar(0)), {{"axes", Ints{1}}});
  };
  const Term loss = of_label(-1 * weight * term);
  if (reduction == "none") return loss.Take();
  const Term sum = Total(loss, labels.rank());
  if (reduction == "sum") return sum.Take();
  if (reduction != "mean") return InvalidArgument("reduction is \"", reduction, "\"");
  return (sum / Total(of_label(weight), labels.rank())).Take();
}

absl::StatusOr<Operand> ConvertNegativeLogLikelihoodLoss(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  return LikelihoodLoss(node, x);
}

// The same of x - log sum exp(x) along the classes, which is output 1.
absl::StatusOr<Operand> ConvertSoftmaxCrossEntropyLoss(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  if (operand.rank() < 2) return InvalidArgument("scores ", operand.shape().ToString());
  const Term centered = x - Reduce("ReduceMax", x, {1});
  const Term log = centered - Map("Log", Reduce("ReduceSum", Map("Exp", centered), {1}));
  SEQ_ASSIGN_OR_RETURN(const Operand probabilities, log.Take());
  node.SetOutput(1, probabilities);
  return LikelihoodLoss(node, probabilities);
}

constexpr ConverterRow kLossRows[] = {
    {"NegativeLogLikelihoodLoss", ConvertNegativeLogLikelihoodLoss},
    {"SoftmaxCrossEntropyLoss", ConvertSoftmaxCrossEntropyLoss},
};

}  // namespace

absl::Span<const ConverterRow> LossConverters() { return kLossRows; }

}  // namespace seqgraph::onnx
