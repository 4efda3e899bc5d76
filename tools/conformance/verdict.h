#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "graph/error_bound.h"
#include "graph/tensor.h"

namespace seqgraph::conformance {

enum class Outcome {
  kPassed,
  kFailed,
  kRefused,  ///< the backend does not claim what the case needs: no fault
  kSkipped,  ///< there is nothing to check
  kCrashed,
  kHung,
};
absl::string_view OutcomeName(Outcome outcome);

/// What became of one case.
struct Row {
  std::string name;
  Outcome outcome = Outcome::kPassed;
  double measured = 0, allowed = 0;  ///< the comparison that came closest; 0, 0: none was made
  std::string formula;               ///< of what was allowed
  std::string detail;
  int64_t runs = 0;  ///< times that nodes of the backend ran
  double seconds = 0;
  bool damaged = false;  ///< the process is to be replaced

  std::string mode() const { return name.substr(0, name.find('/')); }
};

/// Fills the row of a case while it runs: a case fails at its first fault; what was measured is the
/// comparison that came closest to its bound, or exceeded it most.
class Verdict {
 public:
  /// `error` of at most `allowed`, in one unit. `what` names the value: "output y, 2nd run".
  void Measure(double error, double allowed, absl::string_view what, absl::string_view formula);
  /// Every element of `found` within `bound` of `exact` (float64, or the same integer type), and
  /// NaN and infinities in the same places. `found` is what the backend computed.
  void Compare(const Tensor& found, const Tensor& exact, const ErrorBound& bound,
               absl::string_view what);
  void Fail(std::string reason);
  /// Fails unless OK. True if it is.
  bool Check(const absl::Status& status, absl::string_view doing);
  void Refuse(std::string reason);
  void Skip(std::string reason);
  /// The process may hold damaged memory: it is to be replaced.
  void Damage(std::string reason);
  void CountRun() { ++row_.runs; }
  /// Adds to the reason of a case that failed.
  void Explain(absl::string_view text) { row_.detail += " (" + std::string(text) + ")"; }
  /// Adds to what is shown beside a case that passed.
  void Note(absl::string_view text);

  bool ok() const { return row_.outcome == Outcome::kPassed; }
  /// Name and seconds are the caller's.
  const Row& row() const { return row_; }

 private:
  void End(Outcome outcome, std::string detail);

  Row row_;
};

}  // namespace seqgraph::conformance
