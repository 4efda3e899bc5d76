#include "training/flat_weights.h"

#include <algorithm>

namespace seqgraph {

FlatLayout::FlatLayout(const std::vector<VariableDef>& tensors) {
  for (const VariableDef& def : tensors) {
    begins_.push_back(end_);
    sizes_.push_back(def.type.shape.num_elements());
    end_ += room(sizes_.size() - 1);
  }
}

std::vector<WeightPiece> FlatLayout::PiecesIn(IndexRange range) const {
  std::vector<WeightPiece> pieces;
  for (size_t i = 0; i < begins_.size(); ++i) {
    const int64_t from = std::max(range.begin, begins_[i]) - begins_[i];
    const int64_t to = std::min(range.end, begins_[i] + sizes_[i]) - begins_[i];
    if (from < to) pieces.push_back({static_cast<int>(i), from, to});
  }
  return pieces;
}

}  // namespace seqgraph
