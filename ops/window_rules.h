#pragma once

// What the ops have in common that slide windows over time (graph/windows.h).

#include "graph/op_def.h"
#include "graph/windows.h"

namespace seqgraph::ops {

/// Where windows lie, as a builder is told.
struct WindowOptions {
  int64_t stride = 1;    ///< from one window to the next
  int64_t dilation = 1;  ///< from one step of a window to the next
  int64_t pad_before = 0;
  int64_t pad_after = 0;
};

/// The attributes stride, dilation, pad_before and pad_after, from these options.
Attributes WindowAttributes(const WindowOptions& options);
/// Their definitions, and the constraints `label`, that they make sense, and `fit_label`, that
/// there is a window.
void AddWindowAttributes(OpDef& op, const char* label, const char* fit_label);

/// Violation of `label` or of `fit_label` (AddWindowAttributes) by windows over x [batch, time,
/// channels]; their number.
absl::StatusOr<int64_t> CountWindows(const ShapeContext& c, const char* label,
                                     const char* fit_label, int64_t width, const Shape& x);

/// Random ones that fit a sequence of `time` steps.
WindowOptions RandomWindows(SampleSource& source, int64_t width, int64_t time);

}  // namespace seqgraph::ops
