// Operators that add elements: of one value, by repeating some, or in the place of others.

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

constexpr int64_t kMost = int64_t{1} << 30;  // elements along an axis

// Along one axis by what is there: its ends, or its own elements backward or from the other end.
absl::StatusOr<Operand> PadByElements(GraphImport& g, const Operand& x, int64_t axis,
                                      int64_t before, int64_t after, const std::string& mode) {
  const int64_t extent = x.shape()[static_cast<int>(axis)].size();
  const int64_t most = mode == "reflect" ? extent - 1 : mode == "wrap" ? extent : kMost;
  if (std::max(before, after) > most || extent == 0) {
    return Unimplemented("a padding of more than is there");
  }
  const auto part = [&](int64_t count, int64_t begin, int64_t end) -> absl::StatusOr<Operand> {
    SEQ_ASSIGN_OR_RETURN(const Operand slice, g.Slice(x, axis, begin, end));
    if (mode == "wrap") return slice;
    if (mode == "reflect") return g.Emit("Reverse", {slice}, {{"axis", axis}});
    std::vector<Dim> dims(x.shape().dims().begin(), x.shape().dims().end());
    dims[axis] = count;
    return g.BroadcastTo(slice, Shape(dims));
  };
  std::vector<Operand> parts = {x};
  if (before > 0) {
    const int64_t begin = mode == "edge" ? 0 : mode == "reflect" ? 1 : extent - before;
    SEQ_ASSIGN_OR_RETURN(Operand front, part(before, begin, mode == "edge" ? 1 : begin + before));
    parts.insert(parts.begin(), std::move(front));
  }
  if (after > 0) {
    const int64_t end = mode == "edge" ? extent : mode == "reflect" ? extent - 1 : after;
    SEQ_ASSIGN_OR_RETURN(parts.emplace_back(),
                         part(after, mode == "edge" ? extent - 1 : end - after, end));
  }
  return g.Concat(parts, axis);
}

absl::StatusOr<Operand> ConvertPad(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const std::string mode, node.String("mode", "constant"));
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap") {
    return InvalidArgument("mode is \"", mode, "\"");
  }
  Ints pads;
  double value = 0;
  if (node.opset() < 11) {
    SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints("pads"));
    SEQ_ASSIGN_OR_RETURN(value, node.Float("value", 0));
    pads = given.value_or(Ints{});
  } else {
    SEQ_ASSIGN_OR_RETURN(pads, node.KnownInts(1, "pads"));
    if (node.has_input(2)) {
      SEQ_ASSIGN_OR_RETURN(value, node.KnownScalar(2, "the value"));
    }
  }
  Ints axes(x.rank());
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has_input(3)) {
    SEQ_ASSIGN_OR_RETURN(axes, node.KnownInts(3, "axes"));
  }
  if (pads.size() != 2 * axes.size()) {
    return InvalidArgument("pads must be two for each of ", axes.size(), " axes");
  }
  Operand y = x;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t before = pads[i], after = pads[axes.size() + i];
    SEQ_ASSIGN_OR_RETURN(const int64_t axis, NodeImport::Axis(axes[i], x.rank()));
    if (before == 0 && after == 0) continue;
    const Dim extent = x.shape()[static_cast<int>(axis)];
    if (extent.is_batch()) return Unimplemented("it pads the batch");
    if (std::min(before, after) < -extent.size() || std::max(before, after) > kMost ||
        std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0) < -extent.size()) {
      return InvalidArgument("pads ", before, " and ", after, " of ", extent.size());
    }
    if (mode == "constant" || std::min(before, after) < 0) {
      if (mode != "constant" && std::max(before, after) > 0) {
        return Unimplemented("it pads and cuts the same axis");
      }
      SEQ_ASSIGN_OR_RETURN(y, node.graph().Pad(y, axis, before, after, value));
    } else {
      SEQ_ASSIGN_OR_RETURN(y, PadByElements(node.graph(), y, axis, before, after, mode));
    }
  }
  return y;
}

// Each axis as often as `repeats` says: [.., n, ..] as [.., 1, n, ..], broadcast.
absl::StatusOr<Operand> ConvertTile(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Ints repeats, node.KnownInts(1, "repeats"));
  if (static_cast<int>(repeats.size()) != x.rank() || node.opset() < 6) {
    return InvalidArgument("repeats must be one number for each axis of ", x.shape().ToString());
  }
  for (int axis = 0; axis < x.rank(); ++axis) {
    const int64_t count = repeats[axis];
    const Dim extent = x.shape()[axis];
    if (count == 1) continue;
    if (count == kBatchElement && extent == 1) {
      std::vector<Dim> dims(x.shape().dims().begin(), x.shape().dims().end());
      dims[axis] = Dim::Batch();
      SEQ_ASSIGN_OR_RETURN(x, g.Expand(x, Shape(dims)));
      continue;
    }
    if (extent.is_batch() || BatchFactor(count) > 0) return Unimplemented("it repeats the batch");
    if (count < 0 || count > kMost || extent.size() > Shape::kMaxElements / (count + 1)) {
      return InvalidArgument("repeats are ", count, " of ", x.shape().ToString());
    }
    if (x.rank() == Shape::kMaxRank) return Unimplemented("of ", x.rank(), " axes");
    std::vector<Dim> dims(x.shape().dims().begin(), x.shape().dims().end());
    const Shape tiled = [&] {
      std::vector<Dim> result = dims;
      result[axis] = extent.size() * count;
      return Shape(result);
    }();
    SEQ_RETURN_IF_ERROR(tiled.Validate());
    dims.insert(dims.begin() + axis, Dim(1));
    SEQ_ASSIGN_OR_RETURN(x, g.Reshape(x, Shape(dims)));
    dims[axis] = count;
    SEQ_ASSIGN_OR_RETURN(x, g.BroadcastTo(x, Shape(dims)));
    SEQ_ASSIGN_OR_RETURN(x, g.Reshape(x, tiled));
  }
  return x;
}

// The elements on one side of diagonal k, and 0 on the other.
absl::StatusOr<Operand> ConvertTrilu(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t upper, node.Int("upper", 1));
  double k = 0;
  if (node.has_input(1)) {
    SEQ_ASSIGN_OR_RETURN(k, node.KnownScalar(1, "k"));
  }
  if (x.rank() < 2) return InvalidArgument("the operand is ", x.shape().ToString());
  const Dim rows = x.shape()[x.rank() - 2], columns = x.shape().back();
  if (rows.is_batch() || columns.is_batch()) return Unimplemented("a matrix over the batch");
  SEQ_RETURN_IF_ERROR(node.graph().Charge(rows.size() * columns.size() * 4));
  std::vector<int32_t> kept(rows.size() * columns.size());
  for (int64_t i = 0; i < static_cast<int64_t>(kept.size()); ++i) {
    const auto above = static_cast<double>(i % columns.size() - i / columns.size());
    kept[i] = upper != 0 ? above >= k : above <= k;
  }
  const Term mask(node.graph(), Operand::Of(Tensor::Of<int32_t>(Shape{rows, columns}, kept)));
  const Term value = Input(node, 0);
  return Where(mask, value, value.Scalar(0)).Take();
}

constexpr ConverterRow kPaddingRows[] = {
    {"Pad", ConvertPad},
    {"Tile", ConvertTile},
    {"Trilu", ConvertTrilu},
};

}  // namespace

absl::Span<const ConverterRow> PaddingConverters() { return kPaddingRows; }

}  // namespace seqgraph::onnx
