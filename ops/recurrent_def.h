#ifndef SEQGRAPH_OPS_RECURRENT_DEF_H_
#define SEQGRAPH_OPS_RECURRENT_DEF_H_

// What the definitions of the recurrent ops (RNNCell, LSTMCell, GRUCell and their gradients) have
// in common: operands, constraints C1 to C8, rejections, samples.

#include <functional>
#include <string>
#include <vector>

#include "graph/op_def.h"
#include "ops/recurrence.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {

/// What distinguishes the operands of one recurrent op.
struct RecurrentOperands {
  RecurrenceFacts::Cell cell;
  int mask;     ///< which input this is
  int dropout;  ///< which input this is
  int version = 1;
  int masks_since = 1;  ///< the version that brought mask, recurrent_dropout and reverse

  /// Columns of w and u are gates * units.
  int64_t gates() const { return RecurrenceFacts{cell, ""}.gates(); }
};

/// C1 to C8. `bias` is the shape that b must have, `bias_text` the same in words.
absl::Status CheckRecurrentOperands(const RecurrentOperands& kind, const ShapeContext& c,
                                    const Shape& bias, absl::string_view bias_text);

/// The constraints of a gradient op's further inputs, labelled from C`label` on (C9 to C12, but for
/// LookupRNNCellGrad): from `sequence` on they are sequence, d_sequence, d_last and perhaps
/// d_last_cell.
absl::Status CheckGradientOperands(const ShapeContext& c, int sequence, bool has_cell,
                                   int label = 9);

/// Shapes [batch, time, units], [batch, units] and, of dw, that of w or [0, columns].
Shape SequenceShape(const ShapeContext& c);
Shape StateShape(const ShapeContext& c);
Shape WeightGradientShape(const ShapeContext& c);

/// An op with the inputs x, w, u, b and h0, the attributes activation and reverse, and C1 to C8.
OpDef RecurrentDef(const RecurrentOperands& kind, std::string name, std::string doc,
                   std::string bias_doc);
/// The inputs mask and recurrent_dropout.
void AddMaskInputs(OpDef& op, const RecurrentOperands& kind);
/// The inputs sequence, d_sequence, d_last and perhaps d_last_cell of a gradient op, with their
/// constraints.
void AddGradientInputs(OpDef& op, bool has_cell, int label = 9);

/// For cost rules, of steps that are not masked: the elements of the sequence; those of h_{t-1}
/// that are multiplied by u (without h0, the first step has none); FLOPs of x·w for each column, 0
/// without w.
double NumStates(const CostContext& c);
double NumPreviousStates(const CostContext& c);
double Projection(const CostContext& c);

/// The types of a valid use with batch 2, time 4, features 3, units 5: x, w and u; the other inputs
/// are absent.
std::vector<std::optional<TensorType>> ValidOperands(const OpDef& op,
                                                     const RecurrentOperands& kind);
/// Rejections of C1 to C8 from the valid use `valid`, where one input is changed at a time.
void RejectOperands(OpDef& op, const RecurrentOperands& kind,
                    const std::vector<std::optional<TensorType>>& valid);
/// Of the constraints of CheckGradientOperands.
void RejectGradientOperands(OpDef& op, int sequence, bool has_cell,
                            const std::vector<std::optional<TensorType>>& valid, int label = 9);

/// Runs the recurrence of a sample in double and gives its sequence; `kink_distance` becomes the
/// smallest |z| whose slope jumps at 0, if it is below.
using SampleRun = std::function<Tensor(const OpSample& sample, double* kink_distance)>;

/// The sequence [batch, time, units] that `compute` writes to output 0 from the sample's inputs.
Tensor RunSample(const OpSample& sample,
                 const std::function<void(const ReferenceContext& c)>& compute);

/// A random use with `num_inputs` inputs, and its sequence. Weights are below 1 / sqrt(units), so
/// that nothing grows over time; relu stays away from its kink. `add` draws what only this op has:
/// b, other inputs, attributes.
OpSample RecurrentSample(SampleSource& source, const RecurrentOperands& kind, int num_inputs,
                         const std::function<void(OpSample&)>& add, const SampleRun& run,
                         Tensor* sequence);

/// Adds sequence and random gradients of the outputs to a sample, at least one of them.
void AddGradientSamples(SampleSource& source, int sequence_input, bool has_cell, Tensor sequence,
                        OpSample& sample);

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_RECURRENT_DEF_H_
