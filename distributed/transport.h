#pragma once

// Bytes between the processes ("ranks") of one job: what a network has to do for Seqgraph.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace seqgraph {

/// What moves bytes between ranks 0 to size() - 1. Messages from one rank to another with one tag
/// arrive in the order in which they were sent. One thread of a rank uses it. A rank that is gone
/// or silent is an error (Unavailable) or the end of the process, never an endless wait.
class Transport {
 public:
  /// A message under way.
  using Request = int64_t;
  /// Any rank, of Probe.
  static constexpr int kAnyone = -1;

  virtual ~Transport() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Begin a message; the bytes must stay where they are, and those that are sent as they are,
  /// until the request is done. Tags are from 0 to 32,767. The receiver says how long the message
  /// is: another length is an error of one of both. To oneself is allowed.
  virtual absl::StatusOr<Request> Send(int to, int tag, absl::Span<const char> bytes) = 0;
  virtual absl::StatusOr<Request> Receive(int from, int tag, absl::Span<char> bytes) = 0;

  /// Until that message is done; each request is waited for, or found done by Test, once.
  virtual absl::Status Wait(Request request) = 0;
  /// Whether it is done; moves on what is under way, and returns at once.
  virtual absl::StatusOr<bool> Test(Request request) = 0;

  /// Who has sent a message with that tag that nobody has begun to receive, of `from` or kAnyone,
  /// and how long it is; {-1, 0}: nobody yet. Returns at once.
  struct Waiting {
    int from = -1;
    int64_t bytes = 0;
  };
  virtual absl::StatusOr<Waiting> Probe(int from, int tag) = 0;
};

}  // namespace seqgraph
