#ifndef SEQGRAPH_BACKENDS_ONEDNN_CELL_LOOPS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_CELL_LOOPS_H_

// What a step of a recurrent cell does between its matrix products, for all rows of a batch:
// forward from the sums z of products to the next state, backward from the gradient of that state
// to those of the sums. ops/{rnn,lstm,gru}_cell.h have the formulas.
//
// Rows are dense: gates [rows, gates units], everything else [rows, units]. A row that is masked
// takes its state over as it is; its sums have gradient zero. Forward turns gates from sums into
// activated gates, backward those into the gradients of the sums.

#include <cstdint>

#include "backends/onednn/rnn_primitive.h"

namespace seqgraph::onednn {

struct CellStep {
  int64_t rows = 0;
  int64_t units = 0;
  Activation activation = Activation::kTanh;
  const int32_t* mask = nullptr;  ///< of row 0; null: no row is masked
  int64_t mask_stride = 0;        ///< from one row to the next

  bool Counts(int64_t row) const { return mask == nullptr || mask[row * mask_stride] != 0; }
};

/// h = act(z + b). The gates stay sums.
void SimpleForward(const CellStep& s, const float* b, const float* gates, const float* h_before,
                   float* h);
/// From dh, the gradient of h, which becomes what of it passes by the products: nothing.
void SimpleBackward(const CellStep& s, const float* h, float* gates, float* dh);

void LstmForward(const CellStep& s, const float* b, float* gates, const float* h_before,
                 const float* c_before, float* h, float* c);
/// dc, the gradient of c, becomes that of c_before.
void LstmBackward(const CellStep& s, const float* c_before, const float* c, float* gates, float* dh,
                  float* dc);

/// GRU with the reset after the product: `product` holds h_before·u_n, and keeps it with its bias.
/// b is [2, 3 units].
void GruAfterForward(const CellStep& s, const float* b, float* gates, float* product,
                     const float* h_before, float* h);
/// `product` becomes its own gradient.
void GruAfterBackward(const CellStep& s, const float* h_before, float* gates, float* product,
                      float* dh);

/// GRU with the reset before the product, in two parts: z, r, and reset = r h_before; the caller
/// adds reset·u_n to the candidate's sum; then the candidate and h.
void GruBeforeForwardReset(const CellStep& s, const float* b, float* gates, float* reset,
                           const float* h_before);
void GruBeforeForwardState(const CellStep& s, const float* b, float* gates, const float* h_before,
                           float* h);
/// The same backward: the gradients of the sums of z and of the candidate; the caller puts the
/// gradient of `reset` into d_reset; then that of the sum of r, and of h_before into dh.
void GruBeforeBackwardState(const CellStep& s, const float* h_before, float* gates, float* dh);
void GruBeforeBackwardReset(const CellStep& s, const float* h_before, const float* d_reset,
                            float* gates, float* dh);

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_CELL_LOOPS_H_
