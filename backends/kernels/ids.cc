#include "backends/kernels/ids.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace seqgraph::kernels {

absl::Status BadIdError(const int32_t* ids, int64_t bad, const Shape& shape, int64_t rows) {
  std::string position;
  int64_t rest = bad;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    position = absl::StrCat(rest % shape[d].size(), position.empty() ? "" : ", ", position);
    rest /= shape[d].size();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("ids[", position, "] is ", ids[bad], ", must be in [0, ", rows, ")"));
}

Claim ClaimOneHot(const NodeContext& context) {
  if (context.attributes().GetDType("dtype") == DType::kFloat32) return Claim::Yes();
  return Claim::No(ClaimReason::kUnsupportedType, "dtype float64 (float32 is there)");
}

}  // namespace seqgraph::kernels
