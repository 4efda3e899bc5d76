// Operators that reduce over axes, and those that normalize along one.

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

struct Reduction {
  Ints axes;
  bool keep_dims = true;
  bool nothing = false;  ///< no axis: x as it is

  Attributes attributes() const { return {{"axes", axes}, {"keep_dims", keep_dims}}; }
};

absl::StatusOr<Reduction> ReductionOf(NodeImport& node, const Operand& x) {
  // The opset in which the axes became an input.
  const int64_t input_since = node.node().op_type() == "ReduceSum" ? 13 : 18;
  Reduction reduction;
  SEQ_ASSIGN_OR_RETURN(const int64_t keep_dims, node.Int("keepdims", 1));
  reduction.keep_dims = keep_dims != 0;
  int64_t noop = 0;
  if (node.opset() >= input_since) {
    SEQ_ASSIGN_OR_RETURN(noop, node.Int("noop_with_empty_axes", 0));
  }
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> axes, node.Axes(1, input_since, x.rank()));
  reduction.axes = axes.value_or(Ints{});
  if (reduction.axes.empty() && noop == 0) {
    reduction.axes.resize(x.rank());
    std::iota(reduction.axes.begin(), reduction.axes.end(), 0);
  }
  reduction.nothing = reduction.axes.empty() && noop != 0;
  return reduction;
}

// before(x) reduced by one of our ops, then `after`; null: neither.
absl::StatusOr<Operand> ReduceBy(NodeImport& node, const char* before, const char* op,
                                 const char* after) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Reduction reduction, ReductionOf(node, y));
  if (before != nullptr) {
    const bool square = before == std::string("Multiply");
    absl::StatusOr<Operand> mapped = square ? g.Emit(before, {y, y}) : g.Emit(before, {y});
    SEQ_RETURN_IF_ERROR(mapped.status());
    y = *std::move(mapped);
  }
  if (!reduction.nothing) {
    SEQ_ASSIGN_OR_RETURN(y, g.Emit(op, {y}, reduction.attributes()));
  }
  if (after != nullptr) {
    SEQ_ASSIGN_OR_RETURN(y, g.Emit(after, {y}));
  }
  return y;
}

absl::StatusOr<Operand> ConvertReduction(NodeImport& node) {
  return ReduceBy(node, nullptr, node.ours(), nullptr);
}

// Of extents, too, among them the batch.
absl::StatusOr<Operand> ConvertReduceProd(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  if (x.known == nullptr || !HoldsBatch(*x.known) || x.rank() > 1) return ConvertReduction(node);
  SEQ_ASSIGN_OR_RETURN(const Reduction reduction, ReductionOf(node, x));
  if (reduction.nothing) return x;
  SEQ_ASSIGN_OR_RETURN(Tensor product, ProductWithBatch(*x.known));
  if (!reduction.keep_dims) return Operand::Of(std::move(product));
  return Operand::Of(Tensor::CopyOf({x.type.dtype, Shape{1}}, product.data()));
}

// x - max and the logarithm of the sum of its exponentials, both with extent 1 along the axes.
struct Shifted {
  Operand x, max, log_sum;
};

absl::StatusOr<Shifted> LogSumExp(GraphImport& g, const Operand& x, const Ints& axes) {
  const Attributes kept{{"axes", axes}, {"keep_dims", true}};
  Shifted shifted;
  SEQ_ASSIGN_OR_RETURN(shifted.max, g.Emit("ReduceMax", {x}, kept));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> both, g.Broadcast({x, shifted.max}));
  SEQ_ASSIGN_OR_RETURN(shifted.x, g.Emit("Subtract", both));
  SEQ_ASSIGN_OR_RETURN(Operand sum, g.Emit("Exp", {shifted.x}));
  SEQ_ASSIGN_OR_RETURN(sum, g.Emit("ReduceSum", {sum}, kept));
  SEQ_ASSIGN_OR_RETURN(shifted.log_sum, g.Emit("Log", {sum}));
  return shifted;
}

absl::StatusOr<Operand> ConvertLogSumExp(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Reduction reduction, ReductionOf(node, x));
  SEQ_ASSIGN_OR_RETURN(const Shifted shifted, LogSumExp(g, x, reduction.axes));
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Emit("Add", {shifted.max, shifted.log_sum}));
  if (!reduction.keep_dims) {
    // What is left of one term.
    SEQ_ASSIGN_OR_RETURN(y, g.Emit("ReduceSum", {y}, reduction.attributes()));
  }
  return y;
}

absl::StatusOr<Operand> Softmax(GraphImport& g, const Operand& x) { return g.Emit("Softmax", {x}); }

absl::StatusOr<Operand> LogSoftmax(GraphImport& g, const Operand& x) {
  SEQ_ASSIGN_OR_RETURN(const Shifted shifted, LogSumExp(g, x, {x.rank() - 1}));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> both, g.Broadcast({shifted.x, shifted.log_sum}));
  return g.Emit("Subtract", both);
}

constexpr ConverterRow kReductionRows[] = {
    {"LogSoftmax", [](NodeImport& node) { return NormalizeAlongAxis(node, LogSoftmax); }},
    {"ReduceL1", [](NodeImport& node) { return ReduceBy(node, "Abs", "ReduceSum", nullptr); }},
    {"ReduceL2", [](NodeImport& node) { return ReduceBy(node, "Multiply", "ReduceSum", "Sqrt"); }},
    {"ReduceLogSum", [](NodeImport& node) { return ReduceBy(node, nullptr, "ReduceSum", "Log"); }},
    {"ReduceLogSumExp", ConvertLogSumExp},
    {"ReduceMax", ConvertReduction, "ReduceMax"},
    {"ReduceMean", ConvertReduction, "ReduceMean"},
    {"ReduceMin", ConvertReduction, "ReduceMin"},
    {"ReduceProd", ConvertReduceProd, "ReduceProd"},
    {"ReduceSum", ConvertReduction, "ReduceSum"},
    {"ReduceSumSquare",
     [](NodeImport& node) { return ReduceBy(node, "Multiply", "ReduceSum", nullptr); }},
    {"Softmax", [](NodeImport& node) { return NormalizeAlongAxis(node, Softmax); }},
};

}  // namespace

absl::Span<const ConverterRow> ReductionConverters() { return kReductionRows; }

absl::StatusOr<Operand> NormalizeAlongAxis(NodeImport& node,
                                           absl::StatusOr<Operand> (*compute)(GraphImport& g,
                                                                              const Operand& x)) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(int64_t axis,
                       node.AxisAttribute(node.opset() < 13 ? 1 : -1, std::max(x.onnx_rank(), 1)));
  if (x.rank() == 0) return Unimplemented("of a scalar");
  if (x.merged > 0 && axis == 0) return Unimplemented("it normalizes along the batch");
  if (x.merged > 0) axis += x.merged - 1;
  Operand y;
  if (node.opset() < 13) {
    Shape rows(x.shape().dims().first(axis));
    int64_t width = 1;
    for (Dim dim : x.shape().dims().subspan(axis)) {
      if (dim.is_batch()) return Unimplemented("it normalizes along the batch");
      width *= dim.size();
    }
    rows.Append(width);
    SEQ_ASSIGN_OR_RETURN(const Operand flat, g.Reshape(x, rows));
    SEQ_ASSIGN_OR_RETURN(y, compute(g, flat));
    SEQ_ASSIGN_OR_RETURN(y, g.Reshape(y, x.shape()));
  } else {
    Ints swap(x.rank());
    std::iota(swap.begin(), swap.end(), 0);
    std::swap(swap[axis], swap.back());
    SEQ_ASSIGN_OR_RETURN(const Operand last, g.Transpose(x, swap));
    if (last.shape().back().is_batch()) return Unimplemented("it normalizes along the batch");
    SEQ_ASSIGN_OR_RETURN(y, compute(g, last));
    SEQ_ASSIGN_OR_RETURN(y, g.Transpose(y, swap));
  }
  y.merged = x.merged;
  return y;
}

}  // namespace seqgraph::onnx
