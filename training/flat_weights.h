#pragma once

#include <cstdint>
#include <vector>

#include "distributed/block_tree.h"
#include "distributed/tree_reduce.h"
#include "graph/function.h"
#include "training/step_parts.h"

namespace seqgraph {

/// Tensors one after the other in one array of floats, each from a multiple of kUnit elements on;
/// what lies between is 0.
class FlatLayout {
 public:
  static constexpr int64_t kUnit = TreeReduceScatter::kUnit;

  explicit FlatLayout(const std::vector<VariableDef>& tensors);

  int64_t elements() const { return end_; }
  size_t tensors() const { return sizes_.size(); }
  int64_t begin(size_t tensor) const { return begins_[tensor]; }
  int64_t size(size_t tensor) const { return sizes_[tensor]; }
  /// Its size and what is left of the last unit.
  int64_t room(size_t tensor) const { return (sizes_[tensor] + kUnit - 1) / kUnit * kUnit; }
  /// Where a piece begins.
  int64_t begin(const WeightPiece& piece) const { return begins_[piece.weight] + piece.begin; }
  /// The parts of tensors that lie in that range, by place.
  std::vector<WeightPiece> PiecesIn(IndexRange range) const;

 private:
  std::vector<int64_t> begins_, sizes_;
  int64_t end_ = 0;
};

}  // namespace seqgraph
