#pragma once

// Indices of tensors as text: ":, -1, 0:3".

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// One of the places of an index: x[begin:end:stride], x[begin], x[None] or x[...].
struct IndexPlace {
  enum class Kind { kSlice, kNumber, kNewAxis, kEllipsis };
  Kind kind = Kind::kSlice;
  std::optional<int64_t> begin, end, stride;
  friend bool operator==(const IndexPlace&, const IndexPlace&) = default;
};
/// InvalidArgument for what is no index.
absl::StatusOr<std::vector<IndexPlace>> ParseIndex(const std::string& text);
std::string IndexText(const std::vector<IndexPlace>& places);

/// x[index], which ParseIndex must have read. It takes all of the batch.
Value EmitIndex(LayerContext& c, const std::string& index);

}  // namespace seqgraph
