// Operators that put elements in other places.

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

constexpr int64_t kMaxParts = 4096;  // of Concat and Split

absl::StatusOr<Operand> ConvertTranspose(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  Ints reversed(x.rank());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints("perm"));
  const Ints permutation = given.value_or(reversed);
  Ints sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  std::reverse(sorted.begin(), sorted.end());
  if (sorted != reversed) {
    return InvalidArgument("attribute perm must have each axis of ", x.shape().ToString(), " once");
  }
  return node.graph().Transpose(x, permutation);
}

// The number of elements but for the batch, and how often the batch is there.
struct Elements {
  explicit Elements(const Shape& shape) {
    for (Dim dim : shape.dims()) {
      if (dim.is_batch()) {
        ++batches;
      } else {
        product *= dim.size();
      }
    }
  }
  int64_t product = 1;
  int batches = 0;
};

// The shape that a request (0: as x has it there, -1: what is left, kBatchElement) gives.
absl::StatusOr<Shape> RequestedShape(const Shape& x, const Ints& request, bool allow_zero) {
  if (request.size() > static_cast<size_t>(Shape::kMaxRank)) {
    return Unimplemented("a shape of ", request.size(), " axes; at most ", Shape::kMaxRank);
  }
  Shape shape;
  int open = -1;
  for (size_t i = 0; i < request.size(); ++i) {
    Dim dim(1);
    if (request[i] == kBatchElement) {
      dim = Dim::Batch();
    } else if (request[i] == 0 && !allow_zero) {
      if (i >= static_cast<size_t>(x.rank())) {
        return InvalidArgument("a 0 in the shape stands for an axis that is not there");
      }
      dim = x[static_cast<int>(i)];
    } else if (request[i] == -1 && open < 0) {
      open = static_cast<int>(i);
    } else if (request[i] < 0) {
      return InvalidArgument("extents must be at least 0, or -1 once");
    } else {
      dim = request[i];
    }
    shape.Append(dim);
  }
  SEQ_RETURN_IF_ERROR(shape.Validate());
  const Elements have(x), want(shape);
  if (open >= 0) {
    std::vector<Dim> dims(shape.dims().begin(), shape.dims().end());
    if (have.batches == want.batches + 1 && have.product == want.product) {
      dims[open] = Dim::Batch();
    } else if (have.batches == want.batches && want.product > 0 &&
               have.product % want.product == 0) {
      dims[open] = have.product / want.product;
    } else {
      return Unimplemented("a reshape of ", x.ToString(), " that mixes the batch with other axes");
    }
    shape = Shape(dims);
  } else if (have.batches != want.batches) {
    return Unimplemented(
        "a reshape of ", x.ToString(), " to ", shape.ToString(),
        ": the batch must stay an axis of its own (name another batch for a fixed one)");
  }
  return shape;
}

absl::StatusOr<Operand> ConvertReshape(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Ints request, node.KnownInts(1, "the shape"));
  SEQ_ASSIGN_OR_RETURN(const int64_t allow_zero, node.Int("allowzero", 0));
  SEQ_ASSIGN_OR_RETURN(const Shape shape, RequestedShape(x.shape(), request, allow_zero != 0));
  const Elements have(x.shape()), want(shape);
  if (have.product != want.product || have.batches != want.batches) {
    return InvalidArgument(x.shape().ToString(), " does not fit into ", shape.ToString());
  }
  return node.graph().Reshape(x, shape);
}

absl::StatusOr<Operand> ConvertSqueeze(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> axes, node.Axes(1, 13, x.rank()));
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    const Dim dim = x.shape()[i];
    const bool drop =
        axes.has_value() ? std::binary_search(axes->begin(), axes->end(), i) : dim == 1;
    if (!drop) {
      shape.Append(dim);
    } else if (dim != 1) {
      return InvalidArgument("axis ", i, " of ", x.shape().ToString(), " is not 1");
    }
  }
  return node.graph().Reshape(x, shape);
}

absl::StatusOr<Operand> ConvertUnsqueeze(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  // How many axes come to it says how negative ones count.
  int64_t added = 0;
  if (node.opset() < 13) {
    SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> axes, node.Ints("axes"));
    added = axes.has_value() ? static_cast<int64_t>(axes->size()) : 0;
  } else {
    SEQ_ASSIGN_OR_RETURN(const Ints axes, node.KnownInts(1, "axes"));
    added = static_cast<int64_t>(axes.size());
  }
  if (x.rank() + added > Shape::kMaxRank) {
    return Unimplemented("more than ", Shape::kMaxRank, " axes");
  }
  const int rank = x.rank() + static_cast<int>(added);
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> axes, node.Axes(1, 13, rank));
  if (!axes.has_value()) return InvalidArgument("axes are missing");
  Shape shape;
  int from = 0;
  for (int i = 0; i < rank; ++i) {
    const bool added_here = std::binary_search(axes->begin(), axes->end(), i);
    shape.Append(added_here ? Dim(1) : x.shape()[from++]);
  }
  return node.graph().Reshape(x, shape);
}

absl::StatusOr<Operand> ConvertFlatten(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t given, node.Int("axis", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, NodeImport::Axis(given, x.rank(), /*behind=*/true));
  const auto part = [&](int64_t begin, int64_t end) -> absl::StatusOr<Dim> {
    const Shape some(x.shape().dims().subspan(begin, end - begin));
    const Elements elements(some);
    if (elements.batches == 0) return Dim(elements.product);
    if (elements.batches == 1 && elements.product == 1) return Dim::Batch();
    return Unimplemented("it mixes the batch of ", x.shape().ToString(), " with other axes");
  };
  SEQ_ASSIGN_OR_RETURN(const Dim rows, part(0, axis));
  SEQ_ASSIGN_OR_RETURN(const Dim columns, part(axis, x.rank()));
  return node.graph().Reshape(x, Shape{rows, columns});
}

absl::StatusOr<Operand> ConvertConcat(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand first, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(0, first.rank()));
  if (node.num_inputs() > kMaxParts) return Unimplemented("more than ", kMaxParts, " inputs");
  std::vector<Operand> parts;
  for (int i = 0; i < node.num_inputs(); ++i) {
    SEQ_ASSIGN_OR_RETURN(Operand part, node.input(i));
    // What has nothing along the axis, and none of its own extents to check, adds nothing.
    if (part.rank() == 1 && part.shape()[0] == 0 && first.rank() == 1 && node.num_inputs() > 1) {
      continue;
    }
    parts.push_back(std::move(part));
  }
  if (parts.empty()) parts.push_back(first);
  return node.graph().Concat(parts, axis);
}

// numpy's x[start:end:step] along one axis.
absl::StatusOr<Operand> SliceAxis(NodeImport& node, const Operand& x, int64_t axis, int64_t start,
                                  int64_t end, int64_t step) {
  const Dim dim = x.shape()[static_cast<int>(axis)];
  constexpr int64_t kFar = std::numeric_limits<int32_t>::max();
  if (start == kBatchElement || step == kBatchElement ||
      (end == kBatchElement && !dim.is_batch())) {
    return Unimplemented("it slices by the batch");
  }
  if (dim.is_batch()) {
    if (start == 0 && step == 1 && (end >= kFar || end == kBatchElement)) return x;
    return Unimplemented("it takes a part of the batch");
  }
  if (step == 0 || step == std::numeric_limits<int64_t>::min()) {
    return InvalidArgument("a step of 0");
  }
  const int64_t n = dim.size();
  const auto from_start = [n](int64_t i, int64_t low, int64_t high) {
    return std::clamp(i < 0 ? i + n : i, low, high);
  };
  if (step > 0) {
    const int64_t begin = from_start(start, 0, n);
    const int64_t behind = std::max(begin, from_start(end, 0, n));
    return node.graph().Slice(x, axis, begin, behind, step);
  }
  // Backward from `begin` down to above `behind`: a slice of the reversed axis.
  const int64_t begin = from_start(start, -1, n - 1), behind = from_start(end, -1, n - 1);
  SEQ_ASSIGN_OR_RETURN(const Operand reversed, node.graph().Emit("Reverse", {x}, {{"axis", axis}}));
  return node.graph().Slice(reversed, axis, n - 1 - begin, std::max(n - 1 - begin, n - 1 - behind),
                            -step);
}

absl::StatusOr<Operand> ConvertSlice(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  Ints starts, ends, axes, steps;
  if (node.opset() < 10) {
    SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> a, node.Ints("starts"));
    SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> b, node.Ints("ends"));
    SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> c, node.Ints("axes"));
    starts = a.value_or(Ints{});
    ends = b.value_or(Ints{});
    axes = c.value_or(Ints{});
  } else {
    SEQ_ASSIGN_OR_RETURN(starts, node.KnownInts(1, "starts"));
    SEQ_ASSIGN_OR_RETURN(ends, node.KnownInts(2, "ends"));
    if (node.has_input(3)) {
      SEQ_ASSIGN_OR_RETURN(axes, node.KnownInts(3, "axes"));
    }
    if (node.has_input(4)) {
      SEQ_ASSIGN_OR_RETURN(steps, node.KnownInts(4, "steps"));
    }
  }
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size() || starts.size() > Shape::kMaxRank) {
    return InvalidArgument("starts, ends, axes and steps differ in number");
  }
  Operand y = x;
  for (size_t i = 0; i < starts.size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(const int64_t axis, NodeImport::Axis(axes[i], x.rank()));
    SEQ_ASSIGN_OR_RETURN(y, SliceAxis(node, y, axis, starts[i], ends[i], steps[i]));
  }
  return y;
}

absl::StatusOr<Operand> ConvertSplit(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(0, x.rank()));
  const Dim extent = x.shape()[static_cast<int>(axis)];
  if (extent.is_batch()) return Unimplemented("it splits the batch");
  if (node.num_outputs() > kMaxParts) return Unimplemented("more than ", kMaxParts, " outputs");
  std::optional<Ints> sizes;
  if (node.opset() < 13) {
    SEQ_ASSIGN_OR_RETURN(sizes, node.Ints("split"));
  } else if (node.has_input(1)) {
    SEQ_ASSIGN_OR_RETURN(sizes, node.KnownInts(1, "split"));
  }
  const int64_t count = node.num_outputs();
  SEQ_ASSIGN_OR_RETURN(const int64_t stated, node.Int("num_outputs", count));
  if (stated != count) return InvalidArgument("num_outputs is not that of its outputs");
  if (!sizes.has_value()) {
    // Equal parts; from opset 18 on the last one may be smaller.
    const int64_t part = (extent.size() + count - 1) / count;
    sizes.emplace(count, part);
    sizes->back() = extent.size() - part * (count - 1);
  }
  if (static_cast<int64_t>(sizes->size()) != count) {
    return InvalidArgument("split has not as many sizes as there are outputs");
  }
  int64_t begin = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t size = (*sizes)[i];
    if (size < 0 || size > extent.size() - begin) {
      return InvalidArgument("split does not add up to ", extent.size(),
                             ", the extent of the axis");
    }
    SEQ_ASSIGN_OR_RETURN(Operand part, node.graph().Slice(x, axis, begin, begin + size));
    node.SetOutput(static_cast<int>(i), std::move(part));
    begin += size;
  }
  return node.outputs()[0];
}

// As numpy broadcasts x with a tensor of that shape.
absl::StatusOr<Operand> ConvertExpand(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Ints request, node.KnownInts(1, "the shape"));
  SEQ_ASSIGN_OR_RETURN(const Shape shape, ShapeOf(request));
  // The shape as an operand of which no element is read.
  Operand like;
  like.type = {x.type.dtype, shape};
  like.fill = 0;
  SEQ_ASSIGN_OR_RETURN(const Shape result, BroadcastShapes(x.shape(), shape));
  if (result == x.shape()) return x;
  if (x.known != nullptr && x.known->num_elements() == 1 && !result.is_static()) {
    Operand y = like;
    y.type.shape = result;
    y.fill = x.known->Cast(DType::kFloat64).Elements<double>()[0];
    return y;
  }
  if (!shape.is_static() && x.shape().is_static()) {
    SEQ_ASSIGN_OR_RETURN(like.value, node.graph().Materialize(like));
    like.fill.reset();
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> both, node.graph().Broadcast({x, like}));
  both[0].boolean = x.boolean;
  return both[0];
}

constexpr ConverterRow kRows[] = {
    {"Concat", ConvertConcat},   {"Expand", ConvertExpand},       {"Flatten", ConvertFlatten},
    {"Reshape", ConvertReshape}, {"Slice", ConvertSlice},         {"Split", ConvertSplit},
    {"Squeeze", ConvertSqueeze}, {"Transpose", ConvertTranspose}, {"Unsqueeze", ConvertUnsqueeze},
};

}  // namespace

absl::Span<const ConverterRow> LayoutConverters() { return kRows; }

}  // namespace seqgraph::onnx
