#pragma once

// Sums over the blocks of a batch in an order that does not depend on who has which block:
//   sum(a, b) = sum(a, m) + sum(m, b),  m = a + the largest power of two below b - a.

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"

namespace seqgraph {

/// Neighbours from `begin` to before `end`: blocks, or elements.
struct IndexRange {
  int64_t begin = 0, end = 0;

  int64_t size() const { return end - begin; }
  friend bool operator==(const IndexRange& a, const IndexRange& b) {
    return a.begin == b.begin && a.end == b.end;
  }
};

/// Part number `part` of so many parts of [0, count), as equal as they can be; borders are
/// multiples of `unit` but for the last.
IndexRange PartOf(int64_t count, int64_t parts, int64_t part, int64_t unit = 1);

/// How many rows of a batch make a block, the part whose gradients one call computes: 32 up to a
/// batch of 256, else 64; never more than the batch.
int64_t RowsOfBlock(int64_t batch);

/// Floats from which on a bucket of so many bytes is full.
inline int64_t FloatsOfBucket(int64_t bytes) {
  constexpr int64_t kFloat = sizeof(float);
  return (bytes + kFloat - 1) / kFloat;
}

/// Neighbours put together from the last to the first: ranges of indices, each closed as soon as
/// its sizes add up to `full`.
std::vector<IndexRange> GroupsFromTheLast(absl::Span<const int64_t> sizes, int64_t full);

/// The tree over the blocks [0, blocks) of a batch.
class BlockTree {
 public:
  explicit BlockTree(int64_t blocks) : blocks_(blocks) {}

  int64_t blocks() const { return blocks_; }
  /// The blocks of the left child of a node of at least two blocks.
  static IndexRange Left(IndexRange node);
  static IndexRange Right(IndexRange node) { return {Left(node).end, node.end}; }

  /// The largest nodes of the tree that lie in `own`, from left to right: what whoever has these
  /// blocks can add up alone. At most 2 log2(blocks) of them.
  std::vector<IndexRange> NodesIn(IndexRange own) const;

 private:
  int64_t blocks_;
};

}  // namespace seqgraph
