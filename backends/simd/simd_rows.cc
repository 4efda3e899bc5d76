#include "backends/simd/simd_rows.h"

#include <vector>

#include "backends/kernels/shared_rows.h"

namespace seqgraph::simd {

absl::Span<const Row> Rows() {
  static const auto* const kAll = kernels::WithSharedRows<Row>(kOwnRows);
  return *kAll;
}

}  // namespace seqgraph::simd
