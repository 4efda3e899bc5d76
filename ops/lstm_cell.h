#pragma once

// LSTMCell, all steps of the layer, for t = 0 .. time-1, from h_{-1} = h0 and c_{-1} = c0:
//   [i, f, g, o] = x_t·w + (h_{t-1} d)·u + b,   d: the factors of recurrent dropout, 1 without
//   c_t = sigmoid(f) c_{t-1} + sigmoid(i) act(g),   h_t = sigmoid(o) act(c_t)
// LSTMCellGrad: backpropagation through time, with the gates computed anew from the sequence.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct LSTMCellOptions {
  Value bias;           ///< [4 units], with peepholes [7 units]; absent: zero
  Value initial_state;  ///< h0 [batch, units]; absent: zero
  Value initial_cell;   ///< c0 [batch, units]; absent: zero
  /// int32 [batch, time]; 0: a masked step keeps both states. In the sequence it repeats the output
  /// before it, which is zero where none came before (as in Keras). Absent: no step is masked.
  Value mask;
  /// [batch, 4 units]: multiplies h_{t-1} on its way to each gate; absent: ones
  Value recurrent_dropout;
  std::string activation = "tanh";  ///< act, a text of FindActivation (graph/activation.h)
  std::string recurrent_activation = "sigmoid";  ///< of the gates, in place of the sigmoid
  std::string output_activation = "";            ///< of c_t; empty: act
  double clip = 0;  ///< sums of gates are limited to [-clip, clip] before activations; 0: not
  bool input_forget = false;  ///< coupled gates: 1 - sigmoid(i) in place of sigmoid(f)
  /// Gates see the cell (Gers and Schmidhuber 2000): p_i c_{t-1} is added to i, p_f c_{t-1} to f,
  /// p_o c_t to o. The bias is [7 units] then, with p_i, p_o, p_f behind those of the gates.
  bool peepholes = false;
  /// Go from t = time-1 down to 0. The sequence keeps the order of x (Keras's go_backwards gives it
  /// reversed).
  bool reverse = false;
  std::string name;
};

struct LSTMCellOutputs {
  Value sequence;   ///< h_0 .. h_{time-1}: [batch, time, units]
  Value last;       ///< the last state, h_{time-1}; h_0 if reversed: [batch, units]
  Value last_cell;  ///< c of the same step: [batch, units]
};

/// Long short-term memory over all time steps (Hochreiter & Schmidhuber 1997, with the forget gate
/// of Gers, Schmidhuber & Cummins 2000). x [batch, time, features], w [features, 4 units],
/// u [units, 4 units]; time >= 1. Columns: input gate, forget gate, candidate, output gate, as in
/// Keras. Without w, x is [batch, time, 4 units] and takes the place of x·w. An output that nobody
/// reads costs nothing. InvalidArgument (in the builder) for shapes that do not fit.
LSTMCellOutputs LSTMCell(FunctionBuilder& g, Value x, Value w, Value u,
                         const LSTMCellOptions& options = {});

}  // namespace seqgraph::ops
