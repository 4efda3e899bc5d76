#ifndef SEQGRAPH_OPS_OP_EXAMPLES_H_
#define SEQGRAPH_OPS_OP_EXAMPLES_H_

#include "graph/op_def.h"

namespace seqgraph::ops {

/// The examples of long definitions, in NAME_examples.cc beside NAME.cc: there the mathematics fits
/// a screen.
void AddLSTMCellExamples(OpDef& op);
void AddLSTMCellGradExamples(OpDef& op);
void AddGRUCellExamples(OpDef& op);
void AddGRUCellGradExamples(OpDef& op);
void AddLookupRNNCellExamples(OpDef& op);
void AddLookupRNNCellGradExamples(OpDef& op);
void AddSoftmaxCrossEntropyWithLogitsExamples(OpDef& op);
void AddSoftmaxCrossEntropyWithLogitsGradExamples(OpDef& op);
void AddCategoricalCrossEntropyExamples(OpDef& op);
void AddCategoricalCrossEntropyGradExamples(OpDef& op);

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_OP_EXAMPLES_H_
