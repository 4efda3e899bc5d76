// Random numbers. What ONNX Runtime draws is its own; here they are a function of the attribute
// `seed` and of the node's place in the model, the same in each call and on every backend.

#include <cmath>
#include <cstring>

#include "base/status_macros.h"
#include "serialization/onnx/tensor.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::TensorProto;

// The bits of the seed, which is a float.
absl::StatusOr<int64_t> SeedOf(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const double seed, node.Float("seed", 0));
  const auto rounded = static_cast<float>(seed);
  int32_t bits = 0;
  std::memcpy(&bits, &rounded, sizeof(bits));
  return bits;
}

// Like x, in float32: n is standard normal, from which uniform numbers follow by its distribution.
absl::StatusOr<Operand> Draw(NodeImport& node, const Operand& like, bool uniform) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const int64_t seed, SeedOf(node));
  SEQ_ASSIGN_OR_RETURN(const int64_t type, node.Int("dtype", TensorProto::FLOAT));
  if (type != TensorProto::FLOAT) {
    return Unimplemented("random numbers of type ", ElementTypeName(static_cast<int32_t>(type)));
  }
  SEQ_ASSIGN_OR_RETURN(const Operand x, g.Cast(like, DType::kFloat32));
  const Operand seeds = Operand::Of(Tensor::Scalar<int64_t>(seed));
  const Operand step = Operand::Of(Tensor::Scalar<int64_t>(0));
  const auto stream = static_cast<int64_t>(g.builder().function().nodes().size());
  const Term n(g, g.Emit("RandomNormal", {seeds, step, x}, {{"stream", stream}}));
  if (!uniform) {
    SEQ_ASSIGN_OR_RETURN(const double mean, node.Float("mean", 0));
    SEQ_ASSIGN_OR_RETURN(const double scale, node.Float("scale", 1));
    return (scale * n + n.Scalar(mean)).Take();
  }
  SEQ_ASSIGN_OR_RETURN(const double low, node.Float("low", 0));
  SEQ_ASSIGN_OR_RETURN(const double high, node.Float("high", 1));
  const Term half = 0.5 * Map("Erf", std::sqrt(0.5) * n) + n.Scalar(0.5);
  return ((high - low) * half + n.Scalar(low)).Take();
}

template <bool kUniform>
absl::StatusOr<Operand> ConvertRandomLike(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand like, node.input(0));
  return Draw(node, like, kUniform);
}

template <bool kUniform>
absl::StatusOr<Operand> ConvertRandomOfShape(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const auto extents, node.Ints("shape"));
  if (!extents.has_value()) return InvalidArgument("attribute shape is missing");
  SEQ_ASSIGN_OR_RETURN(const Shape shape, ShapeOf(*extents));
  SEQ_ASSIGN_OR_RETURN(const Operand like,
                       node.graph().BroadcastTo(node.graph().Scalar(0, DType::kFloat32), shape));
  return Draw(node, like, kUniform);
}

constexpr ConverterRow kRandomRows[] = {
    {"RandomNormal", ConvertRandomOfShape<false>},
    {"RandomNormalLike", ConvertRandomLike<false>},
    {"RandomUniform", ConvertRandomOfShape<true>},
    {"RandomUniformLike", ConvertRandomLike<true>},
};

}  // namespace

absl::Span<const ConverterRow> RandomConverters() { return kRandomRows; }

}  // namespace seqgraph::onnx
