#pragma once

// The makers of the kernels that backends share, by the file that has them. shared_rows.h has the
// ops they compute, and ops/ what those mean. Arithmetic is in float32.

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

// recurrent_cells.cc: all steps of a layer. A gradient uses what its forward node in the same
// program has left.
Claim ClaimRecurrentCell(const NodeContext& context);
MadeKernel MakeRecurrentCell(const KernelContext& context);
MadeKernel MakeRecurrentCellGrad(const KernelContext& context);

// rnn_cell.cc: the same without masks, dropout and reverse, in registers where states fit; and on
// looked-up rows.
Claim ClaimRnnCell(const NodeContext& context);
MadeKernel MakeRnnCell(const KernelContext& context);
MadeKernel MakeRnnCellGrad(const KernelContext& context);

// elementwise.cc: each element from the same element of the inputs.
MadeKernel MakeElementwise(const KernelContext& context);
MadeKernel MakeMap(const KernelContext& context, UnaryLoop loop);
MadeKernel MakeMap(const KernelContext& context, BinaryLoop loop);
/// As the maker of a row.
template <auto kLoop>
MadeKernel MakeMapOf(const KernelContext& context) {
  return MakeMap(context, kLoop);
}
MadeKernel MakeWhere(const KernelContext& context);
MadeKernel MakeElu(const KernelContext& context);
/// Runs the program block by block in the first cache, each instruction by the loop for it.
MadeKernel MakeFusedElementwise(const KernelContext& context);

// dense.cc
MadeKernel MakeDense(const KernelContext& context);
MadeKernel MakeDenseGrad(const KernelContext& context);
MadeKernel MakeMatMul(const KernelContext& context);

// conv1d.cc
MadeKernel MakeConv1D(const KernelContext& context);
MadeKernel MakeConv1DGrad(const KernelContext& context);

// pool1d.cc
MadeKernel MakeMaxPool1D(const KernelContext& context);
MadeKernel MakeMaxPool1DGrad(const KernelContext& context);
MadeKernel MakeAveragePool1D(const KernelContext& context);
MadeKernel MakeAveragePool1DGrad(const KernelContext& context);

// lookup.cc
MadeKernel MakeEmbedding(const KernelContext& context);
MadeKernel MakeEmbeddingGrad(const KernelContext& context);
MadeKernel MakeGather(const KernelContext& context);
MadeKernel MakeGatherGrad(const KernelContext& context);

// reductions.cc: sums and products are in double, whatever the axes.
MadeKernel MakeReduceSum(const KernelContext& context);
MadeKernel MakeReduceMean(const KernelContext& context);
MadeKernel MakeReduceMeanGrad(const KernelContext& context);
MadeKernel MakeReduceMax(const KernelContext& context);
MadeKernel MakeReduceMin(const KernelContext& context);
MadeKernel MakeReduceProd(const KernelContext& context);
MadeKernel MakeBroadcastLike(const KernelContext& context);
MadeKernel MakeBroadcastTo(const KernelContext& context);

// losses.cc: inside in double.
MadeKernel MakeSoftmax(const KernelContext& context);
MadeKernel MakeSoftmaxGrad(const KernelContext& context);
MadeKernel MakeSoftmaxCrossEntropy(const KernelContext& context);
MadeKernel MakeSoftmaxCrossEntropyGrad(const KernelContext& context);
MadeKernel MakeCategoricalCrossEntropy(const KernelContext& context);
MadeKernel MakeCategoricalCrossEntropyGrad(const KernelContext& context);
MadeKernel MakeBce(const KernelContext& context);
MadeKernel MakeBceGrad(const KernelContext& context);
/// Without weights.
MadeKernel MakeBceWithLogits(const KernelContext& context);
MadeKernel MakeBceWithLogitsGrad(const KernelContext& context);
MadeKernel MakeWeightedBceWithLogits(const KernelContext& context);
MadeKernel MakeWeightedBceWithLogitsGrad(const KernelContext& context);
MadeKernel MakeMse(const KernelContext& context);
MadeKernel MakeMseGrad(const KernelContext& context);

// optimizers.cc: a state that the attributes do not use keeps its content.
MadeKernel MakeSgdUpdate(const KernelContext& context);
MadeKernel MakeRmsPropUpdate(const KernelContext& context);
MadeKernel MakeAdamUpdate(const KernelContext& context);

// clipping.cc
MadeKernel MakeClipByNorm(const KernelContext& context);

// copies.cc: what only moves what is there, or writes what is known beforehand.
MadeKernel MakeTakeStep(const KernelContext& context);
MadeKernel MakeTakeStepGrad(const KernelContext& context);
MadeKernel MakeReshape(const KernelContext& context);
MadeKernel MakeTranspose(const KernelContext& context);
MadeKernel MakeConcat(const KernelContext& context);
MadeKernel MakeSlice(const KernelContext& context);
MadeKernel MakeSliceGrad(const KernelContext& context);
MadeKernel MakeReverse(const KernelContext& context);
MadeKernel MakePad(const KernelContext& context);
/// The content is computed here, by the op's own definition.
MadeKernel MakeConstant(const KernelContext& context);

// by_definition.cc
MadeKernel MakeByDefinition(const KernelContext& context);

}  // namespace seqgraph::kernels
