#pragma once

// What the ranks of a job do together. All ranks call the same in the same order, as in MPI.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "distributed/block_tree.h"
#include "distributed/transport.h"

namespace seqgraph {

/// The ranks of a job, each of which has one, over any Transport: MPI (distributed/mpi), threads of
/// one process (ThreadTransports). The rank that the others follow is kRoot.
class Communicator {
 public:
  static constexpr int kRoot = 0;

  explicit Communicator(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  int rank() const { return transport_->rank(); }
  int size() const { return transport_->size(); }
  bool is_root() const { return rank() == kRoot; }
  Transport& transport() { return *transport_; }

  /// Returns when all have come here. (Dissemination: ceil(log2 size) rounds.)
  absl::Status Barrier();

  /// The root's bytes, at all. (A binomial tree.)
  absl::Status Broadcast(absl::Span<char> bytes);
  /// The same where only the root knows how many.
  absl::Status Broadcast(std::string* bytes);
  template <typename T>
  absl::Status BroadcastValue(T* value) {
    return Broadcast(absl::MakeSpan(reinterpret_cast<char*>(value), sizeof(T)));
  }

  /// Each rank's bytes, by rank, at the root; elsewhere empty.
  absl::StatusOr<std::vector<std::string>> Gather(absl::string_view mine);
  /// The same at all.
  absl::StatusOr<std::vector<std::string>> AllGather(absl::string_view mine);

  /// Each rank's bytes of those that the root gives, one for each rank.
  absl::StatusOr<std::string> Scatter(const std::vector<std::string>& of_ranks);

  /// All have `data` afterwards, of which each had `shares[rank]`. Neighbours in a ring pass on
  /// what they have got: 1/size of the data a round.
  absl::Status AllGather(absl::Span<float> data, absl::Span<const IndexRange> shares);

  /// Waits for all of these; the first error.
  absl::Status Wait(absl::Span<const Transport::Request> requests);

 private:
  std::unique_ptr<Transport> transport_;
};

/// Tags of what the ranks do together; whoever adds messages of another kind adds a tag.
namespace message_tag {
inline constexpr int kBarrier = 1, kBroadcast = 2, kGather = 3, kAllGather = 4, kReduce = 5,
                     kWork = 6, kScatter = 7;
}

}  // namespace seqgraph
