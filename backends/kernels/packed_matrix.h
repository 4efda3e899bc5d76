#pragma once

// How a matrix of weights lies that rows are multiplied by (products-inl.h): in panels of two
// vectors of columns, one at the end where their number is odd, with one row of a panel behind the
// other. A row of two vectors is
//   float32   the two vectors;
//   bf16      a vector of words, the first vector's elements in their upper halves, the second's in
//             the lower ones: a mask and a shift make two vectors of floats of it;
//   int8      bytes, whole numbers that are to be multiplied by the scale of their column, once for
//             each sum; those of two neighbouring rows in turn (the last one of an odd number has
//             zeros beside it), so that one instruction multiplies and adds both.
// A panel of one vector holds floats in any format, for int8 whole numbers.

#include <cstdint>

#include "backends/kernels/pieces.h"
#include "graph/weight_format.h"

namespace seqgraph::kernels {

constexpr int64_t PanelRowBytes(WeightFormat format, int64_t vectors, int64_t lanes) {
  if (format == WeightFormat::kFloat32 || vectors == 1) return vectors * lanes * 4;
  return format == WeightFormat::kBf16 ? lanes * 4 : lanes * 2;
}

/// Rows of a panel that lie in turn.
constexpr int RowsInTurn(WeightFormat format, int64_t vectors) {
  return format == WeightFormat::kInt8 && vectors == 2 ? 2 : 1;
}

constexpr int64_t PanelBytes(WeightFormat format, int64_t inner, int64_t vectors, int64_t lanes) {
  const int64_t in_turn = RowsInTurn(format, vectors);
  return (inner + in_turn - 1) / in_turn * in_turn * PanelRowBytes(format, vectors, lanes);
}

/// Of all panels of that many vectors.
constexpr int64_t PackedBytes(WeightFormat format, int64_t inner, int64_t vectors, int64_t lanes) {
  return vectors / 2 * PanelBytes(format, inner, 2, lanes) +
         vectors % 2 * PanelBytes(format, inner, 1, lanes);
}

struct PackedMatrix {
  char* data = nullptr;
  float* scales = nullptr;  ///< kInt8: one for each column
  WeightFormat format = WeightFormat::kFloat32;

  static PackedMatrix Take(Pieces& pieces, WeightFormat format, int64_t inner, int64_t vectors,
                           int64_t lanes) {
    char* const data = pieces.Take<char>(PackedBytes(format, inner, vectors, lanes));
    return {data, pieces.Take(format == WeightFormat::kInt8 ? vectors * lanes : 0), format};
  }
  /// What lies behind the first `vectors`, which are an even number or floats.
  PackedMatrix From(int64_t vectors, int64_t inner, int64_t lanes) const {
    return {data + PackedBytes(format, inner, vectors, lanes), scales + vectors * lanes, format};
  }
};

/// Memory for weights as kernels read them; null: there is none, and they are packed in each call.
/// Current: what a call has left there is still that of its weights.
struct PackedWeights {
  void* memory = nullptr;
  bool current = false;
};

}  // namespace seqgraph::kernels
