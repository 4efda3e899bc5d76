#pragma once

#include "graph/attributes.h"
#include "graph/tensor.h"

namespace seqgraph {

/// The attributes of a node of the op Constant with that content, for what makes constants without
/// the op's own header: importers, which know ops by name only. Equal elements (of equal bits) are
/// written as one scalar that fills the shape.
Attributes ConstantAttributes(Tensor content);

}  // namespace seqgraph
