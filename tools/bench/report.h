#pragma once

#include <string>

#include "absl/types/span.h"
#include "tools/bench/bench.h"
#include "tools/bench/machine_peak.h"

namespace seqgraph::bench {

struct BenchSubject {
  std::string function;
  int64_t batch = 1;
  int64_t threads = 1;
};

/// A table of nodes for each contestant, and where there are several a last one that compares them,
/// the first one being 1.
std::string BenchText(const BenchSubject& subject, absl::Span<const BenchResult> results,
                      const MachinePeak& peak);

/// The same as one JSON object; times in seconds.
std::string BenchJson(const BenchSubject& subject, absl::Span<const BenchResult> results,
                      const MachinePeak& peak);

/// The same as one page that needs nothing else.
std::string BenchHtml(const BenchSubject& subject, absl::Span<const BenchResult> results,
                      const MachinePeak& peak);

}  // namespace seqgraph::bench
