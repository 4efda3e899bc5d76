// Operators that look at a window of each place: convolutions and poolings.
// A window along one axis is so many slices of the operand, each a place further.

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

constexpr int64_t kMaxWindow = 4096;    // places of one
constexpr int64_t kMaxNodes = 1 << 16;  // that one operator becomes
constexpr int64_t kFar = int64_t{1} << 30;

// Along one axis.
struct Window {
  int64_t size = 1, stride = 1, dilation = 1;
  int64_t before = 0, after = 0;   ///< places that are padded
  int64_t extent = 0, places = 0;  ///< of the operand and of the result

  int64_t reach() const { return dilation * (size - 1) + 1; }
};

absl::StatusOr<Ints> PositiveInts(NodeImport& node, const char* name, size_t count) {
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints(name));
  const Ints ints = given.value_or(Ints(count, 1));
  const bool valid = ints.size() == count && std::all_of(ints.begin(), ints.end(), [](int64_t n) {
                       return n >= 1 && n <= kFar;
                     });
  if (valid) return ints;
  return InvalidArgument("attribute ", name, " must be ", count, " numbers of at least 1");
}

// How many places a window has, and what is padded for them.
absl::Status SetPlaces(const std::string& auto_pad, bool ceil, Window& window) {
  const int64_t stride = window.stride;
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    window.places = (window.extent + stride - 1) / stride;
    const int64_t padded =
        std::max<int64_t>((window.places - 1) * stride + window.reach() - window.extent, 0);
    window.before = auto_pad == "SAME_UPPER" ? padded / 2 : padded - padded / 2;
    window.after = padded - window.before;
    return absl::OkStatus();
  }
  const int64_t room = window.extent + window.before + window.after - window.reach();
  if (room < 0) {
    return InvalidArgument("a window of ", window.reach(), " does not fit into ", window.extent);
  }
  window.places = room / stride + 1;
  // One more, if it begins within the operand or what is padded before it.
  if (ceil && room % stride != 0 && window.places * stride < window.extent + window.before) {
    ++window.places;
  }
  return absl::OkStatus();
}

// Those of the last axes of x, from 2 on; of these sizes, or of attribute kernel_shape.
absl::StatusOr<std::vector<Window>> Windows(NodeImport& node, const Operand& x,
                                            const std::optional<Ints>& sizes) {
  if (x.rank() < 3) return InvalidArgument("the operand is ", x.shape().ToString());
  const auto axes = static_cast<size_t>(x.rank() - 2);
  SEQ_ASSIGN_OR_RETURN(const Ints kernel, PositiveInts(node, "kernel_shape", axes));
  if (sizes.has_value() && node.Attribute("kernel_shape") != nullptr && *sizes != kernel) {
    return InvalidArgument("attribute kernel_shape is not that of the weights");
  }
  SEQ_ASSIGN_OR_RETURN(const Ints strides, PositiveInts(node, "strides", axes));
  SEQ_ASSIGN_OR_RETURN(const Ints dilations, PositiveInts(node, "dilations", axes));
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints("pads"));
  SEQ_ASSIGN_OR_RETURN(const std::string auto_pad, node.String("auto_pad", "NOTSET"));
  SEQ_ASSIGN_OR_RETURN(const int64_t ceil, node.Int("ceil_mode", 0));
  const Ints pads = auto_pad == "NOTSET" ? given.value_or(Ints(2 * axes, 0)) : Ints(2 * axes, 0);
  if (pads.size() != 2 * axes)
    return InvalidArgument("attribute pads must be ", 2 * axes, " numbers");
  std::vector<Window> windows;
  for (size_t i = 0; i < axes; ++i) {
    const Dim extent = x.shape()[static_cast<int>(i) + 2];
    if (extent.is_batch()) return Unimplemented("a window over the batch");
    if (std::min(pads[i], pads[axes + i]) < 0 || std::max(pads[i], pads[axes + i]) > kFar) {
      return InvalidArgument("attribute pads must be from 0 to ", kFar);
    }
    Window window{.size = sizes.has_value() ? (*sizes)[i] : kernel[i],
                  .stride = strides[i],
                  .dilation = dilations[i],
                  .before = pads[i],
                  .after = pads[axes + i],
                  .extent = extent.size()};
    if (window.size < 1 || window.size > kMaxWindow || window.reach() > kFar) {
      return Unimplemented("a window of ", window.size, " places");
    }
    SEQ_RETURN_IF_ERROR(SetPlaces(auto_pad, ceil != 0, window));
    windows.push_back(window);
  }
  return windows;
}

// What the windows along the axis see, by their places: as many slices as a window has.
absl::StatusOr<std::vector<Operand>> Slices(GraphImport& g, const Operand& x, int64_t axis,
                                            const Window& window, double value) {
  const int64_t last = (window.places - 1) * window.stride;
  const int64_t behind = last + window.reach() - window.before - window.extent;
  SEQ_ASSIGN_OR_RETURN(const Operand padded,
                       g.Pad(x, axis, window.before, std::max<int64_t>(behind, 0), value));
  std::vector<Operand> slices;
  for (int64_t i = 0; i < window.size; ++i) {
    const int64_t begin = i * window.dilation;
    SEQ_ASSIGN_OR_RETURN(slices.emplace_back(),
                         g.Slice(padded, axis, begin, begin + last + 1, window.stride));
  }
  return slices;
}

// The place of the only window that does more than to look at the one element of its axis; -1 if
// there are more.
int OnlyWindow(const std::vector<Window>& windows) {
  int only = 0;
  int count = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    const Window& w = windows[i];
    if (w.extent == 1 && w.size == 1 && w.before == 0 && w.after == 0) continue;
    only = static_cast<int>(i);
    ++count;
  }
  return count > 1 ? -1 : only;
}

// One of our ops of windows over time, for [batch, channels, .., extent, ..] with extents of 1
// beside it: [batch, extent, channels] there and back.
absl::StatusOr<Operand> OverTime(GraphImport& g, const Operand& x, const Window& window, int axis,
                                 Dim channels, const char* op, std::vector<Operand> inputs,
                                 Attributes attributes) {
  const Dim batch = x.shape()[0];
  const int64_t last = (window.places - 1) * window.stride;
  attributes.Set("stride", window.stride);
  attributes.Set("dilation", window.dilation);
  attributes.Set("pad_before", window.before);
  // What the last window looks at: more with ceil_mode, less where the stride leaves some out.
  attributes.Set("pad_after",
                 std::max<int64_t>(last + window.reach() - window.before - window.extent, 0));
  SEQ_ASSIGN_OR_RETURN(const Operand flat, g.Reshape(x, Shape{batch, x.shape()[1], window.extent}));
  SEQ_ASSIGN_OR_RETURN(const Operand steps, g.Transpose(flat, {0, 2, 1}));
  inputs.insert(inputs.begin(), steps);
  SEQ_ASSIGN_OR_RETURN(const Operand y, g.Emit(op, inputs, attributes));
  SEQ_ASSIGN_OR_RETURN(const Operand back, g.Transpose(y, {0, 2, 1}));
  Shape shape{batch, channels};
  for (int i = 2; i < x.rank(); ++i) shape.Append(i == axis ? Dim(window.places) : Dim(1));
  return g.Reshape(back, shape);
}

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
                                 const std::vector<Window>& windows, int64_t groups) {
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
  if (groups == 1) return g.Emit("Dense", {wide, kernel, node.optional_input(2)});
  if (groups * places > kMaxNodes) return Unimplemented(groups, " groups of ", places, " places");
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
                                     const Window& window, int axis, int64_t groups) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand kernel,
                       g.Reshape(w, Shape{w.shape()[0], w.shape()[1], window.size}));
  SEQ_ASSIGN_OR_RETURN(kernel, g.Transpose(kernel, {2, 1, 0}));
  if (kernel.known != nullptr && kernel.variable.empty()) kernel.variable = node.name() + "/kernel";
  Operand bias = node.optional_input(2);
  if (bias.known != nullptr && bias.variable.empty()) bias.variable = node.name() + "/bias";
  return OverTime(g, x, window, axis, w.shape()[0], "Conv1D", {kernel, bias}, {{"groups", groups}});
}

absl::StatusOr<Operand> ConvertConv(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, Real(node, 0).Take());
  SEQ_ASSIGN_OR_RETURN(const Operand w, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const int64_t groups, node.Int("group", 1));
  const Dim channels = x.rank() < 3 ? Dim(0) : x.shape()[1];
  if (w.rank() != x.rank() || !w.shape().is_static() || channels.is_batch() || groups < 1 ||
      groups > channels.size() || w.shape()[1].size() * groups != channels.size() ||
      w.shape()[0].size() % groups != 0) {
    return InvalidArgument("weights ", w.shape().ToString(), " do not fit to ",
                           x.shape().ToString(), " in ", groups, " groups");
  }
  Ints sizes;
  for (int i = 2; i < w.rank(); ++i) sizes.push_back(w.shape()[i].size());
  SEQ_ASSIGN_OR_RETURN(const std::vector<Window> windows, Windows(node, x, sizes));
  if (const int only = OnlyWindow(windows); only >= 0) {
    return ConvolveTime(node, x, w, windows[only], only + 2, groups);
  }
  SEQ_ASSIGN_OR_RETURN(const Operand last, g.Transpose(x, ChannelsLast(x.rank())));
  SEQ_ASSIGN_OR_RETURN(Operand y, Convolve(node, last, w, windows, groups));
  if (node.has_input(2) && groups > 1) {
    SEQ_ASSIGN_OR_RETURN(y, g.Pair("Add", y, node.optional_input(2)));
  }
  return g.Transpose(y, ChannelsSecond(x.rank()));
}

constexpr ConverterRow kRows[] = {
    {"AveragePool", ConvertAveragePool},
    {"Conv", ConvertConv},
    {"GlobalAveragePool", ConvertGlobalPool, "ReduceMean"},
    {"GlobalMaxPool", ConvertGlobalPool, "ReduceMax"},
    {"MaxPool", ConvertMaxPool},
};

}  // namespace

absl::Span<const ConverterRow> WindowConverters() { return kRows; }

}  // namespace seqgraph::onnx
