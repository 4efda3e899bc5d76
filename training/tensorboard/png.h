#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seqgraph {

/// A picture of `height` rows of `width` pixels from above to below, each of red, green and blue in
/// 0..255.
struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  Pixels(int wide, int high)
      : width(wide), height(high), rgb(static_cast<size_t>(wide) * static_cast<size_t>(high) * 3) {}
};

/// The picture as PNG (8 bits, RGB). Internal with libpng's words where that fails.
absl::StatusOr<std::string> EncodePng(const Pixels& pixels);

}  // namespace seqgraph
