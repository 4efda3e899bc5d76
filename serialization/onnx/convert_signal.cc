// Spectra, as products with matrices of cosines and sines, and windows for them.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int64_t kLongest = 1 << 20;

// The matrix [samples parts, bins 2] from samples, each a real number or (parts 2) a complex one,
// to X[k] = sum over t of x[t] exp(-2 pi i k t / n), the inverse with + and divided by n. Samples
// from n on do not count.
std::vector<double> FourierMatrix(int64_t samples, int64_t parts, int64_t n, int64_t bins,
                                  bool inverse) {
  std::vector<double> matrix(samples * parts * bins * 2, 0);
  const double scale = inverse ? 1 / static_cast<double>(n) : 1;
  for (int64_t t = 0; t < std::min(samples, n); ++t) {
    for (int64_t k = 0; k < bins; ++k) {
      const double angle =
          2 * kPi * static_cast<double>(k * t % n) / static_cast<double>(n) * (inverse ? 1 : -1);
      double* real = &matrix[(t * parts * bins + k) * 2];
      real[0] = std::cos(angle) * scale;
      real[1] = std::sin(angle) * scale;
      if (parts == 1) continue;
      double* imaginary = real + bins * 2;
      imaginary[0] = -real[1];
      imaginary[1] = real[0];
    }
  }
  return matrix;
}

absl::StatusOr<int64_t> KnownLength(NodeImport& node, int i, absl::string_view what) {
  SEQ_ASSIGN_OR_RETURN(const double length, node.KnownScalar(i, what));
  if (length >= 1 && length <= static_cast<double>(kLongest)) return static_cast<int64_t>(length);
  return InvalidArgument(what, " is ", length);
}

// Whether the last axis holds real numbers, 1, or complex ones, 2.
absl::StatusOr<int64_t> PartsOf(const Operand& x) {
  if (!IsReal(x.type.dtype)) return Unimplemented("it computes on ", DTypeName(x.type.dtype));
  const Dim last = x.rank() < 2 ? Dim(0) : x.shape().back();
  if (last == 1 || last == 2) return last.size();
  return InvalidArgument(x.shape().ToString(), " holds neither real nor complex numbers");
}

absl::StatusOr<Operand> ConvertDft(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t parts, PartsOf(x));
  SEQ_ASSIGN_OR_RETURN(const int64_t inverse, node.Int("inverse", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t one_sided, node.Int("onesided", 0));
  int64_t axis = 1;
  if (node.opset() < 20) {
    SEQ_ASSIGN_OR_RETURN(axis, node.AxisAttribute(1, x.rank()));
  } else {
    double given = -2;
    if (node.has_input(2)) {
      SEQ_ASSIGN_OR_RETURN(given, node.KnownScalar(2, "the axis"));
    }
    if (!(std::abs(given) <= x.rank())) return InvalidArgument("the axis is ", given);
    SEQ_ASSIGN_OR_RETURN(axis, NodeImport::Axis(static_cast<int64_t>(given), x.rank()));
  }
  const Dim extent = x.shape()[static_cast<int>(axis)];
  if (extent.is_batch() || axis == x.rank() - 1) return Unimplemented("along axis ", axis);
  if (one_sided != 0 && inverse != 0) return Unimplemented("an inverse of one side");
  int64_t n = extent.size();
  if (node.has_input(1)) {
    SEQ_ASSIGN_OR_RETURN(n, KnownLength(node, 1, "dft_length"));
  }
  if (n < 1 || n > kLongest || extent.size() > kLongest) {
    return Unimplemented("of ", extent.size(), " samples");
  }
  const int64_t bins = one_sided != 0 ? n / 2 + 1 : n, rows = extent.size() * parts;
  SEQ_RETURN_IF_ERROR(g.Charge(rows * bins * 16));
  const Tensor matrix = Tensor::Of<double>(
      Shape{rows, bins * 2}, FourierMatrix(extent.size(), parts, n, bins, inverse != 0));
  // [.., samples, parts] with all of them side by side, and back.
  std::vector<int64_t> swap(x.rank());
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[axis], swap[x.rank() - 2]);
  SEQ_ASSIGN_OR_RETURN(const Operand last, g.Transpose(x, swap));
  Shape flat(last.shape().dims().first(x.rank() - 2)), split = flat;
  flat.Append(rows);
  split.Append(bins);
  split.Append(2);
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Reshape(last, flat));
  SEQ_ASSIGN_OR_RETURN(y, g.Emit("Dense", {y, Operand::Of(matrix.Cast(x.type.dtype)), Absent()}));
  SEQ_ASSIGN_OR_RETURN(y, g.Reshape(y, split));
  return g.Transpose(y, swap);
}

// The spectra of frames, each `frame_step` samples further: a convolution with stride.
absl::StatusOr<Operand> ConvertStft(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand x, node.input(0));
  if (x.rank() == 2) {
    SEQ_ASSIGN_OR_RETURN(x, g.Reshape(x, Shape{x.shape()[0], x.shape()[1], 1}));
  }
  SEQ_ASSIGN_OR_RETURN(const int64_t parts, PartsOf(x));
  SEQ_ASSIGN_OR_RETURN(const int64_t step, KnownLength(node, 1, "frame_step"));
  SEQ_ASSIGN_OR_RETURN(const int64_t one_sided, node.Int("onesided", 1));
  const Operand window = node.optional_input(2);
  if (window.present() && (window.known == nullptr || window.rank() != 1)) {
    return Unimplemented("the window must be known when the model is imported");
  }
  int64_t n = window.present() ? window.shape()[0].size() : 0;
  if (node.has_input(3)) {
    SEQ_ASSIGN_OR_RETURN(n, KnownLength(node, 3, "frame_length"));
  }
  if (x.rank() != 3 || x.shape()[1].is_batch() || n < 1 || n > x.shape()[1].size() ||
      n > kLongest || (window.present() && window.shape()[0] != n)) {
    return InvalidArgument("frames of ", n, " samples, a window of ", window.shape().ToString(),
                           ", and a signal ", x.shape().ToString());
  }
  const int64_t bins = one_sided != 0 ? n / 2 + 1 : n, width = parts * bins * 2;
  SEQ_RETURN_IF_ERROR(g.Charge(n * width * 8));
  std::vector<double> kernel = FourierMatrix(n, parts, n, bins, /*inverse=*/false);
  if (window.present()) {
    const Tensor exact = window.known->Cast(DType::kFloat64);
    for (int64_t i = 0; i < n * width; ++i) kernel[i] *= exact.Elements<double>()[i / width];
  }
  const Operand weights =
      Operand::Of(Tensor::Of<double>(Shape{n, parts, bins * 2}, kernel).Cast(x.type.dtype));
  SEQ_ASSIGN_OR_RETURN(const Operand y,
                       g.Emit("Conv1D", {x, weights, Absent()}, {{"stride", step}}));
  return g.Reshape(y, Shape{y.shape()[0], y.shape()[1], bins, 2});
}

// a - (1 - a - b) cos(t) + b cos(2 t) for t from 0, in n steps to 2 pi or (if it is not periodic)
// n - 1.
absl::StatusOr<Operand> CosineWindow(NodeImport& node, double a, double b) {
  SEQ_ASSIGN_OR_RETURN(const int64_t n, KnownLength(node, 0, "size"));
  SEQ_ASSIGN_OR_RETURN(const int64_t periodic, node.Int("periodic", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t type,
                       node.Int("output_datatype", onnx_proto::TensorProto::FLOAT));
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromOnnx(static_cast<int32_t>(type)));
  SEQ_RETURN_IF_ERROR(node.graph().Charge(n * 16));
  std::vector<double> window(n);
  for (int64_t i = 0; i < n; ++i) {
    const double t = 2 * kPi * static_cast<double>(i) /
                     static_cast<double>(periodic != 0 ? n : std::max<int64_t>(n - 1, 1));
    window[i] = a - (1 - a - b) * std::cos(t) + b * std::cos(2 * t);
  }
  return Operand::Of(Tensor::Of<double>(Shape{n}, window).Cast(dtype));
}

absl::StatusOr<Operand> ConvertBlackmanWindow(NodeImport& node) {
  return CosineWindow(node, 0.42, 0.08);
}

absl::StatusOr<Operand> ConvertHammingWindow(NodeImport& node) {
  return CosineWindow(node, 25.0 / 46.0, 0);
}

absl::StatusOr<Operand> ConvertHannWindow(NodeImport& node) { return CosineWindow(node, 0.5, 0); }

constexpr ConverterRow kSignalRows[] = {
    {"BlackmanWindow", ConvertBlackmanWindow},
    {"DFT", ConvertDft},
    {"HammingWindow", ConvertHammingWindow},
    {"HannWindow", ConvertHannWindow},
    {"STFT", ConvertStft},
};

}  // namespace

absl::Span<const ConverterRow> SignalConverters() { return kSignalRows; }

}  // namespace seqgraph::onnx
