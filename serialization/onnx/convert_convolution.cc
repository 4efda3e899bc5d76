// Convolutions and their transposes.

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"
#include "serialization/onnx/windows.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

constexpr int64_t kMaxNodesOfOne = 1 << 16;  // that one operator becomes

// [batch, channels, ..] -> [batch, .., channels], and back.
Ints ChannelsLast(int rank) {
  Ints permutation(rank);
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + 1, permutation.begin() + 2, permutation.end());
  return permutation;
}

Ints ChannelsSecond(int rank) {
  Ints permutation(rank);
  std::iota(permutation.begin(), permutation.end(), 0);
  std::rotate(permutation.begin() + 1, permutation.end() - 1, permutation.end());
  return permutation;
}

// All that a window sees, for each of its places an operand like x [batch, .., channels].
absl::StatusOr<std::vector<Operand>> Patches(GraphImport& g, const Operand& x,
                                             const std::vector<Window>& windows) {
  std::vector<Operand> patches = {x};
  for (size_t i = 0; i < windows.size(); ++i) {
    std::vector<Operand> further;
    for (const Operand& patch : patches) {
      SEQ_ASSIGN_OR_RETURN(std::vector<Operand> slices,
                           Slices(g, patch, static_cast<int64_t>(i) + 1, windows[i], 0));
      std::move(slices.begin(), slices.end(), std::back_inserter(further));
    }
    patches = std::move(further);
    if (static_cast<int64_t>(patches.size()) > kMaxWindow) {
      return Unimplemented("a window of ", patches.size(), " places");
    }
  }
  return patches;
}

// y[.., m] = sum over places k and channels c of patch_k[.., c] w[k, c, m]: one product with the
// patches side by side; where each channel is a group of its own, products element by element.
absl::StatusOr<Operand> Convolve(NodeImport& node, const Operand& x, const Operand& w,
                                 const Operand& bias, const std::vector<Window>& windows,
                                 int64_t groups) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> patches, Patches(g, x, windows));
  const auto places = static_cast<int64_t>(patches.size());
  const int64_t channels = w.shape()[1].size(), units = w.shape()[0].size() / groups;
  // [units, channels, ..] -> [.., channels, units]
  Ints order(w.rank());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin(), order.begin() + 2, order.end());
  std::swap(order[order.size() - 2], order.back());
  SEQ_ASSIGN_OR_RETURN(Operand kernel, g.Transpose(w, order));
  SEQ_ASSIGN_OR_RETURN(kernel, g.Reshape(kernel, Shape{places * channels, units * groups}));
  if (kernel.known != nullptr && kernel.variable.empty()) kernel.variable = node.name() + "/kernel";
  if (groups > 1 && channels == 1 && units == 1) {
    absl::StatusOr<Operand> sum;
    for (int64_t k = 0; k < places; ++k) {
      const Term row(g, g.Slice(kernel, 0, k, k + 1));
      const Term product = Term(g, patches[k]) * Term(g, g.Reshape(*row.operand(), Shape{groups}));
      sum = k == 0 ? product.Take() : (Term(g, sum) + product).Take();
    }
    return sum;
  }
  SEQ_ASSIGN_OR_RETURN(const Operand wide, g.Concat(patches, x.rank() - 1));
  if (groups == 1) return g.Emit("Dense", {wide, kernel, bias});
  if (groups * places > kMaxNodesOfOne)
    return Unimplemented(groups, " groups of ", places, " places");
  std::vector<Operand> results;
  for (int64_t group = 0; group < groups; ++group) {
    std::vector<Operand> seen;
    for (const Operand& patch : patches) {
      SEQ_ASSIGN_OR_RETURN(seen.emplace_back(),
                           g.Slice(patch, x.rank() - 1, group * channels, (group + 1) * channels));
    }
    SEQ_ASSIGN_OR_RETURN(const Operand part, g.Concat(seen, x.rank() - 1));
    SEQ_ASSIGN_OR_RETURN(const Operand columns,
                         g.Slice(kernel, 1, group * units, (group + 1) * units));
    SEQ_ASSIGN_OR_RETURN(results.emplace_back(), g.Emit("Dense", {part, columns}));
  }
  return g.Concat(results, x.rank() - 1);
}

// Along one axis: weights [units, channels, .., size, ..] as [size, channels, units].
absl::StatusOr<Operand> ConvolveTime(NodeImport& node, const Operand& x, const Operand& w,
                                     Operand bias, const Window& window, int axis, int64_t groups) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand kernel,
                       g.Reshape(w, Shape{w.shape()[0], w.shape()[1], window.size}));
  SEQ_ASSIGN_OR_RETURN(kernel, g.Transpose(kernel, {2, 1, 0}));
  if (kernel.known != nullptr && kernel.variable.empty()) kernel.variable = node.name() + "/kernel";
  if (bias.known != nullptr && bias.variable.empty()) bias.variable = node.name() + "/bias";
  return OverTime(g, x, window, axis, w.shape()[0], "Conv1D", {kernel, bias}, {{"groups", groups}});
}

absl::StatusOr<Operand> WithWindows(NodeImport& node, const Operand& x, const Operand& w,
                                    const Operand& bias, const std::vector<Window>& windows,
                                    int64_t groups) {
  GraphImport& g = node.graph();
  if (const int only = OnlyWindow(windows); only >= 0) {
    return ConvolveTime(node, x, w, bias, windows[only], only + 2, groups);
  }
  SEQ_ASSIGN_OR_RETURN(const Operand last, g.Transpose(x, ChannelsLast(x.rank())));
  SEQ_ASSIGN_OR_RETURN(Operand y, Convolve(node, last, w, bias, windows, groups));
  if (bias.present() && groups > 1) {
    SEQ_ASSIGN_OR_RETURN(y, g.Pair("Add", y, bias));
  }
  return g.Transpose(y, ChannelsSecond(x.rank()));
}

Ints WindowSizes(const Operand& w) {
  Ints sizes;
  for (int i = 2; i < w.rank(); ++i) sizes.push_back(w.shape()[i].size());
  return sizes;
}

absl::StatusOr<Operand> ConvertConv(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  SEQ_ASSIGN_OR_RETURN(const Operand w, node.input(1));
  return Convolution(node, x, w, node.optional_input(2));
}

// How far the operand of the ordinary convolution reaches beyond that of the transposed one, in
// front and behind. Along each axis the result has stride (n - 1) + reach + output_padding places,
// less what `pads` cuts off.
absl::StatusOr<std::vector<Window>> TransposedWindows(NodeImport& node, const Operand& x,
                                                      const Ints& sizes) {
  const size_t axes = sizes.size();
  SEQ_ASSIGN_OR_RETURN(const Ints kernel, PositiveInts(node, "kernel_shape", axes));
  if (node.Attribute("kernel_shape") != nullptr && kernel != sizes) {
    return InvalidArgument("attribute kernel_shape is not that of the weights");
  }
  SEQ_ASSIGN_OR_RETURN(const Ints strides, PositiveInts(node, "strides", axes));
  SEQ_ASSIGN_OR_RETURN(const Ints dilations, PositiveInts(node, "dilations", axes));
  SEQ_ASSIGN_OR_RETURN(const std::string auto_pad, node.String("auto_pad", "NOTSET"));
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given_pads, node.Ints("pads"));
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given_extra, node.Ints("output_padding"));
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> extents, node.Ints("output_shape"));
  const Ints pads = given_pads.value_or(Ints(2 * axes, 0));
  const Ints extra = given_extra.value_or(Ints(axes, 0));
  if (pads.size() != 2 * axes || extra.size() != axes ||
      (extents.has_value() && extents->size() != axes)) {
    return InvalidArgument("pads, output_padding or output_shape differ from its axes in number");
  }
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  std::vector<Window> windows;
  for (size_t i = 0; i < axes; ++i) {
    const Dim extent = x.shape()[static_cast<int>(i) + 2];
    if (extent.is_batch()) return Unimplemented("a window over the batch");
    Window window{.size = sizes[i], .stride = strides[i], .dilation = dilations[i]};
    window.extent = extent.size();
    if (window.size < 1 || window.size > kMaxWindow || window.reach() > kMostPlaces ||
        window.extent < 1 || window.extent > kMostPlaces || extra[i] < 0 ||
        extra[i] > kMostPlaces) {
      return Unimplemented("a window of ", window.size, " places over ", window.extent);
    }
    const int64_t whole = strides[i] * (window.extent - 1) + extra[i] + window.reach();
    int64_t front = auto_pad == "NOTSET" ? pads[i] : 0;
    int64_t behind = auto_pad == "NOTSET" ? pads[axes + i] : 0;
    if (same || extents.has_value()) {
      const int64_t wanted = extents.has_value() ? (*extents)[i] : window.extent * strides[i];
      if (wanted < 1 || wanted > kMostPlaces) return InvalidArgument("output_shape has ", wanted);
      const int64_t cut = whole - wanted;
      // What is more than whole comes behind.
      front = cut < 0 ? 0 : auto_pad == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
      behind = cut - front;
    }
    const bool sane = std::min(front, behind) >= -kMostPlaces &&
                      std::max(front, behind) <= kMostPlaces && whole <= kMostPlaces;
    window.places = sane ? whole - front - behind : 0;
    if (window.places < 1) {
      return InvalidArgument("pads ", front, " and ", behind, " of ", whole, " places");
    }
    window.before = window.reach() - 1 - front;
    window.after = window.reach() - 1 - behind + extra[i];
    windows.push_back(window);
  }
  return windows;
}

// x with stride - 1 zeros between its elements along the axis.
absl::StatusOr<Operand> Spread(GraphImport& g, const Operand& x, int64_t axis, int64_t stride) {
  if (stride == 1) return x;
  std::vector<Dim> dims(x.shape().dims().begin(), x.shape().dims().end());
  const int64_t extent = dims[axis].size();
  if (x.rank() == Shape::kMaxRank) return Unimplemented("of ", x.rank(), " axes");
  dims.insert(dims.begin() + axis + 1, Dim(1));
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Reshape(x, Shape(dims)));
  SEQ_ASSIGN_OR_RETURN(y, g.Pad(y, axis + 1, 0, stride - 1, 0));
  dims.erase(dims.begin() + axis + 1);
  dims[axis] = extent * stride;
  SEQ_RETURN_IF_ERROR(Shape(dims).Validate());
  SEQ_ASSIGN_OR_RETURN(y, g.Reshape(y, Shape(dims)));
  return g.Slice(y, axis, 0, (extent - 1) * stride + 1);
}

// Weights [channels, units / groups, ..] as those of the convolution that gives the same, [units,
// channels / groups, ..] with their places backward.
absl::StatusOr<Operand> TransposedWeights(GraphImport& g, const Operand& w, int64_t groups) {
  const int64_t channels = w.shape()[0].size() / groups, units = w.shape()[1].size();
  const auto places = w.shape().dims().subspan(2);
  Shape grouped{groups, channels, units}, flat{groups * units, channels};
  for (Dim dim : places) {
    grouped.Append(dim);
    flat.Append(dim);
  }
  Ints order(grouped.rank());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[1], order[2]);
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Reshape(w, grouped));
  SEQ_ASSIGN_OR_RETURN(y, g.Transpose(y, order));
  SEQ_ASSIGN_OR_RETURN(y, g.Reshape(y, flat));
  for (int64_t axis = 2; axis < y.rank(); ++axis) {
    if (y.shape()[static_cast<int>(axis)] == 1) continue;
    SEQ_ASSIGN_OR_RETURN(y, g.Emit("Reverse", {y}, {{"axis", axis}}));
  }
  return y;
}

// A convolution, with its weights backward, of x with zeros between its elements.
absl::StatusOr<Operand> ConvertConvTranspose(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand x, Real(node, 0).Take());
  SEQ_ASSIGN_OR_RETURN(const Operand w, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const int64_t groups, node.Int("group", 1));
  if (x.rank() < 3 || w.rank() != x.rank() || w.rank() == Shape::kMaxRank ||
      !w.shape().is_static() || w.shape()[0] != x.shape()[1] || groups < 1 ||
      w.shape()[0].size() % groups != 0) {
    return InvalidArgument("weights ", w.shape().ToString(), " do not fit to ",
                           x.shape().ToString(), " in ", groups, " groups");
  }
  SEQ_ASSIGN_OR_RETURN(std::vector<Window> windows, TransposedWindows(node, x, WindowSizes(w)));
  for (size_t i = 0; i < windows.size(); ++i) {
    Window& window = windows[i];
    const int64_t axis = static_cast<int64_t>(i) + 2;
    SEQ_ASSIGN_OR_RETURN(x, Spread(g, x, axis, window.stride));
    // What is cut off may be more than there is in front or behind, so it is not left to windows.
    const int64_t extent = x.shape()[static_cast<int>(axis)].size();
    if (std::min<int64_t>(window.before, 0) + std::min<int64_t>(window.after, 0) < -extent) {
      return Unimplemented("pads of more than is there");
    }
    SEQ_ASSIGN_OR_RETURN(x, g.Pad(x, axis, window.before, window.after, 0));
    window = {.size = window.size, .dilation = window.dilation, .places = window.places};
    window.extent = x.shape()[static_cast<int>(axis)].size();
  }
  SEQ_ASSIGN_OR_RETURN(const Operand kernel, TransposedWeights(g, w, groups));
  return WithWindows(node, x, kernel, node.optional_input(2), windows, groups);
}

constexpr ConverterRow kConvolutionRows[] = {
    {"Conv", ConvertConv},
    {"ConvTranspose", ConvertConvTranspose},
};

}  // namespace

absl::StatusOr<Operand> Convolution(NodeImport& node, const Operand& x, const Operand& w,
                                    const Operand& bias) {
  SEQ_ASSIGN_OR_RETURN(const int64_t groups, node.Int("group", 1));
  const Dim channels = x.rank() < 3 ? Dim(0) : x.shape()[1];
  if (w.rank() != x.rank() || !w.shape().is_static() || channels.is_batch() || groups < 1 ||
      groups > channels.size() || channels.size() % groups != 0 ||
      w.shape()[1] != channels.size() / groups || w.shape()[0].size() % groups != 0) {
    return InvalidArgument("weights ", w.shape().ToString(), " do not fit to ",
                           x.shape().ToString(), " in ", groups, " groups");
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<Window> windows, Windows(node, x, WindowSizes(w)));
  return WithWindows(node, x, w, bias, windows, groups);
}

absl::Span<const ConverterRow> ConvolutionConverters() { return kConvolutionRows; }

}  // namespace seqgraph::onnx
