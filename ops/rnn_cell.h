#pragma once

// RNNCell, all steps of the layer: h_t = act(x_t·w + (h_{t-1} d)·u + b) for t = 0 .. time-1, from
// h_{-1} = h0, where d are the factors of recurrent dropout, 1 without.
//
// RNNCellGrad: dz_t = (dh_t + dz_{t+1}·uᵀ) act'(z_t), dx_t = dz_t·wᵀ, dw = sum_t x_tᵀ·dz_t,
// du = sum_t h_{t-1}ᵀ·dz_t, db = sum_t dz_t, dh0 = dz_0·uᵀ.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct RNNCellOptions {
  Value bias;                       ///< [units]; absent: zero
  Value initial_state;              ///< h0 [batch, units]; absent: zero
  std::string activation = "tanh";  ///< a text of FindActivation (graph/activation.h)
  double clip = 0;                  ///< sums are limited to [-clip, clip] before act; 0: not
  /// int32 [batch, time]; 0: a masked step keeps the state. In the sequence it repeats the output
  /// before it, which is zero where none came before (as in Keras). Absent: no step is masked.
  Value mask;
  Value recurrent_dropout;  ///< [batch, units]: multiplies h_{t-1} on its way into u; absent: ones
  /// Go from t = time-1 down to 0. The sequence keeps the order of x (Keras's go_backwards gives it
  /// reversed).
  bool reverse = false;
  std::string name;
};

struct RNNCellOutputs {
  Value sequence;  ///< h_0 .. h_{time-1}: [batch, time, units]
  Value last;      ///< the last state, h_{time-1}; h_0 if reversed: [batch, units]
};

/// The simple recurrent layer (Elman, Finding structure in time, 1990) over all time steps.
/// x [batch, time, features], w [features, units], u [units, units]; time >= 1. Without w, x is
/// [batch, time, units] and takes the place of x·w: an input that is already projected. An output
/// that nobody reads costs nothing. InvalidArgument (in the builder) for shapes that do not fit or
/// a text that is no activation.
RNNCellOutputs RNNCell(FunctionBuilder& g, Value x, Value w, Value u,
                       const RNNCellOptions& options = {});

OpDef RNNCellOp();
OpDef RNNCellGradOp();

}  // namespace seqgraph::ops
