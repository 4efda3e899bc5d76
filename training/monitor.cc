#include "training/monitor.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace seqgraph {

bool Improves(double current, std::optional<double> best, bool higher_is_better, double min_delta) {
  if (!best.has_value()) return true;
  const double margin = std::abs(min_delta);
  return higher_is_better ? current - margin > *best : current + margin < *best;
}

absl::StatusOr<bool> HigherIsBetter(const std::string& who, const std::string& monitor,
                                    MonitorMode mode, const FitContext& context) {
  if (mode != MonitorMode::kAuto) return mode == MonitorMode::kMax;
  const auto it = context.higher_is_better.find(absl::StripPrefix(monitor, "val_"));
  if (it != context.higher_is_better.end()) return it->second;
  return InvalidArgument(who, " watches '", monitor,
                         "', which nothing here measures: expected one of ",
                         absl::StrJoin(context.higher_is_better, ", ",
                                       [](std::string* out, const auto& entry) {
                                         absl::StrAppend(out, entry.first, ", val_", entry.first);
                                       }),
                         ", or a mode (kMin, kMax) for what another callback adds to the logs");
}

std::string LogNames(const Logs& logs) {
  return absl::StrJoin(
      logs, ",", [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.first); });
}

}  // namespace seqgraph
