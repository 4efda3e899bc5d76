#include "graph/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace seqgraph {
namespace {

constexpr double kInfiniteError = std::numeric_limits<double>::infinity();

double Difference(double a, double e) {
  if (a == e || (std::isnan(a) && std::isnan(e))) return 0;
  return std::isfinite(a) && std::isfinite(e) ? std::fabs(a - e) : kInfiniteError;
}

// Integers beyond 2^53 are not exact in double: they differ by at least 1 if they differ.
double Difference(int64_t a, int64_t e) {
  return a == e ? 0 : std::max(1.0, std::fabs(static_cast<double>(a) - static_cast<double>(e)));
}

template <typename T>
Comparison Furthest(const Tensor& actual, const Tensor& exact, const Allowance& allowed) {
  const auto a = actual.Elements<T>(), e = exact.Elements<T>();
  Comparison worst;
  double most = -kInfiniteError;
  for (size_t i = 0; i < e.size(); ++i) {
    const double there = static_cast<double>(e[i]);
    const double limit = std::is_same_v<T, double> ? allowed(there) : 0;
    const double difference = Difference(a[i], e[i]);
    if (difference - limit <= most) continue;
    most = difference - limit;
    worst = {difference, limit, static_cast<int64_t>(i), static_cast<double>(a[i]), there};
  }
  return worst;
}

}  // namespace

Comparison Compare(const Tensor& actual, const Tensor& exact, const Allowance& allowed) {
  SEQ_CHECK(actual.shape() == exact.shape());
  const DType wide = IsReal(actual.dtype()) ? DType::kFloat64 : DType::kInt64;
  const Tensor a = actual.Cast(wide), e = exact.Cast(wide);
  return wide == DType::kFloat64 ? Furthest<double>(a, e, allowed)
                                 : Furthest<int64_t>(a, e, allowed);
}

Comparison Compare(const Tensor& actual, const Tensor& exact) {
  return Compare(actual, exact, [](double) { return 0.0; });
}

Comparison Compare(const Tensor& actual, const Tensor& exact, const ErrorBound& bound) {
  const double allowed = bound.absolute();
  const bool nearest = bound.epsilons == 0 && actual.dtype() == DType::kFloat32;
  return Compare(actual, nearest ? exact.Cast(DType::kFloat32) : exact,
                 [allowed](double) { return allowed; });
}

std::string IndexText(int64_t element, const Shape& shape) {
  std::vector<int64_t> index(shape.rank());
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int64_t extent = std::max<int64_t>(shape[i].size(), 1);
    index[i] = element % extent;
    element /= extent;
  }
  return absl::StrCat("[", absl::StrJoin(index, ", "), "]");
}

std::string ComparisonText(const Comparison& comparison, const Shape& shape) {
  return absl::StrFormat("%s is %.9g, expected %.9g (off by %.3g, allowed %.3g)",
                         IndexText(comparison.element, shape), comparison.actual, comparison.exact,
                         comparison.measured, comparison.allowed);
}

double RelativeError(const Tensor& actual, const Tensor& exact) {
  if (actual.shape() != exact.shape()) return kInfiniteError;
  const double magnitude = LargestFiniteMagnitude(exact);
  return Compare(actual, exact).measured / (magnitude == 0 ? 1 : magnitude);
}

}  // namespace seqgraph
