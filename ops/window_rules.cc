#include "ops/window_rules.h"

#include <string>

#include "ops/shape_rules.h"

namespace seqgraph::ops {

Attributes WindowAttributes(const WindowOptions& o) {
  return {{"stride", o.stride},
          {"dilation", o.dilation},
          {"pad_before", o.pad_before},
          {"pad_after", o.pad_after}};
}

void AddWindowAttributes(OpDef& op, const char* label, const char* fit_label) {
  op.Attribute("stride", int64_t{1}, "steps from one window to the next")
      .Attribute("dilation", int64_t{1}, "steps from one place of a window to the next")
      .Attribute("pad_before", int64_t{0}, "steps of padding in front of the first step")
      .Attribute("pad_after", int64_t{0}, "steps of padding behind the last step")
      .Constrain(label, absl::StrCat("width, stride and dilation are at least 1, pads at least 0, "
                                     "none above ",
                                     Windows::kMost))
      .Constrain(fit_label, "the padded sequence has at least one window");
}

absl::StatusOr<int64_t> CountWindows(const ShapeContext& c, const char* label,
                                     const char* fit_label, int64_t width, const Shape& x) {
  const Windows w(width, c.attributes());
  for (const auto& [name, value, least] : {std::tuple{"width", w.width, 1},
                                           {"stride", w.stride, 1},
                                           {"dilation", w.dilation, 1},
                                           {"pad_before", w.pad_before, 0},
                                           {"pad_after", w.pad_after, 0}}) {
    if (value < least || value > Windows::kMost) {
      return Violation(label, name, " must be in [", least, ", ", Windows::kMost, "], got ", value);
    }
  }
  const int64_t windows = w.Count(x[1].size());
  if (windows > 0) return windows;
  return Violation(fit_label, "a window of ", w.extent(), " steps does not fit into ", x[1].size(),
                   " steps with ", w.pad_before, " in front and ", w.pad_after, " behind");
}

WindowOptions RandomWindows(SampleSource& source, int64_t width, int64_t time) {
  WindowOptions o{.stride = source.Int(1, 3), .dilation = source.Int(1, 2)};
  const int64_t missing = (width - 1) * o.dilation + 1 - time;
  o.pad_before = source.Int(0, 2);
  o.pad_after = std::max(missing - o.pad_before, source.Int(0, 2));
  return o;
}

}  // namespace seqgraph::ops
