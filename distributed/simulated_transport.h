#pragma once

// Ranks on a network that is not there: the collectives run as they are, and messages arrive at
// simulated times.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "distributed/communicator.h"
#include "distributed/cost_model.h"

namespace seqgraph {

/// What a rank did, in simulated seconds.
struct SimulatedUse {
  double clock = 0;                 ///< when it ended
  double computing = 0;             ///< of it, what Advance was told
  int64_t messages = 0, bytes = 0;  ///< that it sent to others
};

/// A rank as its program sees it.
class SimulatedRank {
 public:
  virtual ~SimulatedRank() = default;
  virtual Communicator& communicator() = 0;
  /// Computes for so long; messages under way go on meanwhile.
  virtual void Advance(double seconds) = 0;
  /// Its time: seconds since all began.
  virtual double clock() const = 0;
};

struct SimulationOptions {
  /// Longer messages are lengths only, and what is received is unspecified: 1,000 ranks with
  /// gradients of megabytes need no memory for what is under way then.
  int64_t longest_carried = std::numeric_limits<int64_t>::max();
};

/// A network of so many ranks, each with a link to a switch that is never busy. Send keeps the
/// rank busy for `overhead`, then the message takes the rank's outgoing link for n beta, one after
/// the other, and from alpha - 2 overhead later on the receiver's incoming link for as long, one
/// after the other in the order in which they come there. Wait takes the receiver's clock to the
/// end of that and keeps it busy for `overhead`; a sender's, to the end on its own link. A message
/// that meets no other takes alpha + n beta. One to oneself takes no time.
///
/// Ranks are threads of which one runs at a time: whose clock is the earliest, then the lowest. The
/// same program has the same times, to the last bit, each time. Nothing is random: a network that
/// others use too, or that loses packets, is slower than this.
class SimulatedNetwork {
 public:
  SimulatedNetwork(int ranks, const NetworkCosts& costs, const SimulationOptions& options = {});
  ~SimulatedNetwork();

  /// Runs `body` on each rank, from clock 0, until all have returned; the first error in simulated
  /// time. A rank that waits for what nobody sends gets Unavailable, which names both. Errors:
  /// ResourceExhausted where the system gives not so many threads.
  absl::Status Run(const std::function<absl::Status(SimulatedRank&)>& body);

  /// Of the last Run.
  SimulatedUse use(int rank) const;
  /// The latest clock of all ranks.
  double seconds() const;

 private:
  class Simulation;
  const int ranks_;
  const NetworkCosts costs_;
  const SimulationOptions options_;
  std::unique_ptr<Simulation> simulation_;
};

}  // namespace seqgraph
