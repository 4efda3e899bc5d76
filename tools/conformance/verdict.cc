#include "tools/conformance/verdict.h"

#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace seqgraph::conformance {
namespace {

bool SamePlace(double found, double exact) {
  if (std::isnan(exact)) return std::isnan(found);
  if (std::isinf(exact)) return found == exact;
  return std::isfinite(found);
}

std::string Place(const Shape& shape, int64_t element) {
  std::string text = "]";
  for (int d = shape.rank() - 1; d >= 0; --d) {
    const int64_t extent = shape[d].size();
    text = absl::StrCat(d > 0 ? ", " : "", element % extent, text);
    element /= extent;
  }
  return "[" + text;
}

}  // namespace

absl::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kCrashed:
      return "crashed";
    case Outcome::kHung:
      return "hung";
  }
  return "";
}

void Verdict::End(Outcome outcome, std::string detail) {
  // The first fault stays; what is no fault gives way to one.
  if (outcome_ == Outcome::kFailed) return;
  if (outcome_ != Outcome::kPassed && outcome != Outcome::kFailed) return;
  outcome_ = outcome;
  detail_ = std::move(detail);
}

void Verdict::Fail(std::string reason) { End(Outcome::kFailed, std::move(reason)); }
void Verdict::Refuse(std::string reason) { End(Outcome::kRefused, std::move(reason)); }
void Verdict::Skip(std::string reason) { End(Outcome::kSkipped, std::move(reason)); }

void Verdict::Damage(std::string reason) {
  damaged_ = true;
  Fail(std::move(reason));
}

void Verdict::Note(absl::string_view text) {
  if (!ok() || absl::StrContains(detail_, text)) return;
  absl::StrAppend(&detail_, detail_.empty() ? "" : "; ", text);
}

bool Verdict::Check(const absl::Status& status, absl::string_view doing) {
  if (!status.ok()) Fail(absl::StrCat(doing, ": ", status.ToString()));
  return status.ok();
}

void Verdict::Measure(double error, double allowed, absl::string_view what,
                      absl::string_view formula) {
  const bool good = error <= allowed;
  const bool closer = !good || allowed_ == 0 || error * allowed_ > measured_ * allowed;
  if (ok() && closer) {
    measured_ = error;
    allowed_ = allowed;
    formula_ = std::string(formula);
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
  const Tensor f = found.Cast(DType::kFloat64), e = exact.Cast(DType::kFloat64);
  const auto got = f.Elements<double>(), want = e.Elements<double>();
  // What is exact must be the very number that the exact result is in float.
  const bool exactly = bound.epsilons == 0;
  double worst = 0;
  int64_t where = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    if (!SamePlace(got[i], want[i])) {
      return Fail(absl::StrFormat("%s%s is %g, expected %g", what, Place(found.shape(), i), got[i],
                                  want[i]));
    }
    if (!std::isfinite(want[i])) continue;
    const double target = exactly && IsReal(found.dtype())
                              ? static_cast<double>(static_cast<float>(want[i]))
                              : want[i];
    const double error = std::fabs(got[i] - target);
    if (error > worst) {
      worst = error;
      where = static_cast<int64_t>(i);
    }
  }
  const double allowed = IsReal(found.dtype()) ? bound.absolute() : 0;
  std::string place(what);
  if (worst > allowed) {
    absl::StrAppend(&place, Place(found.shape(), where),
                    absl::StrFormat(" is %.9g, expected %.9g", got[where], want[where]));
  }
  Measure(worst, allowed, place, bound.formula);
}

}  // namespace seqgraph::conformance
