// Operators that center and scale by moments, given or taken of the operand.

#include <cmath>
#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

Ints AxesFrom(int64_t begin, int rank) {
  Ints axes(std::max<int64_t>(rank - begin, 0));
  std::iota(axes.begin(), axes.end(), begin);
  return axes;
}

Term Centered(const Term& x, const Ints& axes) { return x - Reduce("ReduceMean", x, axes); }

// The mean of squares.
Term MeanSquare(const Term& x, const Ints& axes) { return Reduce("ReduceMean", x * x, axes); }

// Input i, one number a channel, along axis 1 of `rank` axes.
absl::StatusOr<Term> PerChannel(NodeImport& node, int i, const Operand& x) {
  SEQ_ASSIGN_OR_RETURN(const Operand given, node.input(i));
  if (x.rank() < 2 || given.rank() != 1 || given.shape()[0] != x.shape()[1]) {
    return InvalidArgument("input ", i, " is ", given.shape().ToString(),
                           ", not one number for each channel of ", x.shape().ToString());
  }
  Shape shape{x.shape()[1]};
  for (int axis = 2; axis < x.rank(); ++axis) shape.Append(1);
  return Term(node.graph(), node.graph().Reshape(given, shape));
}

// (x - mean) scale / sqrt(variance + epsilon) + b, with moments that are given.
absl::StatusOr<Operand> ConvertBatchNormalization(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const double epsilon, node.Float("epsilon", double{1e-5f}));
  SEQ_RETURN_IF_ERROR(node.Float("momentum", 0.9).status());  // of training
  SEQ_ASSIGN_OR_RETURN(const int64_t training, node.Int("training_mode", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t spatial, node.Int("spatial", 1));
  if (node.opset() < 7) SEQ_RETURN_IF_ERROR(node.Int("is_test", 1).status());
  if (training != 0) return Unimplemented("training_mode: the moments are those of the batch");
  if (spatial != 1) return Unimplemented("moments of each element (spatial = 0)");
  SEQ_ASSIGN_OR_RETURN(const Term scale, PerChannel(node, 1, operand));
  SEQ_ASSIGN_OR_RETURN(const Term b, PerChannel(node, 2, operand));
  SEQ_ASSIGN_OR_RETURN(const Term mean, PerChannel(node, 3, operand));
  SEQ_ASSIGN_OR_RETURN(const Term variance, PerChannel(node, 4, operand));
  return ((x - mean) * (scale / Map("Sqrt", variance + epsilon)) + b).Take();
}

// The same with the moments of each row and channel.
absl::StatusOr<Operand> ConvertInstanceNormalization(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const double epsilon, node.Float("epsilon", double{1e-5f}));
  SEQ_ASSIGN_OR_RETURN(const Term scale, PerChannel(node, 1, operand));
  SEQ_ASSIGN_OR_RETURN(const Term b, PerChannel(node, 2, operand));
  const Ints axes = AxesFrom(2, operand.rank());
  const Term centered = Centered(x, axes);
  return (centered / Map("Sqrt", MeanSquare(centered, axes) + epsilon) * scale + b).Take();
}

// The same with those of each row and group of channels.
absl::StatusOr<Operand> ConvertGroupNormalization(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  SEQ_ASSIGN_OR_RETURN(const double epsilon, node.Float("epsilon", double{1e-5f}));
  SEQ_ASSIGN_OR_RETURN(const int64_t groups, node.Int("num_groups", 0));
  SEQ_RETURN_IF_ERROR(node.Int("stash_type", 1).status());
  if (x.rank() < 2 || x.rank() == Shape::kMaxRank || x.shape()[1].is_batch() || groups < 1 ||
      x.shape()[1].size() % groups != 0) {
    return InvalidArgument(x.shape().ToString(), " does not have channels for ", groups, " groups");
  }
  Shape grouped{x.shape()[0], groups, x.shape()[1].size() / groups};
  for (int axis = 2; axis < x.rank(); ++axis) grouped.Append(x.shape()[axis]);
  const Ints axes = AxesFrom(2, grouped.rank());
  const Term centered = Centered({g, g.Reshape(x, grouped)}, axes);
  SEQ_ASSIGN_OR_RETURN(const Operand normal,
                       (centered / Map("Sqrt", MeanSquare(centered, axes) + epsilon)).Take());
  // Before opset 21 scale and bias are those of groups.
  const Operand like = node.opset() < 21 ? normal : x;
  SEQ_ASSIGN_OR_RETURN(const Term scale, PerChannel(node, 1, like));
  SEQ_ASSIGN_OR_RETURN(const Term b, PerChannel(node, 2, like));
  SEQ_ASSIGN_OR_RETURN(const Operand shaped, g.Reshape(normal, like.shape()));
  SEQ_ASSIGN_OR_RETURN(const Operand y, (Term(g, shaped) * scale + b).Take());
  return g.Reshape(y, x.shape());
}

// Along the last axes, from `axis` on; RMSNormalization does not center.
template <bool centers>
absl::StatusOr<Operand> ConvertLayerNormalization(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(-1, operand.rank()));
  SEQ_ASSIGN_OR_RETURN(const double epsilon, node.Float("epsilon", double{1e-5f}));
  SEQ_RETURN_IF_ERROR(node.Int("stash_type", 1).status());  // the type of the moments
  const Ints axes = AxesFrom(axis, operand.rank());
  const Term mean = Reduce("ReduceMean", x, axes);
  const Term centered = centers ? x - mean : x;
  const Term deviation = Map("Sqrt", MeanSquare(centered, axes) + epsilon);
  if (node.wants_output(1)) {
    SEQ_ASSIGN_OR_RETURN(Operand output, mean.Take());
    node.SetOutput(1, std::move(output));
  }
  if (node.wants_output(2)) {
    SEQ_ASSIGN_OR_RETURN(Operand output, Map("Reciprocal", deviation).Take());
    node.SetOutput(2, std::move(output));
  }
  const Term y = centered / deviation * Input(node, 1);
  return (node.has_input(2) ? y + Input(node, 2) : y).Take();
}

// x / the norm along the axis: the sum of magnitudes, or the root of that of squares; 0 stays 0.
absl::StatusOr<Operand> ConvertLpNormalization(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(-1, operand.rank()));
  SEQ_ASSIGN_OR_RETURN(const int64_t p, node.Int("p", 2));
  if (p != 1 && p != 2) return InvalidArgument("p is ", p);
  const Ints axes{axis};
  const Term norm = p == 1 ? Reduce("ReduceSum", Map("Abs", x), axes)
                           : Map("Sqrt", Reduce("ReduceSum", x * x, axes));
  return (x / Where(Equal(norm, norm.Scalar(0)), norm.Scalar(1), norm)).Take();
}

// x / (bias + alpha / size times the sum of squares of `size` channels around each)^beta
absl::StatusOr<Operand> ConvertLrn(NodeImport& node) {
  GraphImport& g = node.graph();
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const int64_t size, node.Int("size", 0));
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", double{1e-4f}));
  SEQ_ASSIGN_OR_RETURN(const double beta, node.Float("beta", 0.75));
  SEQ_ASSIGN_OR_RETURN(const double bias, node.Float("bias", 1));
  constexpr int64_t kWidest = 1024;
  if (operand.rank() < 2 || operand.shape()[1].is_batch() || size < 1 || size > kWidest) {
    return InvalidArgument(size, " channels of ", operand.shape().ToString());
  }
  const int64_t channels = operand.shape()[1].size(), before = (size - 1) / 2;
  SEQ_ASSIGN_OR_RETURN(const Operand squares, (x * x).Take());
  SEQ_ASSIGN_OR_RETURN(const Operand padded, g.Pad(squares, 1, before, size - 1 - before, 0));
  Term sum(g, g.Slice(padded, 1, 0, channels));
  for (int64_t i = 1; i < size; ++i) sum = sum + Term(g, g.Slice(padded, 1, i, i + channels));
  const Term base = alpha / static_cast<double>(size) * sum + bias;
  return (x / Map("Power", base, base.Scalar(beta))).Take();
}

// (x - mean) / (deviation + 1e-9)
absl::StatusOr<Operand> ConvertMeanVarianceNormalization(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints("axes"));
  Ints axes = given.value_or(Ints{0, 2, 3});
  for (int64_t& axis : axes) {
    SEQ_ASSIGN_OR_RETURN(axis, NodeImport::Axis(axis, operand.rank()));
  }
  std::sort(axes.begin(), axes.end());
  const Term centered = Centered(x, axes);
  return (centered / (Map("Sqrt", MeanSquare(centered, axes)) + 1e-9)).Take();
}

constexpr ConverterRow kNormalizationRows[] = {
    {"BatchNormalization", ConvertBatchNormalization},
    {"GroupNormalization", ConvertGroupNormalization},
    {"InstanceNormalization", ConvertInstanceNormalization},
    {"LayerNormalization", ConvertLayerNormalization<true>},
    {"LRN", ConvertLrn},
    {"LpNormalization", ConvertLpNormalization},
    {"MeanVarianceNormalization", ConvertMeanVarianceNormalization},
    {"RMSNormalization", ConvertLayerNormalization<false>},
};

}  // namespace

absl::Span<const ConverterRow> NormalizationConverters() { return kNormalizationRows; }

}  // namespace seqgraph::onnx
