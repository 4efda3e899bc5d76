#pragma once

// Sums of what each block of a batch gives, with the same bits whoever has which block.

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "distributed/block_tree.h"
#include "distributed/communicator.h"

namespace seqgraph {

/// to = factor from, and elements /= divisor.
void ScaleInto(const float* from, float factor, int64_t count, float* to);
void DivideBy(float divisor, absl::Span<float> elements);

/// Adds up one array of floats a block, in the order of BlockTree, and leaves each rank with its
/// share of the sum (a reduce-scatter). Rank r has the blocks PartOf(blocks, size, r); its share
/// are the elements PartOf(elements, size, r, kUnit).
///
///   for each own block, from left to right:  fill NextBlock(), then AddBlock()
///   Finish(), then share() is the sum over all blocks of all ranks
///
/// What a rank can add alone it does; then it sends each other rank the elements of that rank's
/// share of each node that is left: of one node, where ranks and blocks are powers of two, so that
/// each rank sends elements * (size - 1) / size in all. At most log2(blocks) + 1 arrays are kept.
class TreeReduceScatter {
 public:
  /// A share begins at a multiple of so many elements: a cache line, and no less than a vector, so
  /// that element-wise loops over shares have the bits of loops over the whole.
  static constexpr int64_t kUnit = 16;

  /// The communicator must outlive it. At least one block.
  TreeReduceScatter(Communicator* communicator, int64_t blocks, int64_t elements);

  IndexRange own_blocks() const { return blocks_of_[rank()]; }
  IndexRange own_share() const { return shares_[rank()]; }
  /// Of each rank.
  const std::vector<IndexRange>& shares() const { return shares_; }

  /// Forgets what was added.
  void Begin();
  /// Where the next own block's array belongs; it holds anything.
  absl::Span<float> NextBlock();
  /// Takes what stands there.
  void AddBlock();
  /// Begins to exchange, when all own blocks are added; returns at once. The order of exchanges of
  /// several of these must be the same on all ranks.
  absl::Status Start();
  /// Moves on what is under way.
  absl::Status Progress();
  /// Starts, unless that was done, and waits.
  absl::Status Finish();
  /// The sum over all blocks of the elements own_share(), until Begin. May be written.
  absl::Span<float> share();

  /// Bytes that it keeps now, and that it sends to others in a round.
  int64_t memory() const;
  int64_t traffic() const;

 private:
  struct Node {
    IndexRange blocks;
    int buffer = -1;
  };
  // A node of the tree whose elements of the own share are here.
  struct Part {
    IndexRange blocks;
    float* share;
  };

  int rank() const { return communicator_->rank(); }
  int TakeBuffer();
  bool IsNode(IndexRange range) const;
  // The sum at a node: where it stands, or added up at `to`.
  float* SumOf(IndexRange node, const std::vector<Part>& parts, float* to);

  Communicator* communicator_;
  BlockTree tree_;
  int64_t elements_;
  std::vector<IndexRange> blocks_of_, shares_;
  std::vector<std::vector<IndexRange>> nodes_of_;  // of each rank, what it sends
  std::vector<std::vector<float>> buffers_;
  std::vector<int> free_;
  std::vector<Node> stack_;
  int next_buffer_ = -1;
  int64_t next_block_ = 0;
  bool started_ = false;
  std::vector<Part> parts_;
  std::vector<Transport::Request> under_way_;
  std::vector<float> received_, scratch_;
  absl::Span<float> share_;
};

}  // namespace seqgraph
