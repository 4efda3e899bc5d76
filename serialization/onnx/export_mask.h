#pragma once

// Any mask in operators that know only lengths: the steps of each row that are not masked are put
// together in front, in their order, and what is computed of them goes back to their places.

#include <cstdint>
#include <string>

#include "serialization/onnx/node_export.h"

namespace seqgraph::onnx {

/// Whether ONNX's operator with the lengths that the cell's mask was made of gives what ours gives
/// with the mask: its sequence is zero where masked, and ours repeats what was before, so all who
/// read that must be ZeroMasked by the mask, which then is done already.
bool TakesLengths(const GraphExport& graph, const Node& cell);

/// Names of values in the graph, of one mask [batch, time].
struct MaskSteps {
  std::string present;  ///< bool: not masked
  std::string ones;     ///< int64: 1 there, 0 else
  std::string so_far;   ///< int64: their sum up to and with each step
  std::string lengths;  ///< int32 [batch]
  std::string order;    ///< int64 [batch, time, 1]: the steps that are not masked, then the others
};

/// OK where so many steps may be written out one by one; else Unimplemented.
absl::Status CheckSteps(int64_t time);
/// Those of input `mask` of the node; written once for each mask. Errors: CheckSteps.
absl::StatusOr<const MaskSteps*> StepsOf(NodeExport& node, int mask);

/// x [batch, time, ..] with the steps that are not masked in front.
std::string Compacted(NodeExport& node, const std::string& x, const MaskSteps& steps);

/// As the outputs of our cells are: y [batch, time, units] of compacted steps at their places; at a
/// masked step the one before it in the order of the run, or zero. The last node gives `output`.
void Spread(NodeExport& node, const std::string& y, const MaskSteps& steps, bool reverse,
            const std::string& output);

/// Under the mask: x [batch, time, width] where not masked, `otherwise` elsewhere.
std::string Masked(NodeExport& node, const std::string& x, const MaskSteps& steps,
                   double otherwise);

}  // namespace seqgraph::onnx
