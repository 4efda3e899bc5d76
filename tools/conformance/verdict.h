#ifndef SEQGRAPH_TOOLS_CONFORMANCE_VERDICT_H_
#define SEQGRAPH_TOOLS_CONFORMANCE_VERDICT_H_

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

/// What became of one case. A case fails at its first fault; what was measured is the comparison
/// that came closest to its bound, or exceeded it most.
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
  void CountRun() { ++runs_; }
  /// Adds to the reason of a case that failed.
  void Explain(absl::string_view text) { detail_ += " (" + std::string(text) + ")"; }
  /// Adds to what is shown beside a case that passed.
  void Note(absl::string_view text);

  bool ok() const { return outcome_ == Outcome::kPassed; }
  Outcome outcome() const { return outcome_; }
  bool damaged() const { return damaged_; }
  /// Times that nodes of the backend ran.
  int runs() const { return runs_; }
  double measured() const { return measured_; }
  double allowed() const { return allowed_; }
  const std::string& formula() const { return formula_; }
  const std::string& detail() const { return detail_; }

 private:
  void End(Outcome outcome, std::string detail);

  Outcome outcome_ = Outcome::kPassed;
  bool damaged_ = false;
  int runs_ = 0;
  double measured_ = 0, allowed_ = 0;
  std::string formula_, detail_;
};

}  // namespace seqgraph::conformance

#endif  // SEQGRAPH_TOOLS_CONFORMANCE_VERDICT_H_
