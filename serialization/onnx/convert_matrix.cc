// Products of matrices.

#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {
namespace {

absl::Status CheckReal(const Operand& x) {
  if (IsReal(x.type.dtype)) return absl::OkStatus();
  return Unimplemented("a product of matrices of ", DTypeName(x.type.dtype));
}

absl::StatusOr<Operand> Transposed(GraphImport& g, const Operand& x) {
  std::vector<int64_t> permutation(x.rank());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[permutation.size() - 2], permutation.back());
  return g.Transpose(x, permutation);
}

// x w + bias, where w is a matrix. What is known becomes weights.
absl::StatusOr<Operand> Dense(NodeImport& node, const Operand& x, Operand w, Operand bias) {
  if (x.rank() < 1 || x.shape().back().is_batch() || x.shape().back() != w.shape()[0]) {
    return InvalidArgument(x.shape().ToString(), " times ", w.shape().ToString());
  }
  if (w.known != nullptr && w.variable.empty()) w.variable = node.name() + "/kernel";
  if (bias.known != nullptr && bias.variable.empty()) bias.variable = node.name() + "/bias";
  return node.graph().Emit("Dense", {x, w, bias});
}

// The extents in front of a matrix.
Shape Lead(const Operand& x) { return Shape(x.shape().dims().first(x.rank() - 2)); }

Shape WithMatrix(Shape lead, const Operand& x) {
  for (int i = x.rank() - 2; i < x.rank(); ++i) lead.Append(x.shape()[i]);
  return lead;
}

absl::StatusOr<Operand> Product(NodeImport& node, const Operand& a, const Operand& b) {
  GraphImport& g = node.graph();
  if (b.rank() == 2) return Dense(node, a, b, Absent());
  if (a.rank() == 2) {  // y^T = b^T a^T
    SEQ_ASSIGN_OR_RETURN(const Operand x, Transposed(g, b));
    SEQ_ASSIGN_OR_RETURN(const Operand w, Transposed(g, a));
    SEQ_ASSIGN_OR_RETURN(const Operand y, Dense(node, x, w, Absent()));
    return Transposed(g, y);
  }
  SEQ_ASSIGN_OR_RETURN(const Shape lead, BroadcastShapes(Lead(a), Lead(b)));
  SEQ_ASSIGN_OR_RETURN(const Operand wide_a, g.BroadcastTo(a, WithMatrix(lead, a)));
  SEQ_ASSIGN_OR_RETURN(const Operand wide_b, g.BroadcastTo(b, WithMatrix(lead, b)));
  return g.Emit("MatMul", {wide_a, wide_b});
}

// Rows that are the batch and other axes taken together go through a matrix of weights.
absl::Status CheckMerged(const Operand& a, const Operand& b) {
  if (a.merged == 0 && b.merged == 0) return absl::OkStatus();
  if (b.merged == 0 && b.rank() == 2 && a.rank() > a.merged) return absl::OkStatus();
  return Unimplemented("a product over the batch and other axes taken together");
}

absl::StatusOr<Operand> ConvertMatMul(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand a, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand b, node.input(1));
  return MatrixProduct(node, a, b);
}

absl::StatusOr<Operand> Scaled(GraphImport& g, const Operand& x, double factor) {
  return factor == 1 ? x : g.Emit("Scale", {x}, {{"factor", factor}});
}

// alpha A' B' + beta C
absl::StatusOr<Operand> ConvertGemm(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand a, node.input(0));
  SEQ_ASSIGN_OR_RETURN(Operand b, node.input(1));
  Operand c = node.optional_input(2);
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", 1));
  SEQ_ASSIGN_OR_RETURN(const double beta, node.Float("beta", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t transpose_a, node.Int("transA", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t transpose_b, node.Int("transB", 0));
  SEQ_RETURN_IF_ERROR(CheckReal(a));
  if (a.onnx_rank() != 2 || b.onnx_rank() != 2) return InvalidArgument("A and B must be matrices");
  SEQ_RETURN_IF_ERROR(CheckMerged(a, b));
  if (transpose_a != 0) {
    if (a.merged > 0) return Unimplemented("a product over the batch");
    SEQ_ASSIGN_OR_RETURN(a, Transposed(g, a));
  }
  if (transpose_b != 0) {
    SEQ_ASSIGN_OR_RETURN(b, Transposed(g, b));
  }
  const Dim units = b.shape()[1];
  const bool is_bias = c.present() && alpha == 1 && beta == 1 && !units.is_batch() &&
                       (c.shape() == Shape{units} || c.shape() == Shape{1, units});
  Operand bias;
  if (is_bias) {
    SEQ_ASSIGN_OR_RETURN(bias, g.Reshape(c, Shape{units}));
  }
  SEQ_ASSIGN_OR_RETURN(Operand y, Dense(node, a, b, bias));
  SEQ_ASSIGN_OR_RETURN(y, Scaled(g, y, alpha));
  y.merged = a.merged;
  if (c.present() && !is_bias) {
    SEQ_ASSIGN_OR_RETURN(c, Scaled(g, c, beta));
    SEQ_ASSIGN_OR_RETURN(y, g.Pair("Add", y, c));
    y.merged = a.merged;
  }
  return y;
}

constexpr ConverterRow kMatrixRows[] = {{"Gemm", ConvertGemm}, {"MatMul", ConvertMatMul}};

}  // namespace

// A vector on the left counts as one row, on the right as one column, which the result has not.
absl::StatusOr<Operand> MatrixProduct(NodeImport& node, Operand a, Operand b) {
  GraphImport& g = node.graph();
  SEQ_RETURN_IF_ERROR(CheckReal(a));
  if (a.rank() == 0 || b.rank() == 0) return InvalidArgument("an operand is a scalar");
  SEQ_RETURN_IF_ERROR(CheckMerged(a, b));
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) {
    SEQ_ASSIGN_OR_RETURN(a, g.Reshape(a, Shape{1, a.shape()[0]}));
  }
  if (column) {
    SEQ_ASSIGN_OR_RETURN(b, g.Reshape(b, Shape{b.shape()[0], 1}));
  }
  SEQ_ASSIGN_OR_RETURN(Operand y, Product(node, a, b));
  if (row || column) {
    std::vector<Dim> dims(y.shape().dims().begin(), y.shape().dims().end());
    if (column) dims.pop_back();
    if (row) dims.erase(dims.end() - (column ? 1 : 2));
    SEQ_ASSIGN_OR_RETURN(y, g.Reshape(y, Shape(dims)));
  }
  y.merged = a.merged;
  return y;
}

absl::Span<const ConverterRow> MatrixConverters() { return kMatrixRows; }

}  // namespace seqgraph::onnx
