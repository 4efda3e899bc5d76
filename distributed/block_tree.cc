#include "distributed/block_tree.h"

#include <algorithm>

namespace seqgraph {
namespace {

void CollectNodes(IndexRange node, IndexRange own, std::vector<IndexRange>& found) {
  if (node.end <= own.begin || node.begin >= own.end) return;
  if (node.begin >= own.begin && node.end <= own.end) {
    found.push_back(node);
    return;
  }
  CollectNodes(BlockTree::Left(node), own, found);
  CollectNodes(BlockTree::Right(node), own, found);
}

}  // namespace

IndexRange PartOf(int64_t count, int64_t parts, int64_t part, int64_t unit) {
  const int64_t units = (count + unit - 1) / unit;
  const auto border = [&](int64_t i) {
    // units * i might overflow; the first `units % parts` parts have one unit more.
    return std::min(count, (units / parts * i + std::min(i, units % parts)) * unit);
  };
  return {border(part), border(part + 1)};
}

int64_t RowsOfBlock(int64_t batch) {
  constexpr int64_t kSmallBatch = 256, kSmall = 32, kLarge = 64;
  return std::min(batch, batch <= kSmallBatch ? kSmall : kLarge);
}

std::vector<IndexRange> GroupsFromTheLast(absl::Span<const int64_t> sizes, int64_t full) {
  std::vector<IndexRange> groups;
  int64_t sum = 0, end = static_cast<int64_t>(sizes.size());
  for (int64_t i = end; i-- > 0;) {
    sum += sizes[static_cast<size_t>(i)];
    if (sum < full && i > 0) continue;
    groups.push_back({i, end});
    end = i;
    sum = 0;
  }
  return groups;
}

IndexRange BlockTree::Left(IndexRange node) {
  int64_t half = 1;
  while (half * 2 < node.size()) half *= 2;
  return {node.begin, node.begin + half};
}

std::vector<IndexRange> BlockTree::NodesIn(IndexRange own) const {
  std::vector<IndexRange> found;
  if (own.size() > 0) CollectNodes({0, blocks_}, own, found);
  return found;
}

}  // namespace seqgraph
