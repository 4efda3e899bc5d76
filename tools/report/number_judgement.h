#pragma once

// Forecasts over the truth with intervals, and told numbers over true ones.

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/report/chart.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// Numbers that were told, and what came.
struct NumberJudgement {
  std::vector<Chart> charts;
  std::vector<std::string> notes;  ///< what intervals mean, and how much lies in them
};

/// Of rows whose labels are numbers: those of a forecast (steps behind each row), of rows or of
/// steps; none of what is reconstructed. Where a model tells no quantiles, an interval is what 80 %
/// of its errors on rows of `train` lie in. Errors: those of running `predict`; Cancelled.
absl::StatusOr<NumberJudgement> JudgeNumbers(ModelRunner& runner, const Examples& train,
                                             const Examples& judged,
                                             const std::atomic<bool>* interrupt);

/// The number below which a share q of the values lies, linear between two of them (NumPy's
/// quantile); NaN of none. Sorts them.
double QuantileOf(std::vector<double>& values, double q);

}  // namespace seqgraph::tools
