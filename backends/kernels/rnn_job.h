#pragma once

// What the code for one target gets to compute one call of a recurrence: operands, and where in the
// scratch memory everything lies. All pieces of scratch begin at a multiple of 64 bytes.

#include <atomic>
#include <cstdint>
#include <optional>

#include "backends/kernels/pieces.h"
#include "backends/kernels/recurrence_job.h"
#include "backends/kernels/rnn_loops.h"

namespace seqgraph::kernels {

/// What a task of the forward pass has of its own. Arrays are [chunk, group, width] or, in
/// registers, [group, chunk, width].
struct RnnForwardArea {
  RnnForwardArea(const RnnPlan& plan, Pieces scratch);

  float* z;         ///< the input, projected, with the bias
  float* states;    ///< [2, group, width]
  float* sequence;  ///< in registers
  int32_t* ids;     ///< ordered: [group, chunk]
  int64_t floats;   ///< of all this
};

// Jobs are made anew in each call and read by all threads, so they are small: areas of tasks are
// found by arithmetic.
struct RnnForwardJob {
  RnnForwardJob(const RnnPlan& plan, Pieces& scratch);
  RnnForwardArea area(int64_t task) const;

  const RnnPlan& plan;
  RnnOperands in;
  RnnOutputs out;
  float* u;     ///< packed
  float* w;     ///< packed
  float* bias;  ///< [width], zeros beyond the units and without a bias
  float* areas;
  std::optional<RowOrder> order;
};

/// What a task of the backward pass has of its own. Null: not needed.
struct RnnBackwardArea {
  RnnBackwardArea(const RnnPlan& plan, Pieces scratch);

  float* dz;  ///< [group, chunk + 1, width]; in registers [group, chunk, width]
  // In registers: padded copies [group, chunk, width], and for each sample what the steps so far
  // give to the one before and the state before the chunk, [2, group, width].
  float* states = nullptr;
  float* d_sequence = nullptr;
  float* carry = nullptr;
  float* du_diagonals = nullptr;  ///< [width, width]
  int32_t* ids = nullptr;         ///< ordered: [group, chunk]
  float* dx;                      ///< [chunk, features, padded]
  float* dh = nullptr;            ///< not in registers: [group, width]
  // Sums over the task's samples, plan.sum_rows() rows of `width` from du on.
  float* du;
  float* db;
  float* dw = nullptr;
  float* dtable = nullptr;
  int64_t floats;  ///< of all this
};

struct RnnBackwardJob {
  RnnBackwardJob(const RnnPlan& plan, Pieces& scratch);
  RnnBackwardArea area(int64_t task) const;
  /// To be told by each task when it is done; whether it is the last one of its team.
  bool EndsTeam(int64_t task) {
    return teams[task / kRnnTeam].unfinished_tasks.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

  const RnnPlan& plan;
  RnnOperands in;
  RnnOutputGradients incoming;
  RnnGradients out;
  float* u;                 ///< its transpose, packed
  float* w;                 ///< its transpose, packed
  float* dz_all = nullptr;  ///< [batch, time, width], for the table where tasks do not sum it
  float* areas;
  std::optional<RowOrder> order;
  bool exact = false;  ///< ordered: rows with fewer steps would not add nothing: u is not finite
  struct alignas(64) Team {
    std::atomic<int64_t> unfinished_tasks;
  };
  Team teams[kMaxRnnTasks / kRnnTeam];
};

}  // namespace seqgraph::kernels
