#pragma once

// What the definitions of the recurrent ops (RNNCell, LSTMCell, GRUCell and their gradients) have
// in common: operands, constraints, samples.

#include <functional>
#include <string>

#include "graph/op_def.h"
#include "ops/recurrence.h"

namespace seqgraph::ops {

/// What distinguishes the operands of one recurrent op.
struct RecurrentOperands {
  RecurrenceFacts::Cell cell;
  int mask;           ///< which input this is
  int dropout;        ///< which input this is
  int sequence = -1;  ///< of a gradient op: which input this is; before d_sequence, d_last, ..
  int version = 1;
  int masks_since = 1;  ///< the version that brought mask, recurrent_dropout and reverse

  bool is_gradient() const { return sequence >= 0; }
  bool has_cell() const { return cell == RecurrenceFacts::Cell::kLstm; }
  /// Columns of w and u are gates * units.
  int64_t gates() const { return RecurrenceFacts{cell, ""}.gates(); }
};

/// A recurrent op: its inputs, outputs, the attributes activation and reverse, and the constraints
/// C1 to C8 (C12 of a gradient; C13: c0). `bias_doc` begins with the shape of b.
OpDef RecurrentDef(const RecurrentOperands& kind, std::string name, std::string doc,
                   std::string bias_doc);
/// For OpDef::With: the inputs sequence, d_sequence, d_last and perhaps d_last_cell of a gradient
/// op; and the constraint that one of the gradients d_.. is there.
std::function<void(OpDef&)> GradientInputs(bool has_cell);
std::function<void(OpDef&)> RequireGradient(std::string label);

/// For cost rules, of steps that are not masked: the elements of the sequence; those of h_{t-1}
/// that are multiplied by u (without h0, the first step has none); FLOPs of x·w for each column, 0
/// without w.
double NumStates(const CostContext& c);
double NumPreviousStates(const CostContext& c);
double Projection(const CostContext& c);

/// The sequence [batch, time, units] that `compute` writes to output 0 from the sample's inputs.
Tensor RunSample(const OpSample& sample,
                 const std::function<void(const ReferenceContext& c)>& compute);

/// Draws inputs and attributes that only one op has: b, c0, reset_after.
using DrawMore = std::function<void(SampleSource& source, OpSample& sample)>;
/// Runs the cell in double, to output 0; `kink_distance`, where it is not null, becomes the
/// smallest |z| whose slope jumps at 0, if it is below.
using RunCell = std::function<void(const ReferenceContext& c, const Recurrence<double>& r,
                                   double* kink_distance)>;

/// Random uses. Weights are below 1 / sqrt(units), so that nothing grows over time; relu stays away
/// from its kink.
Sampler RecurrentSamples(const RecurrentOperands& kind, DrawMore draw_more, RunCell run);

/// Adds sequence and random gradients of the outputs to a sample, at least one of them.
void AddGradientSamples(SampleSource& source, int sequence_input, bool has_cell, Tensor sequence,
                        OpSample& sample);

}  // namespace seqgraph::ops
