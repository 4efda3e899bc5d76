#pragma once

// The constants of the cost model, from the machines at hand.

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "distributed/cost_model.h"

namespace seqgraph {

struct MeasureNetworkOptions {
  /// Of a message; lengths from a sixteenth of it on settle beta.
  int64_t longest = int64_t{4} << 20;
  /// Rounds of each length, at most half a second each.
  int rounds = 200;
  /// Seconds from any time on; null: of the machine.
  std::function<double()> now;
};

/// latency, per_byte and overhead between ranks 0 and 1, known to all; the others wait. Of each
/// kind of round the fastest counts: what else runs on machine and network only makes one slower,
/// so that a mean would be of that.
///   latency   half a round trip of one byte
///   per_byte  the slope, by least squares, of the time in which both send n bytes and have
///             received as many, for three lengths: as the collectives do, in both directions at
///             once
///   overhead  (T - 2 alpha) / (m - 1), T the time of m messages of one byte and an answer
/// per_added_byte stays at its default. Errors: FailedPrecondition with one rank alone.
absl::StatusOr<NetworkCosts> MeasureNetwork(Communicator& communicator,
                                            const MeasureNetworkOptions& options = {});

/// gamma: seconds a byte takes when one array of so many floats is added to another, the fastest of
/// some.
double MeasureAddedByte(int64_t elements);

}  // namespace seqgraph
