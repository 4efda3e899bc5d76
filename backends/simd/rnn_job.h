#ifndef SEQGRAPH_BACKENDS_SIMD_RNN_JOB_H_
#define SEQGRAPH_BACKENDS_SIMD_RNN_JOB_H_

// What the code for one target gets to compute one call of a recurrence: operands, and where in the
// scratch memory everything lies. All pieces of scratch begin at a multiple of 64 bytes.

#include <cstdint>

#include "backends/simd/rnn_loops.h"

namespace seqgraph::simd {

inline constexpr int64_t kMaxRnnTasks = 16;

/// Cuts scratch memory into arrays of floats; with null it only adds up.
class RnnScratch {
 public:
  explicit RnnScratch(void* memory) : base_(static_cast<float*>(memory)) {}
  float* Take(int64_t floats) {
    float* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (floats + 15) / 16 * 16;
    return piece;
  }
  int64_t bytes() const { return used_ * static_cast<int64_t>(sizeof(float)); }

 private:
  float* const base_;
  int64_t used_ = 0;
};

/// What a task of the forward pass has of its own. Arrays are [chunk, group, width] or, in
/// registers, [group, chunk, width].
struct RnnForwardArea {
  float* z = nullptr;       ///< the input, projected, with the bias
  float* states = nullptr;  ///< [2, group, width]
  float* sequence = nullptr;
};

struct RnnForwardJob {
  RnnForwardJob(const RnnPlan& plan, RnnScratch& scratch);

  const RnnPlan& plan;
  RnnOperands in;
  RnnOutputs out;
  float* u = nullptr;     ///< packed
  float* w = nullptr;     ///< packed
  float* bias = nullptr;  ///< [width], zeros beyond the units and without a bias
  RnnForwardArea area[kMaxRnnTasks];
};

/// What a task of the backward pass has of its own.
struct RnnBackwardArea {
  float* dz = nullptr;  ///< [group, chunk + 1, width]; in registers [group, chunk, width]
  // In registers: padded copies [group, chunk, width], and for each sample what the steps so far
  // give to the one before and the state before the chunk, [2, group, width].
  float* states = nullptr;
  float* d_sequence = nullptr;
  float* carry = nullptr;
  float* du_diagonals = nullptr;  ///< [width, width]
  float* dx = nullptr;            ///< [chunk, features, padded]
  float* dh = nullptr;            ///< not in registers: [group, width]
  // Sums over the task's samples; rows of `width`.
  float* du = nullptr;
  float* db = nullptr;
  float* dw = nullptr;
  float* dtable = nullptr;
};

struct RnnBackwardJob {
  RnnBackwardJob(const RnnPlan& plan, RnnScratch& scratch);

  const RnnPlan& plan;
  RnnOperands in;
  RnnOutputGradients incoming;
  RnnGradients out;
  float* u = nullptr;       ///< its transpose, packed
  float* w = nullptr;       ///< its transpose, packed
  float* dz_all = nullptr;  ///< [batch, time, width], for the table where tasks do not sum it
  RnnBackwardArea area[kMaxRnnTasks];
};

}  // namespace seqgraph::simd

#endif  // SEQGRAPH_BACKENDS_SIMD_RNN_JOB_H_
