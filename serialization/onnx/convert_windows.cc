// Operators that pool what a window sees of each place.

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"
#include "serialization/onnx/windows.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

// One of our binary ops over each window, axis by axis.
absl::StatusOr<Operand> OverWindows(GraphImport& g, const Operand& x,
                                    const std::vector<Window>& windows, const char* op,
                                    double padding) {
  Operand y = x;
  for (size_t i = 0; i < windows.size(); ++i) {
    SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> slices,
                         Slices(g, y, static_cast<int64_t>(i) + 2, windows[i], padding));
    y = slices[0];
    for (size_t k = 1; k < slices.size(); ++k) {
      SEQ_ASSIGN_OR_RETURN(y, g.Emit(op, {y, slices[k]}));
    }
  }
  return y;
}

absl::StatusOr<Operand> ConvertMaxPool(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_RETURN_IF_ERROR(node.Int("storage_order", 0).status());  // of the indices
  SEQ_ASSIGN_OR_RETURN(const std::vector<Window> windows, Windows(node, x, std::nullopt));
  const double lowest = IsReal(x.type.dtype)            ? -std::numeric_limits<double>::infinity()
                        : x.type.dtype == DType::kInt32 ? -0x1p31
                                                        : -0x1p63;
  return OverWindows(node.graph(), x, windows, "Maximum", lowest);
}

// How many elements the windows along one axis see, place by place; padded ones too if they count.
Tensor Counts(const Window& window, bool padding_counts) {
  const int64_t low = padding_counts ? -window.before : 0;
  const int64_t high = window.extent + (padding_counts ? window.after : 0);
  std::vector<double> counts(window.places, 0);
  for (int64_t place = 0; place < window.places; ++place) {
    for (int64_t i = 0; i < window.size; ++i) {
      const int64_t at = place * window.stride + i * window.dilation - window.before;
      counts[place] += at >= low && at < high;
    }
  }
  return Tensor::Of<double>({window.places}, counts);
}

absl::StatusOr<Operand> ConvertAveragePool(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  SEQ_ASSIGN_OR_RETURN(const int64_t padding_counts, node.Int("count_include_pad", 0));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Window> windows, Windows(node, x, std::nullopt));
  // Where padding counts, what ceil_mode adds behind it does not.
  if (const int only = OnlyWindow(windows); only >= 0) {
    const Window& w = windows[only];
    const int64_t behind = (w.places - 1) * w.stride + w.reach() - w.before - w.extent;
    if (padding_counts == 0 || behind <= w.after) {
      return OverTime(g, x, w, only + 2, x.shape()[1], "AveragePool1D", {},
                      {{"width", w.size}, {"count_include_pad", padding_counts != 0}});
    }
  }
  Term y(g, OverWindows(g, x, windows, "Add", 0));
  double all = 1;
  for (size_t i = 0; i < windows.size(); ++i) {
    SEQ_RETURN_IF_ERROR(g.Charge(windows[i].places * 8));
    const Tensor counts = Counts(windows[i], padding_counts != 0);
    const auto each = counts.Elements<double>();
    if (std::all_of(each.begin(), each.end(), [&](double n) { return n == each[0]; })) {
      all *= each[0];
      continue;
    }
    Shape shape{windows[i].places};
    while (shape.rank() < static_cast<int>(windows.size() - i)) shape.Append(1);
    y = y / Term(g, g.Reshape(Operand::Of(counts.Cast(x.type.dtype)), shape));
  }
  return (y / all).Take();
}

absl::StatusOr<Operand> ConvertGlobalPool(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  if (x.rank() < 3) return InvalidArgument("the operand is ", x.shape().ToString());
  Ints axes(x.rank() - 2);
  std::iota(axes.begin(), axes.end(), 2);
  return Reduce(node.ours(), Input(node, 0), axes).Take();
}

constexpr ConverterRow kWindowRows[] = {
    {"AveragePool", ConvertAveragePool},
    {"GlobalAveragePool", ConvertGlobalPool, "ReduceMean"},
    {"GlobalMaxPool", ConvertGlobalPool, "ReduceMax"},
    {"MaxPool", ConvertMaxPool},
};

}  // namespace

absl::Span<const ConverterRow> WindowConverters() { return kWindowRows; }

}  // namespace seqgraph::onnx
