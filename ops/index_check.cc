#include "ops/index_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::ops {
namespace {

// "[0, 3]" for an element's place in row-major order; "" for that of a scalar.
std::string Position(const Shape& shape, int64_t place) {
  std::string text;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    text = absl::StrCat(place % shape[d].size(), text.empty() ? "" : ", ", text);
    place /= shape[d].size();
  }
  return text.empty() ? text : absl::StrCat("[", text, "]");
}

}  // namespace

absl::Status CheckIndices(absl::string_view name, TensorView<const int32_t> indices,
                          int64_t limit) {
  const int64_t n = indices.size();
  for (int64_t i = 0; i < n; ++i) {
    if (indices[i] < 0 || indices[i] >= limit) {
      return InvalidArgument(name, Position(indices.shape, i), " is ", indices[i],
                             ", must be in [0, ", limit, ")");
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::ops
