#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/conformance/verdict.h"

namespace seqgraph::conformance {

/// The result of a case as the worker sends it, and back; a text that is none is InvalidArgument.
std::string RowToJson(const Row& row);
absl::StatusOr<Row> RowFromJson(absl::string_view json);

struct Report {
  std::string backend, version, description;
  uint64_t seed = 1;
  std::vector<Row> rows;
  double seconds = 0;
  int workers = 0;

  int Count(Outcome outcome) const;
  /// What was claimed and ran passed, and there was some of it.
  bool Proven() const;
};

/// A line a mode, a line each for what did not pass, and the verdict. `verbose`: a line each case.
std::string ReportToText(const Report& report, bool verbose);
std::string ReportToJson(const Report& report);
/// One page that needs nothing else.
std::string ReportToHtml(const Report& report);

}  // namespace seqgraph::conformance
