// Operators that put updates at places that indices name.

#include <algorithm>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

absl::StatusOr<Operand> Scatter(NodeImport& node, const Operand& x, const Operand& indices,
                                const Operand& updates, int64_t axis) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const std::string reduction, node.String("reduction", "none"));
  bool same_batch = indices.rank() == x.rank();
  for (int i = 0; same_batch && i < x.rank(); ++i) {
    same_batch = x.shape()[i].is_batch() == indices.shape()[i].is_batch() &&
                 !(i == axis && x.shape()[i].is_batch());
  }
  if (!same_batch || x.type.dtype != updates.type.dtype) {
    return Unimplemented("it puts ", updates.type.ToString(), " at ", indices.shape().ToString(),
                         " into ", x.type.ToString());
  }
  SEQ_ASSIGN_OR_RETURN(const Operand int32, g.Cast(indices, DType::kInt32));
  return WithBoolean(
      g.Emit("ScatterElements", {x, int32, updates}, {{"axis", axis}, {"reduction", reduction}}),
      x.boolean);
}

absl::StatusOr<Operand> ConvertScatterElements(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand indices, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const Operand updates, node.input(2));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(0, x.rank()));
  return Scatter(node, x, indices, updates, axis);
}

// Tuples of indices along the last axis name the first axes of x, which are taken as one: [n, rest]
// by places [m, rest], the same in each row.
absl::StatusOr<Operand> ConvertScatterND(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand indices, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const Operand updates, node.input(2));
  for (const Operand* operand : {&x, &indices, &updates}) {
    if (!operand->shape().is_static()) return Unimplemented("it puts elements into the batch");
  }
  const int64_t length = indices.rank() < 1 ? 0 : indices.shape().back().size();
  if (length < 1 || length > x.rank()) {
    return InvalidArgument("indices ", indices.shape().ToString(), " for ", x.shape().ToString());
  }
  const Shape rest(x.shape().dims().subspan(length));
  const int64_t places = indices.shape().num_elements() / length, width = rest.num_elements();
  if (updates.shape().num_elements() != places * width || width < 1) {
    return InvalidArgument("updates ", updates.shape().ToString(), " at ",
                           indices.shape().ToString(), " of ", x.shape().ToString());
  }
  SEQ_ASSIGN_OR_RETURN(const Operand int32, g.Cast(indices, DType::kInt32));
  SEQ_ASSIGN_OR_RETURN(const Operand tuples, g.Reshape(int32, Shape{places, length}));
  absl::StatusOr<Operand> flat = g.Scalar(0, DType::kInt32);
  for (int64_t i = 0; i < length; ++i) {
    const auto extent = static_cast<double>(x.shape()[static_cast<int>(i)].size());
    const Term index(g, g.Slice(tuples, 1, i, i + 1));
    const Term from_start = Where(Less(index, index.Scalar(0)), index + extent, index);
    flat = (extent * Term(g, flat) + from_start).Take();
  }
  SEQ_RETURN_IF_ERROR(flat.status());
  SEQ_ASSIGN_OR_RETURN(const Operand wide, g.BroadcastTo(*flat, Shape{places, width}));
  const Shape table{x.shape().num_elements() / width, width};
  SEQ_ASSIGN_OR_RETURN(const Operand from, g.Reshape(x, table));
  SEQ_ASSIGN_OR_RETURN(const Operand rows, g.Reshape(updates, Shape{places, width}));
  SEQ_ASSIGN_OR_RETURN(const Operand y, Scatter(node, from, wide, rows, 0));
  return WithBoolean(g.Reshape(y, x.shape()), x.boolean);
}

constexpr ConverterRow kScatterRows[] = {
    {"Scatter", ConvertScatterElements},
    {"ScatterElements", ConvertScatterElements},
    {"ScatterND", ConvertScatterND},
};

}  // namespace

absl::Span<const ConverterRow> ScatterConverters() { return kScatterRows; }

}  // namespace seqgraph::onnx
