#pragma once

// Which gradient node of a recurrent op uses up the workspace that its forward node leaves.

#include "absl/strings/string_view.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// The input of a node by its name; not present if it is absent or the op has none.
Value InputNamed(const Node& node, absl::string_view name);

/// The forward node whose workspace the gradient node `grad` may use: it computed the very sequence
/// from the very inputs, is this backend's, and no earlier node uses up its workspace. -1 if there
/// is none.
int ForwardOf(const NodeContext& grad);
/// The gradient node whose ForwardOf is the node `forward`, or -1.
int BackwardOf(const NodeContext& forward);

}  // namespace seqgraph::kernels
