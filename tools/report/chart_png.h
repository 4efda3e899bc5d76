#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/report/chart.h"

namespace seqgraph::tools {

/// What ChartsSvg draws, in its light colors, as PNG of two pixels for one of `size_of_each`.
/// Errors: as Painter::Create.
absl::StatusOr<std::string> ChartsPng(absl::Span<const Chart> charts, ChartSize size_of_each = {});

}  // namespace seqgraph::tools
