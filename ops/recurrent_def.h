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
  bool lookup = false;  ///< ids and table are there for x and w: see LookupOf (lookup_cell.h)

  bool is_gradient() const { return sequence >= 0; }
  bool has_cell() const { return cell == RecurrenceFacts::Cell::kLstm; }
  /// Columns of w and u are gates * units.
  int64_t gates() const { return RecurrenceFacts{cell, ""}.gates(); }
  /// The same on looked-up rows.
  RecurrentOperands Lookup() const {
    RecurrentOperands kind = *this;
    kind.lookup = true;
    return kind;
  }
};

/// A recurrent op: its inputs, outputs, the attributes activation and reverse, and the constraints
/// C1 to C8 (C12 of a gradient; C13: c0). `bias_doc` begins with the shape of b.
OpDef RecurrentDef(const RecurrentOperands& kind, std::string name, std::string doc,
                   std::string bias_doc);
/// For OpDef::With: the constraint that one of the gradients d_.. of a gradient op is there.
std::function<void(OpDef&)> RequireGradient(std::string label);
/// The constraint on the attributes that are a cell's functions, and what it rejects: `rejection`
/// with bad ones.
void RequireFunctions(RecurrenceFacts::Cell cell, const std::string& label, OpRejection rejection,
                      OpDef& op);

/// For cost rules, of steps that are not masked: the elements of the sequence; those of h_{t-1}
/// that are multiplied by u (without h0, the first step has none); FLOPs of x·w for each column, 0
/// without w.
double NumStates(const CostContext& c);
double NumPreviousStates(const CostContext& c);
double Projection(const CostContext& c);

/// Draws inputs and attributes that only one op has: b, c0, reset_after.
using DrawMore = std::function<void(SampleSource& source, OpSample& sample)>;
/// Runs the cell in double, to output 0; `kink_distance`, where it is not null, becomes the
/// smallest |z| whose slope jumps at 0, if it is below.
using RunCell = std::function<void(const ReferenceContext& c, const Recurrence<double>& r,
                                   double* kink_distance)>;

/// Random uses. Weights are below 1 / sqrt(units), so that nothing grows over time; relu stays away
/// from its kink.
Sampler RecurrentSamples(const RecurrentOperands& kind, DrawMore draw_more, RunCell run);

}  // namespace seqgraph::ops
