#include "tools/conformance/verdict.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "graph/compare.h"

namespace seqgraph::conformance {

absl::string_view OutcomeName(Outcome outcome) {
  constexpr absl::string_view kNames[] = {"passed",  "failed",  "refused",
                                          "skipped", "crashed", "hung"};
  return kNames[static_cast<int>(outcome)];
}

void Verdict::End(Outcome outcome, std::string detail) {
  // The first fault stays; what is no fault gives way to one.
  if (row_.outcome == Outcome::kFailed) return;
  if (row_.outcome != Outcome::kPassed && outcome != Outcome::kFailed) return;
  row_.outcome = outcome;
  row_.detail = std::move(detail);
}

void Verdict::Fail(std::string reason) { End(Outcome::kFailed, std::move(reason)); }
void Verdict::Refuse(std::string reason) { End(Outcome::kRefused, std::move(reason)); }
void Verdict::Skip(std::string reason) { End(Outcome::kSkipped, std::move(reason)); }

void Verdict::Damage(std::string reason) {
  row_.damaged = true;
  Fail(std::move(reason));
}

void Verdict::Note(absl::string_view text) {
  if (!ok() || absl::StrContains(row_.detail, text)) return;
  absl::StrAppend(&row_.detail, row_.detail.empty() ? "" : "; ", text);
}

bool Verdict::Check(const absl::Status& status, absl::string_view doing) {
  if (!status.ok()) Fail(absl::StrCat(doing, ": ", status.ToString()));
  return status.ok();
}

void Verdict::Measure(double error, double allowed, absl::string_view what,
                      absl::string_view formula) {
  const bool good = error <= allowed;
  const bool closer = !good || row_.allowed == 0 || error * row_.allowed > row_.measured * allowed;
  if (ok() && closer) {
    row_.measured = error;
    row_.allowed = allowed;
    row_.formula = std::string(formula);
  }
  if (!good) {
    Fail(absl::StrFormat("%s: off by %.3g, allowed %.3g (%s)", what, error, allowed, formula));
  }
}

void Verdict::Compare(const Tensor& found, const Tensor& exact, const ErrorBound& bound,
                      absl::string_view what) {
  if (found.shape() != exact.shape()) {
    return Fail(absl::StrCat(what, ": has shape ", found.shape().ToString(), ", expected ",
                             exact.shape().ToString()));
  }
  const Comparison worst = seqgraph::Compare(found, exact, bound);
  std::string place(what);
  if (!worst.within()) absl::StrAppend(&place, ComparisonText(worst, found.shape()));
  Measure(worst.measured, worst.allowed, place, bound.formula);
}

}  // namespace seqgraph::conformance
