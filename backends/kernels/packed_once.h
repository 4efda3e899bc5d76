#pragma once

// Weights as kernels pack them for themselves: in which format, and how long they stay.

#include <cstdint>
#include <utility>
#include <vector>

#include "backends/kernels/kernel.h"
#include "backends/kernels/packed_matrix.h"
#include "graph/weight_format.h"

namespace seqgraph::kernels {

/// What a kernel may pack a matrix in without losing a bit: the format that RoundWeights, which
/// gives the input, has rounded it to, with a scale for each index of `axis`. kFloat32 where it
/// comes from elsewhere, or where it has no more than `few` elements.
WeightFormat PackedFormat(const NodeContext& context, int input, int64_t axis,
                          int64_t few = kFewWeights);

/// For kernels that read floats: refuses weights that another kernel can read in fewer bits.
Claim ClaimFloatWeights(const NodeContext& context);

/// Operands as a kernel packs them, in its program's persistent bytes: anew only where an operand
/// may have changed.
class PackedOnce {
 public:
  /// `inputs`: the operands, at most eight.
  PackedOnce(ProgramResources& program, int64_t bytes, std::vector<int> inputs)
      : inputs_(std::move(inputs)), offset_(program.TakePersistent(kVersions + bytes)) {}

  /// What is not current must be packed now.
  PackedWeights Of(const KernelArgs& args) const;

 private:
  static constexpr int64_t kVersions = 64;  // bytes before them: of which versions they are
  const std::vector<int> inputs_;
  const int64_t offset_;
};

}  // namespace seqgraph::kernels
