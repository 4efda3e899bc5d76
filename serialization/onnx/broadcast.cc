// Numpy's broadcasting of operands, with the batch among their axes.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/graph_import.h"

namespace seqgraph::onnx {
namespace {

// True if `from`, whose axes are the last ones of `to`, has the batch wherever `to` has it.
bool BringsBatch(const Shape& from, const Shape& to) {
  const int lead = to.rank() - from.rank();
  for (int i = 0; i < to.rank(); ++i) {
    if (to[i].is_batch() && (i < lead || !from[i - lead].is_batch())) return false;
  }
  return true;
}

// The one value that all elements are known to have, where their number is not.
std::optional<double> OneValue(const Operand& operand) {
  if (operand.known == nullptr) return operand.fill;
  if (operand.known->num_elements() != 1 || HoldsBatch(*operand.known)) return std::nullopt;
  return operand.known->Cast(DType::kFloat64).Elements<double>()[0];
}

// Broadcasting aligns last axes, so it minds merged first ones only where the others reach them.
absl::Status CheckMerged(absl::Span<const Operand> operands) {
  const Operand* merged = nullptr;
  for (const Operand& operand : operands) {
    if (operand.merged > 0) merged = &operand;
  }
  if (merged == nullptr) return absl::OkStatus();
  for (const Operand& other : operands) {
    const bool same =
        other.merged == merged->merged &&
        other.shape().dims().first(other.merged) == merged->shape().dims().first(other.merged);
    const bool below =
        other.merged == 0 && (other.rank() < merged->onnx_rank() ||
                              (other.rank() == merged->onnx_rank() && other.shape()[0] == 1));
    if (!same && !below) {
      return Unimplemented("it broadcasts ", other.shape().ToString(),
                           " along the batch and other axes taken together");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int i = 0; i < rank; ++i) {
    const int at_a = i - (rank - a.rank()), at_b = i - (rank - b.rank());
    const Dim from_a = at_a < 0 ? Dim(1) : a[at_a], from_b = at_b < 0 ? Dim(1) : b[at_b];
    if (from_a != from_b && from_a != 1 && from_b != 1) {
      return InvalidArgument("shapes ", a.ToString(), " and ", b.ToString(), " do not broadcast");
    }
    result.Append(from_a == 1 ? from_b : from_a);
  }
  return result;
}

absl::StatusOr<Operand> GraphImport::BroadcastTo(const Operand& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return WithBoolean(Emit("BroadcastTo", {x}, {{"shape", AttributeExtents(shape)}}), x.boolean);
}

absl::StatusOr<Operand> GraphImport::Expand(const Operand& x, const Shape& shape) {
  SEQ_ASSIGN_OR_RETURN(const Shape result, BroadcastShapes(x.shape(), shape));
  if (result == x.shape()) return x;
  // The shape as an operand of which no element is read.
  Operand like;
  like.type = {x.type.dtype, shape};
  like.fill = 0;
  if (x.known != nullptr && x.known->num_elements() == 1 && !result.is_static()) {
    if (HoldsBatch(*x.known)) return BatchIsNoNumber();
    like.type.shape = result;
    like.fill = x.known->Cast(DType::kFloat64).Elements<double>()[0];
    like.boolean = x.boolean;
    return like;
  }
  if (!shape.is_static() && x.shape().is_static()) {
    SEQ_ASSIGN_OR_RETURN(like.value, Materialize(like));
    like.fill.reset();
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> both, Broadcast({x, like}));
  both[0].boolean = x.boolean;
  return both[0];
}

absl::StatusOr<Operand> GraphImport::BroadcastLike(const Operand& x, const Operand& like) {
  std::vector<Dim> dims(like.rank(), Dim(1));
  std::copy_backward(x.shape().dims().begin(), x.shape().dims().end(), dims.end());
  SEQ_ASSIGN_OR_RETURN(const Operand padded, Reshape(x, Shape(dims)));
  std::vector<int64_t> axes;
  for (int i = 0; i < like.rank(); ++i) {
    if (dims[i] != like.shape()[i]) axes.push_back(i);
  }
  SEQ_ASSIGN_OR_RETURN(const Operand typed, Cast(like, x.type.dtype));
  return WithBoolean(Emit("BroadcastLike", {padded, typed}, {{"axes", axes}}), x.boolean);
}

absl::StatusOr<Operand> GraphImport::Pair(absl::string_view op, const Operand& a,
                                          const Operand& b) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> both, Broadcast({a, b}));
  const bool known = both[0].known != nullptr && both[1].known != nullptr;
  if (known && (HoldsBatch(*both[0].known) || HoldsBatch(*both[1].known))) {
    SEQ_ASSIGN_OR_RETURN(Tensor y, ComputeWithBatch(op, *both[0].known, *both[1].known));
    return Operand::Of(std::move(y));
  }
  return Emit(op, both);
}

absl::StatusOr<std::vector<Operand>> GraphImport::Broadcast(std::vector<Operand> operands) {
  SEQ_RETURN_IF_ERROR(CheckMerged(operands));
  Shape shape;
  for (const Operand& operand : operands) {
    SEQ_ASSIGN_OR_RETURN(shape, BroadcastShapes(shape, operand.shape()));
  }
  // Whoever has the batch goes first, so that the others can follow its shape.
  const Operand* like = nullptr;
  for (Operand& operand : operands) {
    if (!operand.value.present() || !BringsBatch(operand.shape(), shape)) continue;
    SEQ_ASSIGN_OR_RETURN(operand, BroadcastTo(operand, shape));
    if (like == nullptr) like = &operand;
  }
  for (Operand& operand : operands) {
    if (operand.shape() == shape && !operand.fill.has_value()) continue;
    if (operand.fill.has_value() && like != nullptr) {
      operand = Scalar(*operand.fill, operand.type.dtype);
    }
    const bool open = like == nullptr && !shape.is_static();
    const std::optional<double> one = open ? OneValue(operand) : std::nullopt;
    if (one.has_value()) {
      Operand filled;
      filled.type = {operand.type.dtype, shape};
      filled.fill = one;
      filled.boolean = operand.boolean;
      operand = std::move(filled);
    } else if (BringsBatch(operand.shape(), shape)) {
      SEQ_ASSIGN_OR_RETURN(operand, BroadcastTo(operand, shape));
    } else if (like != nullptr) {
      SEQ_ASSIGN_OR_RETURN(operand, BroadcastLike(operand, *like));
    } else {
      return Unimplemented("no operand has the whole batch of ", shape.ToString());
    }
  }
  return operands;
}

}  // namespace seqgraph::onnx
