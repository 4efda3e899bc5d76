#pragma once

// The one place that compares tensors and words what it finds.

#include <cstdint>
#include <functional>
#include <string>

#include "graph/error_bound.h"
#include "graph/tensor.h"

namespace seqgraph {

/// Where two tensors of one shape differ most.
struct Comparison {
  double measured = 0;  ///< |actual - exact|; infinite where one alone is NaN or infinite
  double allowed = 0;   ///< there
  int64_t element = 0;  ///< row-major
  double actual = 0;
  double exact = 0;

  bool within() const { return measured <= allowed; }
};

/// What a difference may be, for an exact value.
using Allowance = std::function<double(double exact)>;

/// The element that is furthest beyond what is allowed, or closest to it. NaN and infinities agree
/// with themselves only; integers are compared as such and must be equal. `actual` may have
/// any element type, `exact` the same or, where that is real, another real one. Shapes are equal.
Comparison Compare(const Tensor& actual, const Tensor& exact, const Allowance& allowed);

/// The same where nothing may differ: the largest difference.
Comparison Compare(const Tensor& actual, const Tensor& exact);

/// The same within a bound. A bound without roundings asks for the float that is nearest to the
/// exact value.
Comparison Compare(const Tensor& actual, const Tensor& exact, const ErrorBound& bound);

/// "[1, 0, 2]".
std::string IndexText(int64_t element, const Shape& shape);

/// "[1, 0, 2] is 0.5, expected 0.25 (off by 0.25, allowed 1e-7)".
std::string ComparisonText(const Comparison& comparison, const Shape& shape);

/// The largest |actual - exact| over the largest finite |exact| (over 1 if that is 0); infinite if
/// the shapes differ or one alone is not finite somewhere.
double RelativeError(const Tensor& actual, const Tensor& exact);

}  // namespace seqgraph
