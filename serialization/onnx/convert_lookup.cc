// Operators that look elements up by index.

#include <numeric>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

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

absl::StatusOr<Operand> ConvertGather(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(Operand indices, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(0, x.rank()));
  if (IsReal(indices.type.dtype)) return InvalidArgument("indices must be integers");
  if (indices.known != nullptr && indices.rank() == 0 && !HoldsBatch(*indices.known)) {
    SEQ_ASSIGN_OR_RETURN(const double index, node.KnownScalar(1, "indices"));
    return WithBoolean(GatherKnownScalar(node, x, axis, static_cast<int64_t>(index)), x.boolean);
  }
  SEQ_ASSIGN_OR_RETURN(indices, node.graph().Cast(indices, DType::kInt32));
  // A table of weights: negative ids are refused when it runs, as Embedding refuses them.
  const bool table = x.known != nullptr && !x.variable.empty() && axis == 0 && x.rank() == 2;
  return WithBoolean(table && indices.value.present()
                         ? node.graph().Emit("Embedding", {indices, x})
                         : node.graph().Emit("Gather", {x, indices}, {{"axis", axis}}),
                     x.boolean);
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

constexpr ConverterRow kRows[] = {{"Gather", ConvertGather}, {"OneHot", ConvertOneHot}};

}  // namespace

absl::Span<const ConverterRow> LookupConverters() { return kRows; }

}  // namespace seqgraph::onnx
