#pragma once

// The passes over a recurrence, on the target in use. rnn_loops.cc puts them together.

#include <cstdint>

#include "backends/kernels/rnn_job.h"

namespace seqgraph::kernels {

/// Floats in a vector of states, and in the vector of a state that is kept in registers.
struct RnnLanes {
  int64_t vector = 0;
  int64_t in_registers = 0;
};
RnnLanes LanesOfTarget();

void PackForward(const RnnForwardJob& job);
void ForwardTask(const RnnForwardJob& job, int64_t task);

void PackBackward(const RnnBackwardJob& job);
void BackwardTask(const RnnBackwardJob& job, int64_t task);
/// Adds the sums of a team's tasks, in their order, to those of its first.
void AddTeam(const RnnBackwardJob& job, int64_t team);
/// Writes the teams' sums, added in their order, to the gradients: part `part` of `parts` of the
/// rows.
void AddTeams(const RnnBackwardJob& job, int64_t part, int64_t parts);
/// Where tasks do not sum the table's gradient: rows [first, last) of it, from the dz of all
/// tokens.
void SumTableRows(const RnnBackwardJob& job, int64_t first, int64_t last);

}  // namespace seqgraph::kernels
