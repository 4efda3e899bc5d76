#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/callback.h"

namespace seqgraph {

/// Which way a watched quantity improves. kAuto: the loss downwards, a metric as it says itself.
enum class MonitorMode { kAuto, kMin, kMax };

/// Whether `current` is better than `best` by more than `min_delta`; anything is better than
/// nothing. NaN improves on nothing but nothing, and nothing improves on NaN.
bool Improves(double current, std::optional<double> best, bool higher_is_better,
              double min_delta = 0);

/// Whether more of the quantity named `monitor` ("val_" in front does not matter) is better.
/// InvalidArgument, naming `who` and what there is, if the mode is kAuto and nothing of that name
/// is measured.
absl::StatusOr<bool> HigherIsBetter(const std::string& who, const std::string& monitor,
                                    MonitorMode mode, const FitContext& context);

/// "a,b": the names in the logs.
std::string LogNames(const Logs& logs);

}  // namespace seqgraph
