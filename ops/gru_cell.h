#pragma once

// GRUCell, all steps of the layer, for t = 0 .. time-1, from h_{-1} = h0, with h = h_{t-1} times
// the factors of recurrent dropout (1 without):
//   z = sigmoid(x_t·w_z + b_z + h·u_z + b'_z),  r = sigmoid(x_t·w_r + b_r + h·u_r + b'_r)
//   n = act(x_t·w_n + b_n + r (h·u_n + b'_n)),  or with the reset before the product
//   n = act(x_t·w_n + b_n + (r h)·u_n), where there is no b'
//   h_t = z h_{t-1} + (1 - z) n
// GRUCellGrad: backpropagation through time, with the gates computed anew from the sequence.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct GRUCellOptions {
  Value bias;           ///< [2, 3 units]: b, b'; [3 units] unless reset_after; absent: zero
  Value initial_state;  ///< h0 [batch, units]; absent: zero
  /// int32 [batch, time]; 0: a masked step keeps the state. In the sequence it repeats the output
  /// before it, which is zero where none came before (as in Keras). Absent: no step is masked.
  Value mask;
  /// [batch, 3 units]: multiplies h_{t-1} on its way to each gate; absent: ones
  Value recurrent_dropout;
  std::string activation = "tanh";  ///< act, a text of FindActivation (graph/activation.h)
  std::string recurrent_activation = "sigmoid";  ///< of the gates, in place of the sigmoid
  double clip = 0;  ///< sums are limited to [-clip, clip] before activations; 0: not
  /// Whether r multiplies the product with u_n (Keras's default, and the only form that PyTorch and
  /// cuDNN have; ONNX's linear_before_reset = 1) or h before it.
  bool reset_after = true;
  /// Go from t = time-1 down to 0. The sequence keeps the order of x (Keras's go_backwards gives it
  /// reversed).
  bool reverse = false;
  std::string name;
};

struct GRUCellOutputs {
  Value sequence;  ///< h_0 .. h_{time-1}: [batch, time, units]
  Value last;      ///< the last state, h_{time-1}; h_0 if reversed: [batch, units]
};

/// The gated recurrent unit over all time steps (Cho et al. 2014). x [batch, time, features],
/// w [features, 3 units], u [units, 3 units]; time >= 1. Columns: update gate z, reset gate r,
/// candidate n, as in Keras. Without w, x is [batch, time, 3 units] and takes the place of x·w. An
/// output that nobody reads costs nothing. InvalidArgument (in the builder) for shapes that do not
/// fit.
GRUCellOutputs GRUCell(FunctionBuilder& g, Value x, Value w, Value u,
                       const GRUCellOptions& options = {});

}  // namespace seqgraph::ops
