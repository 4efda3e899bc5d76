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

// The extents of x in the eyes of ONNX.
Ints ExtentsOf(const Operand& x) {
  Ints extents;
  if (x.merged > 0) {
    extents.push_back(
        BatchNumber<int64_t>(ElementCount(Shape(x.shape().dims().first(x.merged))).product));
  }
  for (Dim dim : x.shape().dims().subspan(x.merged)) {
    extents.push_back(dim.is_batch() ? kBatchElement : dim.size());
  }
  return extents;
}

// The extents that a request (0: as x has it there, -1: what is left) gives.
absl::StatusOr<Ints> RequestedExtents(const Operand& x, Ints request, bool allow_zero) {
  if (request.size() > static_cast<size_t>(Shape::kMaxRank)) {
    return Unimplemented("a shape of ", request.size(), " axes; at most ", Shape::kMaxRank);
  }
  const Ints before = ExtentsOf(x);
  const ElementCount have(x.shape());
  int64_t product = 1, batches = 0;
  int64_t* open = nullptr;
  for (size_t i = 0; i < request.size(); ++i) {
    int64_t& extent = request[i];
    if (extent == 0 && !allow_zero) {
      if (i >= before.size()) {
        return InvalidArgument("a 0 in the shape stands for an axis that is not there");
      }
      extent = before[i];
    }
    if (extent == -1 && open == nullptr) {
      open = &extent;
      continue;
    }
    const int64_t factor = BatchFactor(extent);
    if (factor == 0 && (extent < 0 || extent > Shape::kMaxElements)) {
      return InvalidArgument("extents must be at least 0, or -1 once");
    }
    batches += factor > 0;
    const int64_t times = factor > 0 ? factor : extent;
    if (times > 1 && product > Shape::kMaxElements / times) {
      return InvalidArgument("a shape that is too large");
    }
    product *= times;
  }
  if (open != nullptr && product > 0 && have.product % product == 0) {
    const int64_t left = have.product / product;
    const bool takes_batch = have.batches == batches + 1;
    if (takes_batch && left >= 1 && left <= kMaxBatchFactor) {
      *open = BatchNumber<int64_t>(left);
      ++batches;
    } else if (have.batches == batches) {
      *open = left;
    }
    product *= left;
  }
  if (open != nullptr && *open == -1) {
    return Unimplemented("a reshape of ", x.shape().ToString(),
                         " that mixes the batch with others");
  }
  if (have.batches != batches) {
    return Unimplemented("a reshape of ", x.shape().ToString(),
                         ": the batch must stay an axis of its own, or the first of what is taken "
                         "together (name another batch for a fixed one)");
  }
  if (have.product == product) return request;
  return InvalidArgument(x.shape().ToString(), " does not fit into the shape");
}

// x in these extents. What takes the batch and other axes together comes first, and stays apart.
absl::StatusOr<Operand> ReshapeTo(NodeImport& node, const Operand& x, const Ints& extents) {
  Shape shape;
  int merged = 0;
  for (size_t i = 0; i < extents.size(); ++i) {
    const int64_t factor = BatchFactor(extents[i]);
    if (factor <= 1) {
      shape.Append(factor == 1 ? Dim::Batch() : Dim(extents[i]));
      continue;
    }
    if (i > 0) return Unimplemented("the batch and other axes taken together behind others");
    // The first axes of x that make it, or else the batch and a new axis.
    int axes = 0;
    while (merged == 0 && axes <= x.rank()) {
      const ElementCount count{Shape(x.shape().dims().first(axes))};
      if (count.batches == 1 && count.product == factor) merged = axes;
      ++axes;
    }
    if (merged > 0) {
      shape = Shape(x.shape().dims().first(merged));
    } else if (x.rank() > 0 && x.shape()[0].is_batch()) {
      shape = Shape{Dim::Batch(), factor};
      merged = 2;
    } else {
      return Unimplemented("a reshape of ", x.shape().ToString(),
                           " that mixes the batch with others");
    }
  }
  if (shape.rank() > Shape::kMaxRank) return Unimplemented("more than ", Shape::kMaxRank, " axes");
  SEQ_RETURN_IF_ERROR(shape.Validate());
  SEQ_ASSIGN_OR_RETURN(Operand y, node.graph().Reshape(x, shape));
  y.merged = merged;
  return y;
}

absl::StatusOr<Operand> ConvertReshape(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  Ints request;
  if (node.opset() < 5) {
    SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints("shape"));
    request = given.value_or(Ints{});
  } else {
    SEQ_ASSIGN_OR_RETURN(request, node.KnownInts(1, "the shape"));
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t allow_zero, node.Int("allowzero", 0));
  SEQ_ASSIGN_OR_RETURN(const Ints extents, RequestedExtents(x, request, allow_zero != 0));
  return ReshapeTo(node, x, extents);
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
  const ElementCount rows{Shape(x.shape().dims().first(axis))};
  const ElementCount columns{Shape(x.shape().dims().subspan(axis))};
  if (columns.batches > 0 && columns.product != 1) {
    return Unimplemented("it takes the batch of ", x.shape().ToString(),
                         " and other axes together behind others");
  }
  if (rows.batches > 0 && (rows.product < 1 || rows.product > kMaxBatchFactor)) {
    return Unimplemented("it takes the batch of ", x.shape().ToString(), " and others together");
  }
  const auto extent = [](const ElementCount& count) {
    return count.batches > 0 ? BatchNumber<int64_t>(count.product) : count.product;
  };
  return ReshapeTo(node, x, {extent(rows), extent(columns)});
}

absl::StatusOr<Operand> ConvertConcat(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand first, node.input(0));
  // Opset 1 had a default.
  SEQ_ASSIGN_OR_RETURN(const int64_t axis,
                       node.AxisAttribute(node.opset() < 4 ? 1 : 0, first.rank()));
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
  // Numbers of rows beside others: what indexes an element of each row.
  if (parts.size() > 1 && parts[0].per_row == 1 && IsZero(parts[0]) && parts[0].rank() >= 2 &&
      axis == parts[0].rank() - 1 && parts[0].shape().back() == 1) {
    parts.erase(parts.begin());
    SEQ_ASSIGN_OR_RETURN(Operand y, node.graph().Concat(parts, axis));
    y.row_first = true;
    return y;
  }
  for (const Operand& part : parts) {
    if (part.per_row != 0) return Unimplemented("it joins numbers of rows and others");
  }
  return node.graph().Concat(parts, axis);
}

// numpy's x[start:end:step] along one axis.
absl::StatusOr<Operand> SliceAxis(NodeImport& node, const Operand& x, int64_t axis, int64_t start,
                                  int64_t end, int64_t step) {
  const Dim dim = x.shape()[static_cast<int>(axis)];
  constexpr int64_t kFar = std::numeric_limits<int32_t>::max();
  if (BatchFactor(start) > 0 || BatchFactor(step) > 0 ||
      (BatchFactor(end) > 0 && !dim.is_batch())) {
    return Unimplemented("it slices by the batch");
  }
  if (dim.is_batch()) {
    if (start == 0 && step == 1 && (end >= kFar || BatchFactor(end) > 0)) return x;
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
  if (stated != count || count < 1) {
    return InvalidArgument("num_outputs is not that of its outputs");
  }
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

absl::StatusOr<Operand> ConvertExpand(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Ints request, node.KnownInts(1, "the shape"));
  SEQ_ASSIGN_OR_RETURN(const Shape shape, ShapeOf(request));
  return node.graph().Expand(x, shape);
}

constexpr ConverterRow kLayoutRows[] = {
    {"Concat", ConvertConcat},   {"Expand", ConvertExpand},       {"Flatten", ConvertFlatten},
    {"Reshape", ConvertReshape}, {"Slice", ConvertSlice},         {"Split", ConvertSplit},
    {"Squeeze", ConvertSqueeze}, {"Transpose", ConvertTranspose}, {"Unsqueeze", ConvertUnsqueeze},
};

}  // namespace

absl::Span<const ConverterRow> LayoutConverters() { return kLayoutRows; }

}  // namespace seqgraph::onnx
