#pragma once

#include <cstdint>

#include "graph/attributes.h"

namespace seqgraph {

/// Windows that slide over the steps of a sequence: window s has `width` places, of which place i
/// is step s stride - pad_before + i dilation. Steps outside [0, time) are padding.
struct Windows {
  int64_t width = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_before = 0;
  int64_t pad_after = 0;

  /// No attribute may be larger, so that their products stay far from overflow.
  static constexpr int64_t kMost = int64_t{1} << 24;

  Windows() = default;
  /// By the attributes stride, dilation, pad_before and pad_after of an op.
  Windows(int64_t width, const Attributes& attributes)
      : width(width),
        stride(attributes.GetInt("stride")),
        dilation(attributes.GetInt("dilation")),
        pad_before(attributes.GetInt("pad_before")),
        pad_after(attributes.GetInt("pad_after")) {}

  /// Steps from the first to the last place of a window, both counted.
  int64_t extent() const { return (width - 1) * dilation + 1; }
  /// How many windows lie in the padded sequence.
  int64_t Count(int64_t time) const {
    const int64_t padded = time + pad_before + pad_after;
    return padded < extent() ? 0 : (padded - extent()) / stride + 1;
  }
  int64_t Step(int64_t window, int64_t place) const {
    return window * stride - pad_before + place * dilation;
  }

  /// Calls f(place, step) for the places of the window that are no padding, in order; gives their
  /// number.
  template <typename F>
  int64_t ForEachStep(int64_t window, int64_t time, F f) const {
    int64_t count = 0;
    for (int64_t i = 0, t = Step(window, 0); i < width; ++i, t += dilation) {
      if (t < 0 || t >= time) continue;
      ++count;
      f(i, t);
    }
    return count;
  }
};

}  // namespace seqgraph
