#pragma once

// What messages and collectives take, by the alpha-beta model:
//   T(message of n bytes) = alpha + n beta
// (R. W. Hockney, "The communication challenge for MPP", Parallel Computing 20, 1994), with the
// part of alpha that keeps a processor busy told apart, as in LogP (Culler et al., "LogP: towards a
// realistic model of parallel computation", PPoPP 1993): messages under way at the same time share
// the rest.

#include <cstdint>

#include "distributed/block_tree.h"

namespace seqgraph {

/// Of a network between ranks, and of what a rank adds up. All are at least 0.
struct NetworkCosts {
  /// alpha: seconds until a message of no bytes has been received (half of a ping and a pong).
  double latency = 10e-6;
  /// beta: seconds a byte takes on the link of a rank, one message after the other; each direction
  /// has its own. The default is 25 Gbit/s.
  double per_byte = 1 / 3.125e9;
  /// o: seconds of alpha that the sender's processor is busy with a message, and the receiver's as
  /// well. No more than half of the latency counts.
  double overhead = 1e-6;
  /// gamma: seconds a byte of one array is added to another takes.
  double per_added_byte = 0.1e-9;

  double busy() const { return overhead * 2 > latency ? latency / 2 : overhead; }
};

/// What a collective takes the slowest rank, and the most that a rank sends.
struct CollectiveCost {
  double seconds = 0;
  int64_t messages = 0, bytes = 0;
};

/// alpha + n beta
double MessageSeconds(const NetworkCosts& costs, double bytes);

/// max(alpha + b + (m - 1) max(o, b), 2 m o),  b = n beta: m messages of n bytes each sent at once,
/// and as many received, no two of them from the same rank at the same time.
double ExchangeSeconds(const NetworkCosts& costs, int64_t messages, double bytes);

/// TreeReduceScatter::Finish of arrays of so many floats: an exchange of each node of each rank
/// with each other rank (Thakur, Rabenseifner and Gropp, "Optimization of collective communication
/// operations in MPICH", IJHPCA 19, 2005, have the pairwise one: (p - 1) alpha; here all messages
/// are under way at once), then gamma for each byte that is added to the own share.
CollectiveCost ReduceScatterCost(const NetworkCosts& costs, int ranks, int64_t blocks,
                                 int64_t elements);

/// (p - 1) (alpha + n beta / p): Communicator::AllGather of shares of so many floats, round a ring
/// (Thakur et al. 2005).
CollectiveCost AllGatherCost(const NetworkCosts& costs, int ranks, int64_t elements);

/// ceil(log2 p) (alpha + n beta): Communicator::Broadcast, by a binomial tree (Thakur et al. 2005).
CollectiveCost BroadcastCost(const NetworkCosts& costs, int ranks, int64_t bytes);

/// alpha + max((2 p - 3) o, o + (p - 1) (n + 8) beta): Communicator::Gather of n bytes of each
/// rank: a length and what has it, one after the other on the root's link and through its
/// processor.
CollectiveCost GatherCost(const NetworkCosts& costs, int ranks, int64_t bytes);

/// ceil(log2 p) (alpha + beta): Communicator::Barrier, by dissemination (Hensgen, Finkel
/// and Manber, "Two algorithms for barrier synchronization", 1988); one message a round.
CollectiveCost BarrierCost(const NetworkCosts& costs, int ranks);

}  // namespace seqgraph
