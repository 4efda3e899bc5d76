// Operators that look elements up by index.

#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

absl::StatusOr<Operand> GatherKnownScalar(NodeImport& node, const Operand& x, int64_t axis,
                                          int64_t index) {
  const Dim extent = x.shape()[static_cast<int>(axis)];
  if (extent.is_batch()) return Unimplemented("it takes a part of the batch");
  if (index < -extent.size() || index >= extent.size()) {
    return InvalidArgument("index ", index, " must be in [", -extent.size(), ", ", extent.size(),
                           ")");
  }
  // One step of a sequence, which passes know.
  if (axis == 1 && x.value.present() && IsReal(x.type.dtype)) {
    return node.graph().Emit("TakeStep", {x}, {{"step", index}});
  }
  if (index < 0) index += extent.size();
  SEQ_ASSIGN_OR_RETURN(const Operand slice, node.graph().Slice(x, axis, index, index + 1));
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) shape.Append(x.shape()[i]);
  }
  return node.graph().Reshape(slice, shape);
}

// Shapes [a.., b..].
Shape Joined(absl::Span<const Dim> a, absl::Span<const Dim> b) {
  Shape shape(a);
  for (Dim dim : b) shape.Append(dim);
  return shape;
}

// Of x [rows, n, ..] the elements that the indices [rows, ..] name, each in its own row: [rows, ..,
// ..]. Negative indices count from the end; what is out of range gives 0.
absl::StatusOr<Operand> GatherInRows(GraphImport& g, const Operand& x, const Operand& indices) {
  const Dim rows = x.shape()[0], extent = x.shape()[1];
  if (extent.is_batch() || indices.rank() < 1 || indices.shape()[0] != rows) {
    return Unimplemented("it picks by ", indices.shape().ToString(), " of rows ",
                         x.shape().ToString());
  }
  const auto kept = x.shape().dims().subspan(2), per_row = indices.shape().dims().subspan(1);
  const ElementCount width{Shape(kept)}, count{Shape(per_row)};
  if (width.batches + count.batches > 0) return Unimplemented("the batch in another place");
  SEQ_ASSIGN_OR_RETURN(const Operand int32, g.Cast(indices, DType::kInt32));
  const Term given(g, int32);
  const Term from_start =
      Where(Less(given, given.Scalar(0)), given + static_cast<double>(extent.size()), given);
  SEQ_RETURN_IF_ERROR(g.Charge(extent.size() * 4));
  std::vector<int32_t> all(extent.size());
  std::iota(all.begin(), all.end(), 0);
  const Term places(g, Operand::Of(Tensor::Of<int32_t>(Shape{extent}, all)));
  SEQ_ASSIGN_OR_RETURN(const Operand wanted, from_start.Take());
  const Term column(g, g.Reshape(wanted, Shape{rows, count.product, 1}));
  const Term hot = Equal(column, places);  // [rows, count, n]
  SEQ_ASSIGN_OR_RETURN(const Operand flat, g.Reshape(x, Shape{rows, extent, width.product}));
  Operand y;
  if (count.product > 1 && IsReal(x.type.dtype)) {
    SEQ_ASSIGN_OR_RETURN(y, hot.Take());
    SEQ_ASSIGN_OR_RETURN(y, g.Cast(y, x.type.dtype));
    SEQ_ASSIGN_OR_RETURN(y, g.Emit("MatMul", {y, flat}));
  } else {
    SEQ_ASSIGN_OR_RETURN(y, hot.Take());
    const Term chosen(g, g.Reshape(y, Shape{rows, count.product, extent, 1}));
    const Term value(g, g.Reshape(flat, Shape{rows, 1, extent, width.product}));
    const Term alone = Where(chosen, value, value.Scalar(0));
    SEQ_ASSIGN_OR_RETURN(y, Map("ReduceSum", alone, {{"axes", std::vector<int64_t>{2}}}).Take());
  }
  return WithBoolean(g.Reshape(y, Joined(indices.shape().dims(), kept)), x.boolean);
}

// x by indices to which the number of each row comes, `per_row` times: of rows taken together, each
// of `per_row` elements, one of each; of the batch itself, all.
absl::StatusOr<Operand> GatherOfRows(NodeImport& node, const Operand& x, const Operand& indices,
                                     int64_t axis) {
  const bool pairs = x.merged == 2 && axis == 0 && x.shape()[0].is_batch() &&
                     indices.per_row == x.shape()[1].size();
  if (pairs) return GatherInRows(node.graph(), x, indices);
  if (x.merged == 0 && axis == 0 && x.shape()[0].is_batch() && indices.per_row == 1 &&
      indices.rank() == 1 && IsZero(indices)) {
    return x;
  }
  return Unimplemented("it picks rows of the batch");
}

absl::StatusOr<Operand> ConvertGather(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(Operand indices, node.input(1));
  SEQ_ASSIGN_OR_RETURN(int64_t axis, node.AxisAttribute(0, x.onnx_rank()));
  if (IsReal(indices.type.dtype)) return InvalidArgument("indices must be integers");
  if (indices.per_row != 0) return GatherOfRows(node, x, indices, axis);
  if (x.merged > 0 && (axis == 0 || indices.merged > 0)) {
    return Unimplemented("it picks rows of the batch and other axes taken together");
  }
  if (x.merged > 0) axis += x.merged - 1;
  if (indices.known != nullptr && indices.rank() == 0 && !HoldsBatch(*indices.known)) {
    SEQ_ASSIGN_OR_RETURN(const double index, node.KnownScalar(1, "indices"));
    return WithBoolean(GatherKnownScalar(node, x, axis, static_cast<int64_t>(index)), x.boolean);
  }
  SEQ_ASSIGN_OR_RETURN(indices, node.graph().Cast(indices, DType::kInt32));
  // A table of weights: negative ids are refused when it runs, as Embedding refuses them.
  const bool table = x.known != nullptr && !x.variable.empty() && axis == 0 && x.rank() == 2;
  SEQ_ASSIGN_OR_RETURN(Operand y,
                       table && indices.value.present()
                           ? node.graph().Emit("Embedding", {indices, x})
                           : node.graph().Emit("Gather", {x, indices}, {{"axis", axis}}));
  y.boolean = x.boolean;
  if (axis == 0) y.merged = indices.merged;
  if (x.merged > 0) y.merged = x.merged;
  return y;
}

// Elements by tuples of indices, which lie along the last axis of the indices.
absl::StatusOr<Operand> ConvertGatherND(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand indices, node.input(1));
  SEQ_ASSIGN_OR_RETURN(int64_t batch_dims, node.Int("batch_dims", 0));
  if (indices.row_first && batch_dims == 0) batch_dims = 1;
  if (indices.rank() < 1 || indices.shape().back().is_batch() || batch_dims < 0) {
    return InvalidArgument("indices are ", indices.shape().ToString());
  }
  if (batch_dims > 1) return Unimplemented("more than one axis of rows");
  const int64_t length = indices.shape().back().size(), first = batch_dims;
  if (length < 1 || first + length > x.rank() || indices.rank() <= first) {
    return InvalidArgument("indices ", indices.shape().ToString(), " for ", x.shape().ToString());
  }
  // As one index of the axes taken together.
  const Shape lead(indices.shape().dims().first(indices.rank() - 1));
  SEQ_ASSIGN_OR_RETURN(const Operand int32, g.Cast(indices, DType::kInt32));
  absl::StatusOr<Operand> flat;
  int64_t product = 1;
  for (int64_t i = length - 1; i >= 0; --i) {
    const Dim extent = x.shape()[static_cast<int>(first + i)];
    if (extent.is_batch()) return Unimplemented("it picks rows of the batch");
    SEQ_ASSIGN_OR_RETURN(const Operand column, g.Slice(int32, indices.rank() - 1, i, i + 1));
    const Term given(g, g.Reshape(column, lead));
    const Term from_start =
        Where(Less(given, given.Scalar(0)), given + static_cast<double>(extent.size()), given);
    const Term moved = static_cast<double>(product) * from_start;
    flat = i == length - 1 ? moved.Take() : (Term(g, flat) + moved).Take();
    product *= extent.size();
  }
  SEQ_RETURN_IF_ERROR(flat.status());
  Shape shape(x.shape().dims().first(first));
  shape.Append(product);
  SEQ_ASSIGN_OR_RETURN(
      const Operand table,
      g.Reshape(x, Joined(shape.dims(), x.shape().dims().subspan(first + length))));
  if (first == 1) return GatherInRows(g, table, *flat);
  return WithBoolean(g.Emit("Gather", {table, *flat}, {{"axis", int64_t{0}}}), x.boolean);
}

// y[i, .., j, ..] = x[i, .., indices[i, .., j, ..], ..]: in rows of all other axes.
absl::StatusOr<Operand> ConvertGatherElements(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand indices, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(0, x.rank()));
  std::vector<Dim> same(indices.shape().dims().begin(), indices.shape().dims().end());
  if (indices.rank() == x.rank()) same[axis] = x.shape()[static_cast<int>(axis)];
  if (Shape(same) != x.shape() || x.shape()[static_cast<int>(axis)].is_batch()) {
    return Unimplemented("indices ", indices.shape().ToString(), " for ", x.shape().ToString());
  }
  std::vector<int64_t> last(x.rank());
  std::iota(last.begin(), last.end(), 0);
  std::rotate(last.begin() + axis, last.begin() + axis + 1, last.end());
  std::vector<int64_t> back(x.rank());
  std::iota(back.begin(), back.end(), 0);
  std::rotate(back.begin() + axis, back.end() - 1, back.end());
  // [.., n] with the batch first, if it is there: rows are [batch others].
  SEQ_ASSIGN_OR_RETURN(const Operand table, g.Transpose(x, last));
  SEQ_ASSIGN_OR_RETURN(const Operand wanted, g.Transpose(indices, last));
  SEQ_ASSIGN_OR_RETURN(const Operand int32, g.Cast(wanted, DType::kInt32));
  const int64_t extent = x.shape()[static_cast<int>(axis)].size();
  const Term given(g, int32);
  const Term from_start =
      Where(Less(given, given.Scalar(0)), given + static_cast<double>(extent), given);
  SEQ_ASSIGN_OR_RETURN(const Operand start, from_start.Take());
  if (x.rank() == Shape::kMaxRank) return Unimplemented("of ", x.rank(), " axes");
  SEQ_RETURN_IF_ERROR(g.Charge(extent * 4));
  std::vector<int32_t> all(extent);
  std::iota(all.begin(), all.end(), 0);
  const Term places(g, Operand::Of(Tensor::Of<int32_t>(Shape{extent}, all)));
  const Dim unit[] = {Dim(1)};
  const Term hot = Equal(Term(g, g.Reshape(start, Joined(start.shape().dims(), unit))), places);
  Shape above(table.shape().dims().first(table.rank() - 1));
  above.Append(1);
  above.Append(extent);
  const Term value(g, g.Reshape(table, above));
  const Term alone = Where(hot, value, value.Scalar(0));
  SEQ_ASSIGN_OR_RETURN(
      const Operand y,
      Map("ReduceSum", alone, {{"axes", std::vector<int64_t>{int64_t{x.rank()}}}}).Take());
  return WithBoolean(g.Transpose(y, back), x.boolean);
}

// The slices along the axis (without one: the elements) for which a known condition holds.
absl::StatusOr<Operand> ConvertCompress(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> holds, node.KnownInts(1, "the condition"));
  int64_t axis = 0;
  if (node.Attribute("axis") != nullptr) {
    SEQ_ASSIGN_OR_RETURN(axis, node.AxisAttribute(0, x.rank()));
  } else {
    if (!x.shape().is_static()) return Unimplemented("it takes elements of the batch");
    SEQ_ASSIGN_OR_RETURN(x, g.Reshape(x, Shape{x.shape().num_elements()}));
  }
  std::vector<int32_t> kept;
  for (size_t i = 0; i < holds.size(); ++i) {
    if (holds[i] != 0) kept.push_back(static_cast<int32_t>(i));
  }
  const Operand indices =
      Operand::Of(Tensor::Of<int32_t>(Shape{static_cast<int64_t>(kept.size())}, kept));
  return WithBoolean(g.Emit("Gather", {x, indices}, {{"axis", axis}}), x.boolean);
}

// Of each row the first steps, as many as its length says, backward; the others stay.
absl::StatusOr<Operand> ConvertReverseSequence(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand lengths, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const int64_t batch_axis, node.Int("batch_axis", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t time_axis, node.Int("time_axis", 0));
  if (x.rank() < 2 || batch_axis + time_axis != 1 || batch_axis * time_axis != 0) {
    return InvalidArgument("batch_axis and time_axis must be 0 and 1 of ", x.shape().ToString());
  }
  const Dim time = x.shape()[static_cast<int>(time_axis)];
  if (time.is_batch() || lengths.shape() != Shape{x.shape()[static_cast<int>(batch_axis)]}) {
    return InvalidArgument("lengths ", lengths.shape().ToString(), " for ", x.shape().ToString());
  }
  if (HasOneValue(lengths, static_cast<double>(time.size()))) {
    return WithBoolean(g.Emit("Reverse", {x}, {{"axis", time_axis}}), x.boolean);
  }
  std::vector<int64_t> swap(x.rank());
  std::iota(swap.begin(), swap.end(), 0);
  if (time_axis == 0) std::swap(swap[0], swap[1]);
  SEQ_ASSIGN_OR_RETURN(const Operand rows, g.Transpose(x, swap));
  SEQ_ASSIGN_OR_RETURN(const Operand int32, g.Cast(lengths, DType::kInt32));
  const Term length(g, g.Reshape(int32, Shape{rows.shape()[0], 1}));
  SEQ_RETURN_IF_ERROR(g.Charge(time.size() * 4));
  std::vector<int32_t> steps(time.size());
  std::iota(steps.begin(), steps.end(), 0);
  const Term step(g, Operand::Of(Tensor::Of<int32_t>(Shape{time}, steps)));
  const Term from = Where(Less(step, length), length - step - 1, step);
  SEQ_ASSIGN_OR_RETURN(const Operand indices, from.Take());
  SEQ_ASSIGN_OR_RETURN(const Operand y, GatherInRows(g, rows, indices));
  return g.Transpose(y, swap);
}

// values[1] where an index is the place along the axis, values[0] elsewhere. Negative indices count
// from the end; those that are out of range are nowhere.
absl::StatusOr<Operand> OneHotByComparison(NodeImport& node, Operand indices, int64_t depth,
                                           int64_t axis, const Operand& values) {
  GraphImport& g = node.graph();
  SEQ_RETURN_IF_ERROR(g.Charge(depth * 8));
  std::vector<int32_t> places(depth);
  std::iota(places.begin(), places.end(), 0);
  const Operand zero = g.Scalar(0, DType::kInt32);
  const Operand end = g.Scalar(static_cast<double>(depth), DType::kInt32);
  SEQ_ASSIGN_OR_RETURN(std::vector<Operand> both, g.Broadcast({indices, zero}));
  SEQ_ASSIGN_OR_RETURN(const Operand negative, g.Emit("Less", both));
  SEQ_ASSIGN_OR_RETURN(both, g.Broadcast({indices, end}));
  SEQ_ASSIGN_OR_RETURN(const Operand wrapped, g.Emit("Add", both));
  SEQ_ASSIGN_OR_RETURN(indices, g.Emit("Where", {negative, wrapped, indices}));
  std::vector<Dim> with_axis(indices.shape().dims().begin(), indices.shape().dims().end());
  with_axis.insert(with_axis.begin() + axis, Dim(1));
  std::vector<Dim> along(with_axis.size() - axis, Dim(1));
  along[0] = depth;
  SEQ_ASSIGN_OR_RETURN(indices, g.Reshape(indices, Shape(with_axis)));
  const Operand place = Operand::Of(Tensor::Of<int32_t>(Shape(along), places));
  SEQ_ASSIGN_OR_RETURN(both, g.Broadcast({indices, place}));
  SEQ_ASSIGN_OR_RETURN(const Operand hot, g.Emit("Equal", both));
  SEQ_ASSIGN_OR_RETURN(const Operand off, GatherKnownScalar(node, values, 0, 0));
  SEQ_ASSIGN_OR_RETURN(const Operand on, GatherKnownScalar(node, values, 0, 1));
  SEQ_ASSIGN_OR_RETURN(both, g.Broadcast({hot, on, off}));
  return g.Emit("Where", both);
}

absl::StatusOr<Operand> ConvertOneHot(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operand indices, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const double depth, node.KnownScalar(1, "depth"));
  SEQ_ASSIGN_OR_RETURN(const Operand values, node.input(2));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(-1, indices.rank() + 1));
  if (!(depth >= 1 && depth <= double{1 << 30}) || depth != static_cast<double>(int64_t(depth))) {
    return InvalidArgument("depth is ", depth);
  }
  if (values.rank() != 1 || values.shape()[0] != 2) {
    return InvalidArgument("values must be two numbers");
  }
  SEQ_ASSIGN_OR_RETURN(indices, node.graph().Cast(indices, DType::kInt32));
  const bool zero_one = values.known != nullptr && [&] {
    const Tensor exact = values.known->Cast(DType::kFloat64);
    return exact.Elements<double>()[0] == 0 && exact.Elements<double>()[1] == 1;
  }();
  if (zero_one && axis == indices.rank() && indices.value.present()) {
    // The op that passes turn into a look-up; it refuses what is out of range when it runs.
    const DType dtype = values.type.dtype;
    SEQ_ASSIGN_OR_RETURN(const Operand y,
                         node.graph().Emit("OneHot", {indices},
                                           {{"depth", static_cast<int64_t>(depth)},
                                            {"dtype", IsReal(dtype) ? dtype : DType::kFloat32}}));
    return node.graph().Cast(y, dtype);
  }
  return OneHotByComparison(node, indices, static_cast<int64_t>(depth), axis, values);
}

constexpr ConverterRow kLookupRows[] = {
    {"Compress", ConvertCompress},
    {"Gather", ConvertGather},
    {"GatherElements", ConvertGatherElements},
    {"GatherND", ConvertGatherND},
    {"OneHot", ConvertOneHot},
    {"ReverseSequence", ConvertReverseSequence},
};

}  // namespace

absl::Span<const ConverterRow> LookupConverters() { return kLookupRows; }

}  // namespace seqgraph::onnx
