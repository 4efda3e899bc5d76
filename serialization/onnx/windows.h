#pragma once

// Windows that convolutions and poolings look through. A window along one axis is so many slices of
// the operand, each a place further.

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {

/// Along one axis.
struct Window {
  int64_t size = 1, stride = 1, dilation = 1;
  int64_t before = 0, after = 0;   ///< places that are padded
  int64_t extent = 0, places = 0;  ///< of the operand and of the result

  int64_t reach() const { return dilation * (size - 1) + 1; }
};

inline constexpr int64_t kMaxWindow = 4096;               ///< places of one
inline constexpr int64_t kMostPlaces = int64_t{1} << 30;  ///< of an attribute

/// The attribute of that name: `count` numbers of at least 1, by default of 1.
absl::StatusOr<std::vector<int64_t>> PositiveInts(NodeImport& node, const char* name, size_t count);

/// The windows of the last axes of x, from 2 on; of these sizes, or of attribute kernel_shape.
absl::StatusOr<std::vector<Window>> Windows(NodeImport& node, const Operand& x,
                                            const std::optional<std::vector<int64_t>>& sizes);

/// What the windows along the axis see, by their places: as many slices as a window has. What is
/// padded has that value.
absl::StatusOr<std::vector<Operand>> Slices(GraphImport& g, const Operand& x, int64_t axis,
                                            const Window& window, double value);

/// The place of the only window that does more than to look at the one element of its axis; -1 if
/// there are more.
int OnlyWindow(const std::vector<Window>& windows);

/// One of our ops of windows over time, for [batch, channels, .., extent, ..] with extents of 1
/// beside it: [batch, extent, channels] there and back.
absl::StatusOr<Operand> OverTime(GraphImport& g, const Operand& x, const Window& window, int axis,
                                 Dim channels, const char* op, std::vector<Operand> inputs,
                                 Attributes attributes);

/// What Conv gives of x [batch, channels, ..] by weights [units, channels / group, ..], with the
/// node's attributes.
absl::StatusOr<Operand> Convolution(NodeImport& node, const Operand& x, const Operand& w,
                                    const Operand& bias);

}  // namespace seqgraph::onnx
