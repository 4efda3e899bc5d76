#include "serialization/onnx/windows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/status_macros.h"

namespace seqgraph::onnx {
namespace {

using Ints = std::vector<int64_t>;

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

}  // namespace

absl::StatusOr<Ints> PositiveInts(NodeImport& node, const char* name, size_t count) {
  SEQ_ASSIGN_OR_RETURN(const std::optional<Ints> given, node.Ints(name));
  const Ints ints = given.value_or(Ints(count, 1));
  const bool valid = ints.size() == count && std::all_of(ints.begin(), ints.end(), [](int64_t n) {
                       return n >= 1 && n <= kMostPlaces;
                     });
  if (valid) return ints;
  return InvalidArgument("attribute ", name, " must be ", count, " numbers of at least 1");
}

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
    if (std::min(pads[i], pads[axes + i]) < 0 || std::max(pads[i], pads[axes + i]) > kMostPlaces) {
      return InvalidArgument("attribute pads must be from 0 to ", kMostPlaces);
    }
    Window window{.size = sizes.has_value() ? (*sizes)[i] : kernel[i],
                  .stride = strides[i],
                  .dilation = dilations[i],
                  .before = pads[i],
                  .after = pads[axes + i],
                  .extent = extent.size()};
    if (window.size < 1 || window.size > kMaxWindow || window.reach() > kMostPlaces) {
      return Unimplemented("a window of ", window.size, " places");
    }
    SEQ_RETURN_IF_ERROR(SetPlaces(auto_pad, ceil != 0, window));
    windows.push_back(window);
  }
  return windows;
}

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

}  // namespace seqgraph::onnx
