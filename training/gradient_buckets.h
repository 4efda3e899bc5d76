#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "distributed/communicator.h"
#include "distributed/tree_reduce.h"
#include "training/flat_weights.h"

namespace seqgraph {

/// The gradients of a batch, added up over the ranks in buckets: runs of tensors, the last ones
/// first, as the backward pass makes them. While a rank still computes, those that are complete are
/// under way; how they are cut changes no bit.
///
///   Begin(blocks); for each own block: Take(bucket, ...) for each bucket in order; Finish;
///   AllGather
class GradientBuckets {
 public:
  /// Long enough that an exchange is not all latency, short enough that the last one, which nothing
  /// hides, is a small part of a large model.
  static constexpr int64_t kBucketBytes = int64_t{1} << 20;

  /// Both must outlive it.
  GradientBuckets(Communicator* communicator, const FlatLayout* layout,
                  int64_t bucket_bytes = kBucketBytes);

  size_t count() const { return buckets_.size(); }
  /// The tensors of a bucket: indices.
  IndexRange tensors(size_t bucket) const { return buckets_[bucket].tensors; }
  /// The elements that a rank gets the sums of, one range a bucket.
  std::vector<IndexRange> SharesOf(int rank) const;

  /// A batch of so many blocks, of which a rank has PartOf(blocks, ranks, rank).
  void Begin(int64_t blocks);
  /// The bucket of an own block: rows times its gradients; of the last block it is sent. Buckets
  /// come in their order. Rows 0: nothing is read of the gradients.
  absl::Status Take(size_t bucket, absl::Span<const float* const> gradients, double rows,
                    bool is_last_block);
  /// Moves on what is under way.
  absl::Status Progress();
  /// Waits; then `flat` has the sums divided by `rows` in the elements of the own shares. A rank
  /// without blocks calls it at once.
  absl::Status Finish(double rows, absl::Span<float> flat);
  /// All ranks get all elements, of which each has its shares.
  absl::Status AllGather(absl::Span<float> flat);

  /// Bytes of the sums that are kept.
  int64_t memory() const;

 private:
  struct Bucket {
    IndexRange tensors, elements;
    std::vector<IndexRange> shares;  // of each rank, in the flat array
  };

  Communicator* communicator_;
  const FlatLayout* layout_;
  std::vector<Bucket> buckets_;
  std::map<int64_t, std::vector<TreeReduceScatter>> reduces_;  // by blocks
  std::vector<TreeReduceScatter>* now_ = nullptr;
  size_t sent_ = 0;  // buckets
};

}  // namespace seqgraph
