#pragma once

#include "graph/op_def.h"

namespace seqgraph::ops {

/// LookupCELL of CELL, or LookupCELLGrad of CELLGrad: CELL(Embedding(ids, table), -, u, ...) in
/// one, a recurrent layer whose projected input is looked up, so that the projected sequence never
/// exists; a pass makes it. Inputs are those of the cell, but ids for x and table for w; outputs
/// too, but dtable for dx and dw. `samples`: RecurrentSamples of operands with `lookup`.
OpDef LookupOf(const OpDef& cell, int version, Sampler samples);

}  // namespace seqgraph::ops
