#ifndef SEQGRAPH_OPS_LOOKUP_RNN_CELL_H_
#define SEQGRAPH_OPS_LOOKUP_RNN_CELL_H_

// LookupRNNCell: h_t = act(table[ids_t] + h_{t-1}·u + b) for t = 0 .. time-1, from h_{-1} = h0.
// LookupRNNCellGrad: dz_t = (dh_t + dz_{t+1}·uᵀ) act'(z_t), dtable[r] = sum of dz_t where ids_t =
// r, du = sum_t h_{t-1}ᵀ·dz_t, db = sum_t dz_t, dh0 = dz_0·uᵀ.

#include <string>

#include "graph/function_builder.h"
#include "ops/rnn_cell.h"

namespace seqgraph::ops {

/// Those of RNNCell but masks, recurrent dropout and reverse, which it does not have.
struct LookupRNNCellOptions {
  Value bias;                       ///< [units]; absent: zero
  Value initial_state;              ///< h0 [batch, units]; absent: zero
  std::string activation = "tanh";  ///< "tanh", "relu" or "sigmoid"
  std::string name;
};

/// RNNCell(Embedding(ids, table), -, u, b, h0) in one: a recurrent layer whose projected input is
/// looked up, so that the projected sequence never exists. ids int32 [batch, time], time >= 1;
/// table [rows, units], u [units, units]. A run fails with InvalidArgument, naming position and
/// value, for an id that is not in [0, rows). An output that nobody reads costs nothing.
RNNCellOutputs LookupRNNCell(FunctionBuilder& g, Value ids, Value table, Value u,
                             const LookupRNNCellOptions& options = {});

struct LookupRNNCellGradInputs {
  Value ids, table, u;  ///< as for LookupRNNCell
  Value bias;           ///< as for LookupRNNCell
  Value initial_state;  ///< as for LookupRNNCell
  Value sequence;       ///< LookupRNNCell's output: [batch, time, units]
  Value d_sequence;     ///< its gradient; absent: zero
  Value d_last;  ///< the gradient of `last`, [batch, units]; absent: zero. One must be there.
  std::string activation = "tanh";
  std::string name;
};

struct LookupRNNCellGradOutputs {
  Value dtable;  ///< [rows, units], dense: rows of ids that do not occur are zero
  Value du;      ///< [units, units]
  Value db;      ///< [units]
  Value dh0;     ///< [batch, units]
};

/// The gradients of LookupRNNCell: RNNCellGrad without w, whose dx goes through EmbeddingGrad. An
/// output that nobody reads costs nothing.
LookupRNNCellGradOutputs LookupRNNCellGrad(FunctionBuilder& g,
                                           const LookupRNNCellGradInputs& inputs);

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_LOOKUP_RNN_CELL_H_
