// Operators that compare the elements along an axis, or count them.

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

// 0, 1, .. along the axis, which has that extent, and extent 1 along the axes behind it.
absl::StatusOr<Term> Places(GraphImport& g, int64_t extent, int behind) {
  SEQ_RETURN_IF_ERROR(g.Charge(extent * 4));
  std::vector<int32_t> places(extent);
  std::iota(places.begin(), places.end(), 0);
  Shape shape{extent};
  for (int i = 0; i < behind; ++i) shape.Append(1);
  return Term(g, Operand::Of(Tensor::Of<int32_t>(shape, places)));
}

absl::StatusOr<int64_t> Extent(const Operand& x, int64_t axis) {
  const Dim extent = x.shape()[static_cast<int>(axis)];
  if (extent.is_batch()) return Unimplemented("it compares along the batch");
  if (extent == 0) return InvalidArgument("there is nothing along axis ", axis);
  return extent.size();
}

// The place of the extremum along the axis, the first or the last of equal ones; int32, the axis
// stays with extent 1.
absl::StatusOr<Term> PlaceOfExtremum(const Term& x, const char* extremum, int64_t axis, bool last) {
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_ASSIGN_OR_RETURN(const int64_t extent, Extent(operand, axis));
  SEQ_ASSIGN_OR_RETURN(const Term places,
                       Places(x.graph(), extent, operand.rank() - 1 - static_cast<int>(axis)));
  const Term there = Equal(x, Reduce(extremum, x, {axis}));
  const Term place =
      Where(there, places, places.Scalar(last ? 0 : static_cast<double>(extent - 1)));
  return Reduce(last ? "ReduceMax" : "ReduceMin", place, {axis});
}

absl::StatusOr<Operand> ConvertArg(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(0, x.rank()));
  SEQ_ASSIGN_OR_RETURN(const int64_t keep_dims, node.Int("keepdims", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t last, node.Int("select_last_index", 0));
  SEQ_ASSIGN_OR_RETURN(const Term place,
                       PlaceOfExtremum(Input(node, 0), node.ours(), axis, last != 0));
  SEQ_ASSIGN_OR_RETURN(Operand y, place.Take());
  if (keep_dims == 0) {
    std::vector<Dim> dims(y.shape().dims().begin(), y.shape().dims().end());
    dims.erase(dims.begin() + axis);
    SEQ_ASSIGN_OR_RETURN(y, node.graph().Reshape(y, Shape(dims)));
  }
  return node.graph().Cast(y, DType::kInt64);
}

// x moved by one place toward the end, with 0 in front, and so on.
absl::StatusOr<Operand> Moved(GraphImport& g, const Operand& x, int64_t axis, int64_t places) {
  return g.Pad(x, axis, places, -places, 0);
}

// Sums so far: after each step, of twice as many elements as before.
absl::StatusOr<Operand> ConvertCumSum(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const double given, node.KnownScalar(1, "axis"));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, NodeImport::Axis(static_cast<int64_t>(given), y.rank()));
  SEQ_ASSIGN_OR_RETURN(const int64_t exclusive, node.Int("exclusive", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t reverse, node.Int("reverse", 0));
  const Dim extent = y.shape()[static_cast<int>(axis)];
  if (extent.is_batch()) return Unimplemented("it sums along the batch");
  const Attributes along{{"axis", axis}};
  if (reverse != 0) {
    SEQ_ASSIGN_OR_RETURN(y, g.Emit("Reverse", {y}, along));
  }
  if (exclusive != 0 && extent != 0) {
    SEQ_ASSIGN_OR_RETURN(y, Moved(g, y, axis, 1));
  }
  for (int64_t done = 1; done < extent.size(); done *= 2) {
    SEQ_ASSIGN_OR_RETURN(const Operand before, Moved(g, y, axis, done));
    SEQ_ASSIGN_OR_RETURN(y, g.Emit("Add", {before, y}));
  }
  return reverse != 0 ? g.Emit("Reverse", {y}, along) : y;
}

// 1 at the first of the largest elements along the axis, 0 elsewhere.
absl::StatusOr<Operand> Hardmax(GraphImport& g, const Operand& x) {
  SEQ_ASSIGN_OR_RETURN(const Term place,
                       PlaceOfExtremum(Term(g, x), "ReduceMax", x.rank() - 1, /*last=*/false));
  SEQ_ASSIGN_OR_RETURN(const Term places, Places(g, x.shape().back().size(), 0));
  SEQ_ASSIGN_OR_RETURN(const Operand hot, Equal(place, places).Take());
  return g.Cast(hot, x.type.dtype);
}

absl::StatusOr<Operand> ConvertHardmax(NodeImport& node) {
  return NormalizeAlongAxis(node, Hardmax);
}

// x with `axis` in the last place.
absl::StatusOr<Operand> AxisLast(GraphImport& g, const Operand& x, int64_t axis) {
  Ints permutation(x.rank());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + axis, permutation.begin() + axis + 1, permutation.end());
  return g.Transpose(x, permutation);
}

absl::StatusOr<Operand> AxisBack(GraphImport& g, const Operand& x, int64_t axis) {
  Ints permutation(x.rank());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + axis, permutation.end() - 1, permutation.end());
  return g.Transpose(x, permutation);
}

Shape WithUnit(const Shape& shape, int64_t axis) {
  std::vector<Dim> dims(shape.dims().begin(), shape.dims().end());
  dims.insert(dims.begin() + axis, Dim(1));
  return Shape(dims);
}

struct Ranked {
  Term values, places;
};

// The first k along the last axis in their order: those of which so many are ahead. Of n elements
// it compares n^2 pairs, equal ones by their places.
absl::StatusOr<Ranked> FirstOf(GraphImport& g, const Operand& x, int64_t k, bool largest) {
  constexpr int64_t kMostCompared = 1024;
  const int64_t n = x.shape().back().size(), rank = x.rank();
  if (n > kMostCompared) return Unimplemented("of more than ", kMostCompared, " elements");
  const Term mine(g, g.Reshape(x, WithUnit(x.shape(), rank)));
  const Term other(g, g.Reshape(x, WithUnit(x.shape(), rank - 1)));
  SEQ_ASSIGN_OR_RETURN(const Term columns, Places(g, n, 0));
  SEQ_ASSIGN_OR_RETURN(const Term rows, Places(g, n, 1));
  const Term tie = Map("Minimum", Equal(mine, other), Less(columns, rows));
  const Term ahead = Map("Maximum", largest ? Less(mine, other) : Less(other, mine), tie);
  const Term order = Map("ReduceSum", ahead, {{"axes", Ints{rank}}});
  SEQ_ASSIGN_OR_RETURN(const Operand ordered, order.Take());
  const Term of_each(g, g.Reshape(ordered, WithUnit(ordered.shape(), rank - 1)));
  SEQ_ASSIGN_OR_RETURN(const Term wanted, Places(g, k, 1));
  const Term chosen = Equal(of_each, wanted);  // [.., k, n]
  const Attributes over{{"axes", Ints{rank}}};
  return Ranked{Map("ReduceSum", Where(chosen, other, other.Scalar(0)), over),
                Map("ReduceSum", chosen * columns, over)};
}

absl::StatusOr<Operand> ConvertTopK(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.AxisAttribute(-1, x.rank()));
  SEQ_ASSIGN_OR_RETURN(const int64_t largest, node.Int("largest", 1));
  SEQ_RETURN_IF_ERROR(node.Int("sorted", 1).status());  // any order will do
  double k = 0;
  if (node.opset() < 10) {
    SEQ_ASSIGN_OR_RETURN(const int64_t given, node.Int("k", 0));
    k = static_cast<double>(given);
  } else {
    SEQ_ASSIGN_OR_RETURN(k, node.KnownScalar(1, "k"));
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t extent, Extent(x, axis));
  if (!(k >= 1 && k <= static_cast<double>(extent))) return InvalidArgument("k is ", k);
  if (x.rank() == Shape::kMaxRank) return Unimplemented("of ", x.rank(), " axes");
  SEQ_ASSIGN_OR_RETURN(const Operand last, AxisLast(g, x, axis));
  SEQ_ASSIGN_OR_RETURN(const Ranked first, FirstOf(g, last, static_cast<int64_t>(k), largest != 0));
  SEQ_ASSIGN_OR_RETURN(const Operand places, first.places.Take());
  SEQ_ASSIGN_OR_RETURN(const Operand wide, g.Cast(places, DType::kInt64));
  SEQ_ASSIGN_OR_RETURN(Operand indices, AxisBack(g, wide, axis));
  node.SetOutput(1, std::move(indices));
  SEQ_ASSIGN_OR_RETURN(const Operand values, first.values.Take());
  return AxisBack(g, values, axis);
}

// Where a known tensor is not zero: [axes, elements].
absl::StatusOr<Operand> ConvertNonZero(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  if (x.known == nullptr) return Unimplemented("how many elements are not 0 depends on the inputs");
  SEQ_RETURN_IF_ERROR(node.graph().Charge(x.known->num_elements() * x.rank() * 8));
  const Tensor exact = x.known->Cast(DType::kFloat64);
  std::vector<Ints> places(x.rank());
  for (int64_t i = 0; i < exact.num_elements(); ++i) {
    if (exact.Elements<double>()[i] == 0) continue;
    int64_t left = i;
    for (int axis = x.rank() - 1; axis >= 0; --axis) {
      places[axis].push_back(left % x.shape()[axis].size());
      left /= x.shape()[axis].size();
    }
  }
  Ints all;
  for (const Ints& of_axis : places) all.insert(all.end(), of_axis.begin(), of_axis.end());
  const auto count = places.empty() ? 0 : static_cast<int64_t>(places[0].size());
  return Operand::Of(Tensor::Of<int64_t>(Shape{x.rank(), count}, all));
}

constexpr ConverterRow kOrderRows[] = {
    {"ArgMax", ConvertArg, "ReduceMax"}, {"ArgMin", ConvertArg, "ReduceMin"},
    {"CumSum", ConvertCumSum},           {"Hardmax", ConvertHardmax},
    {"NonZero", ConvertNonZero},         {"TopK", ConvertTopK},
};

}  // namespace

absl::Span<const ConverterRow> OrderConverters() { return kOrderRows; }

}  // namespace seqgraph::onnx
