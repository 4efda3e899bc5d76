// Operators that change how finely axes are resolved.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

// What is the same for all axes.
struct Interpolation {
  std::string mode, coordinates, nearest;
  double cubic = -0.75;
  bool exclude_outside = false;
};

// Along one axis: so many places of n become so many others, by that factor.
struct Scaling {
  int64_t from = 0, to = 0;
  double factor = 1;
};

// Where place i of the result lies among those of the operand. In float, as ONNX Runtime computes
// it, for the nearest place may depend on the last bit.
absl::StatusOr<float> Coordinate(const std::string& mode, const Scaling& s, int64_t i) {
  const auto x = static_cast<float>(i), factor = static_cast<float>(s.factor);
  const auto from = static_cast<float>(s.from), to = static_cast<float>(s.to);
  if (mode == "half_pixel") return (x + 0.5f) / factor - 0.5f;
  if (mode == "pytorch_half_pixel") return s.to > 1 ? (x + 0.5f) / factor - 0.5f : 0;
  if (mode == "half_pixel_symmetric") {
    const float offset = from / 2 * (1 - to / (factor * from));
    return offset + (x + 0.5f) / factor - 0.5f;
  }
  if (mode == "align_corners") return s.to > 1 ? x * (from - 1) / (to - 1) : 0;
  if (mode == "asymmetric") return x / factor;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5f) / factor;
  return Unimplemented("coordinate_transformation_mode \"", mode, "\"");
}

// "simple" is what versions without an attribute have.
absl::StatusOr<double> Nearest(const std::string& mode, const Scaling& s, double x) {
  if (mode == "round_prefer_floor") return std::ceil(x - 0.5);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  if (mode == "ceil" || (mode == "simple" && s.factor < 1)) return std::ceil(x);
  if (mode == "floor" || mode == "simple") return std::floor(x);
  return InvalidArgument("nearest_mode is \"", mode, "\"");
}

// How much of the element at a distance there is in the result.
double Share(const Interpolation& how, double distance) {
  const double d = std::abs(distance), a = how.cubic;
  if (how.mode == "linear") return std::max(1 - d, 0.0);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

// The matrix [from, to] that interpolates along an axis.
absl::StatusOr<Tensor> Weights(const Interpolation& how, const Scaling& s) {
  std::vector<double> weights(s.from * s.to, 0);
  for (int64_t i = 0; i < s.to; ++i) {
    SEQ_ASSIGN_OR_RETURN(const double x, Coordinate(how.coordinates, s, i));
    const auto first = static_cast<int64_t>(std::floor(x)) - 1;
    double all = 0;
    for (int64_t k = first; k < first + 4; ++k) {
      if (how.exclude_outside && (k < 0 || k >= s.from)) continue;
      const double share = Share(how, x - static_cast<double>(k));
      weights[std::clamp<int64_t>(k, 0, s.from - 1) * s.to + i] += share;
      all += share;
    }
    for (int64_t k = 0; k < s.from && how.exclude_outside; ++k) weights[k * s.to + i] /= all;
  }
  return Tensor::Of<double>(Shape{s.from, s.to}, weights);
}

absl::StatusOr<Operand> ResizeAxis(NodeImport& node, const Operand& x, int64_t axis,
                                   const Interpolation& how, const Scaling& s) {
  GraphImport& g = node.graph();
  if (how.mode == "nearest") {
    SEQ_RETURN_IF_ERROR(g.Charge(s.to * 4));
    std::vector<int32_t> places(s.to);
    for (int64_t i = 0; i < s.to; ++i) {
      SEQ_ASSIGN_OR_RETURN(const double place, Coordinate(how.coordinates, s, i));
      SEQ_ASSIGN_OR_RETURN(const double nearest, Nearest(how.nearest, s, place));
      places[i] = static_cast<int32_t>(std::clamp<double>(nearest, 0, double(s.from - 1)));
    }
    const Operand indices = Operand::Of(Tensor::Of<int32_t>(Shape{s.to}, places));
    return WithBoolean(g.Emit("Gather", {x, indices}, {{"axis", axis}}), x.boolean);
  }
  if (!IsReal(x.type.dtype)) return Unimplemented("it computes on ", DTypeName(x.type.dtype));
  if (s.from > Shape::kMaxElements / (s.to + 1)) {
    return ResourceExhausted("a matrix of ", s.from, " times ", s.to, " weights");
  }
  SEQ_RETURN_IF_ERROR(g.Charge(s.from * s.to * 8));
  SEQ_ASSIGN_OR_RETURN(const Tensor weights, Weights(how, s));
  Ints swap(x.rank());
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[axis], swap.back());
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Transpose(x, swap));
  SEQ_ASSIGN_OR_RETURN(y, g.Emit("Dense", {y, Operand::Of(weights.Cast(x.type.dtype)), Absent()}));
  return g.Transpose(y, swap);
}

absl::StatusOr<std::vector<double>> KnownReals(NodeImport& node, int i, absl::string_view what) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(i));
  if (x.known == nullptr || HoldsBatch(*x.known)) {
    return Unimplemented(what, " must be known when the model is imported");
  }
  const Tensor exact = x.known->Cast(DType::kFloat64);
  const auto elements = exact.Elements<double>();
  return std::vector<double>(elements.begin(), elements.end());
}

// Of each of the axes, by input `scales` or `sizes`; axes of the batch stay.
absl::StatusOr<std::vector<Scaling>> Scalings(NodeImport& node, const Operand& x, const Ints& axes,
                                              const std::vector<double>& factors, const Ints& sizes,
                                              const std::string& coordinates) {
  SEQ_ASSIGN_OR_RETURN(const std::string policy,
                       node.String("keep_aspect_ratio_policy", "stretch"));
  if (policy != "stretch") return Unimplemented("keep_aspect_ratio_policy \"", policy, "\"");
  if (std::max(factors.size(), sizes.size()) != axes.size()) {
    return InvalidArgument("scales or sizes must be one number for each axis");
  }
  std::vector<Scaling> scalings;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim extent = x.shape()[static_cast<int>(axes[i])];
    if (extent.is_batch()) {
      if (factors.empty() ? sizes[i] != kBatchElement : factors[i] != 1) {
        return Unimplemented("it resizes the batch");
      }
      scalings.push_back({1, 1});
      continue;
    }
    Scaling s{.from = extent.size(), .to = extent.size()};
    const auto from = static_cast<double>(s.from);
    const double to = factors.empty() ? static_cast<double>(sizes[i]) : from * factors[i];
    if (!(to >= 0 && to <= double{1 << 30}) || s.from < 1) {
      return InvalidArgument("axis ", axes[i], " of ", s.from, " would have ", to, " places");
    }
    s.to = static_cast<int64_t>(std::floor(to));
    if (coordinates == "align_corners" && static_cast<double>(s.to) != to) {
      return Unimplemented("align_corners of ", to, " places, which others read in two ways");
    }
    s.factor = factors.empty() ? to / from : factors[i];
    scalings.push_back(s);
  }
  return scalings;
}

absl::StatusOr<Operand> Resized(NodeImport& node, const Interpolation& how, const Ints& axes,
                                const std::vector<double>& factors, const Ints& sizes) {
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const std::vector<Scaling> scalings,
                       Scalings(node, y, axes, factors, sizes, how.coordinates));
  for (size_t i = 0; i < axes.size(); ++i) {
    if (scalings[i].from == scalings[i].to && scalings[i].factor == 1) continue;
    SEQ_ASSIGN_OR_RETURN(y, ResizeAxis(node, y, axes[i], how, scalings[i]));
  }
  return y;
}

Ints AllAxes(int rank) {
  Ints axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

absl::StatusOr<std::string> Mode(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const std::string mode, node.String("mode", "nearest"));
  if (mode == "bilinear") return std::string("linear");  // of opset 1
  if (mode == "nearest" || mode == "linear" || mode == "cubic") return mode;
  return InvalidArgument("mode is \"", mode, "\"");
}

// x in other extents: of each place the nearest element, or a weighted sum of those around.
absl::StatusOr<Operand> ConvertResize(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  Interpolation how;
  SEQ_ASSIGN_OR_RETURN(how.mode, Mode(node));
  if (node.opset() < 11) {
    how.coordinates = "asymmetric";
    how.nearest = "simple";
    SEQ_ASSIGN_OR_RETURN(const std::vector<double> factors, KnownReals(node, 1, "scales"));
    return Resized(node, how, AllAxes(x.rank()), factors, {});
  }
  SEQ_ASSIGN_OR_RETURN(how.coordinates,
                       node.String("coordinate_transformation_mode", "half_pixel"));
  SEQ_ASSIGN_OR_RETURN(how.nearest, node.String("nearest_mode", "round_prefer_floor"));
  SEQ_ASSIGN_OR_RETURN(how.cubic, node.Float("cubic_coeff_a", how.cubic));
  SEQ_ASSIGN_OR_RETURN(const int64_t exclude, node.Int("exclude_outside", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t antialias, node.Int("antialias", 0));
  SEQ_RETURN_IF_ERROR(node.Float("extrapolation_value", 0).status());  // of crops
  how.exclude_outside = exclude != 0 && how.mode == "cubic";
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> some, node.Ints("axes"));
  Ints axes = some.value_or(AllAxes(x.rank()));
  for (int64_t& axis : axes) {
    SEQ_ASSIGN_OR_RETURN(axis, NodeImport::Axis(axis, x.rank()));
  }
  std::vector<double> factors;
  Ints sizes;
  if (node.has_input(2) && node.optional_input(2).shape() != Shape{0}) {
    SEQ_ASSIGN_OR_RETURN(factors, KnownReals(node, 2, "scales"));
  } else {
    SEQ_ASSIGN_OR_RETURN(sizes, node.KnownInts(3, "sizes"));
  }
  if (antialias != 0 && how.mode != "nearest") return Unimplemented("antialias");
  return Resized(node, how, axes, factors, sizes);
}

absl::StatusOr<Operand> ConvertUpsample(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  Interpolation how{.coordinates = "asymmetric", .nearest = "simple"};
  SEQ_ASSIGN_OR_RETURN(how.mode, Mode(node));
  std::vector<double> factors;
  if (node.opset() < 7) {
    if (x.rank() != 4) return InvalidArgument("the operand is ", x.shape().ToString());
    SEQ_ASSIGN_OR_RETURN(const double height, node.Float("height_scale", 1));
    SEQ_ASSIGN_OR_RETURN(const double width, node.Float("width_scale", 1));
    factors = {1, 1, height, width};
  } else if (node.opset() < 9) {
    SEQ_ASSIGN_OR_RETURN(const std::optional<std::vector<double>> given, node.Floats("scales"));
    factors = given.value_or(factors);
  } else {
    SEQ_ASSIGN_OR_RETURN(factors, KnownReals(node, 1, "scales"));
  }
  return Resized(node, how, AllAxes(x.rank()), factors, {});
}

// Channels and blocks of places for each other: [batch, channels, height, width] in other extents,
// by an order of its axes between them.
absl::StatusOr<Operand> Blocks(NodeImport& node, const Shape& split, const Ints& order,
                               const Shape& joined) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  SEQ_ASSIGN_OR_RETURN(y, g.Reshape(y, split));
  SEQ_ASSIGN_OR_RETURN(y, g.Transpose(y, order));
  return g.Reshape(y, joined);
}

// The extents of an image and of its blocks.
struct Image {
  Dim batch;
  int64_t channels = 0, height = 0, width = 0, block = 0;
};

absl::StatusOr<Image> ImageOf(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t block, node.Int("blocksize", 0));
  bool valid = x.rank() == 4 && block >= 1 && block <= (1 << 15);
  for (int i = 1; valid && i < 4; ++i) valid = !x.shape()[i].is_batch();
  if (!valid) return InvalidArgument(x.shape().ToString(), " in blocks of ", block);
  return Image{x.shape()[0], x.shape()[1].size(), x.shape()[2].size(), x.shape()[3].size(), block};
}

absl::StatusOr<Operand> ConvertDepthToSpace(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Image x, ImageOf(node));
  SEQ_ASSIGN_OR_RETURN(const std::string mode, node.String("mode", "DCR"));
  const int64_t b = x.block, left = x.channels / (b * b);
  if (x.channels % (b * b) != 0 || (mode != "DCR" && mode != "CRD")) {
    return InvalidArgument(x.channels, " channels in blocks of ", b, ", mode \"", mode, "\"");
  }
  const Shape joined{x.batch, left, x.height * b, x.width * b};
  if (mode == "DCR") {
    return Blocks(node, Shape{x.batch, b, b, left, x.height, x.width}, {0, 3, 4, 1, 5, 2}, joined);
  }
  return Blocks(node, Shape{x.batch, left, b, b, x.height, x.width}, {0, 1, 4, 2, 5, 3}, joined);
}

absl::StatusOr<Operand> ConvertSpaceToDepth(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Image x, ImageOf(node));
  const int64_t b = x.block, rows = x.height / b, columns = x.width / b;
  if (x.height % b != 0 || x.width % b != 0) {
    return InvalidArgument(x.height, " x ", x.width, " in blocks of ", b);
  }
  return Blocks(node, Shape{x.batch, x.channels, rows, b, columns, b}, {0, 3, 5, 1, 2, 4},
                Shape{x.batch, x.channels * b * b, rows, columns});
}

constexpr ConverterRow kResizeRows[] = {
    {"DepthToSpace", ConvertDepthToSpace},
    {"Resize", ConvertResize},
    {"SpaceToDepth", ConvertSpaceToDepth},
    {"Upsample", ConvertUpsample},
};

}  // namespace

absl::Span<const ConverterRow> ResizeConverters() { return kResizeRows; }

}  // namespace seqgraph::onnx
