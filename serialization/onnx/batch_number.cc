#include "serialization/onnx/batch_number.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/status_macros.h"

namespace seqgraph::onnx {
namespace {

// factor times the batch, or a number.
struct Number {
  int64_t factor = 0;
  double value = 0;
};

Number NumberOf(double x) { return {BatchFactor(x), x}; }

double Multiple(int64_t factor) {
  return factor == 0 ? 0 : factor <= kMaxBatchFactor ? BatchNumber<double>(factor) : NAN;
}

// Extents and the like are far from this; results stay exact.
constexpr double kLargest = 0x1p30;

std::optional<double> Compare(absl::string_view op, const Number& a, const Number& b) {
  const bool both = a.factor > 0 && b.factor > 0;
  // The batch times k is at least k; beyond that nothing is known.
  const double left = a.factor > 0 ? a.factor : a.value;
  const double right = b.factor > 0 ? b.factor : b.value;
  const bool numbers = a.factor == 0 && b.factor == 0;
  const bool a_is_less = (both || numbers || b.factor > 0) && left < right;
  const bool a_is_not_less = (both || numbers || a.factor > 0) && left >= right;
  const bool differ = (both || numbers) ? left != right
                      : a.factor > 0    ? left > right
                                        : left < right;
  const bool equal = (both || numbers) && left == right;
  if (op == "Less" && (a_is_less || a_is_not_less)) return a_is_less;
  if (op == "Equal" && (differ || equal)) return equal;
  return std::nullopt;
}

std::optional<double> Larger(const Number& a, const Number& b, bool smaller) {
  if ((a.factor > 0) == (b.factor > 0)) {
    return smaller ? std::min(a.value, b.value) : std::max(a.value, b.value);
  }
  const Number& batch = a.factor > 0 ? a : b;
  const Number& other = a.factor > 0 ? b : a;
  if (other.value > static_cast<double>(batch.factor)) return std::nullopt;
  return smaller ? other.value : batch.value;
}

std::optional<double> Arithmetic(absl::string_view op, const Number& a, const Number& b,
                                 bool real) {
  const bool any = a.factor > 0 || b.factor > 0, both = a.factor > 0 && b.factor > 0;
  if (op == "Add" || op == "Subtract") {
    const bool minus = op == "Subtract";
    if (!any) return minus ? a.value - b.value : a.value + b.value;
    if (both) {
      const int64_t factor = minus ? a.factor - b.factor : a.factor + b.factor;
      return factor < 0 ? std::nullopt : std::optional(Multiple(factor));
    }
    if (b.factor == 0 && b.value == 0) return a.value;
    if (a.factor == 0 && a.value == 0 && !minus) return b.value;
    return std::nullopt;
  }
  if (op == "Multiply") {
    if (!any) return a.value * b.value;
    if (both) return std::nullopt;
    const double by = a.factor > 0 ? b.value : a.value;
    if (by < 0 || by != std::trunc(by) || by > kMaxBatchFactor) return std::nullopt;
    return Multiple((a.factor + b.factor) * static_cast<int64_t>(by));
  }
  if (op != "Divide") return std::nullopt;
  if (!any) return real ? a.value / b.value : std::trunc(a.value / b.value);
  const double by = both ? static_cast<double>(b.factor) : b.value;
  if (a.factor == 0 || by < 1 || by != std::trunc(by) || by > kMaxBatchFactor) return std::nullopt;
  if (a.factor % static_cast<int64_t>(by) != 0) return std::nullopt;
  const int64_t factor = a.factor / static_cast<int64_t>(by);
  return both ? static_cast<double>(factor) : Multiple(factor);
}

}  // namespace

ElementCount::ElementCount(const Shape& shape) {
  for (Dim dim : shape.dims()) {
    if (dim.is_batch()) {
      ++batches;
    } else {
      product *= dim.size();
    }
  }
}

absl::Status BatchIsNoNumber() {
  return Unimplemented(
      "it computes with the batch as a number, which is known only when a function is compiled");
}

bool HoldsBatch(const Tensor& tensor) {
  return VisitElementType(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const absl::Span<const T> elements = tensor.Elements<T>();
    return std::any_of(elements.begin(), elements.end(), [](T x) { return BatchFactor(x) > 0; });
  });
}

Tensor CastWithBatch(const Tensor& tensor, DType dtype) {
  Tensor result = tensor.Cast(dtype);
  VisitElementType(tensor.dtype(), [&](auto from) {
    VisitElementType(dtype, [&](auto to) {
      const auto before = tensor.Elements<decltype(from)>();
      for (size_t i = 0; i < before.size(); ++i) {
        const int64_t factor = BatchFactor(before[i]);
        if (factor > 0) result.Elements<decltype(to)>()[i] = BatchNumber<decltype(to)>(factor);
      }
    });
  });
  return result;
}

absl::StatusOr<Tensor> ComputeWithBatch(absl::string_view op, const Tensor& a, const Tensor& b) {
  const Tensor exact_a = CastWithBatch(a, DType::kFloat64);
  const Tensor exact_b = CastWithBatch(b, DType::kFloat64);
  const bool compares = op == "Less" || op == "Equal";
  std::vector<double> y(a.num_elements());
  for (size_t i = 0; i < y.size(); ++i) {
    const Number x[] = {NumberOf(exact_a.Elements<double>()[i]),
                        NumberOf(exact_b.Elements<double>()[i])};
    for (const Number& number : x) {
      if (number.factor > 0 || compares || std::abs(number.value) <= kLargest) continue;
      return InvalidArgument("an extent is too large");
    }
    if (op == "Divide" && x[1].value == 0) return InvalidArgument("it divides by 0");
    std::optional<double> result;
    if (compares) {
      result = Compare(op, x[0], x[1]);
    } else if (op == "Maximum" || op == "Minimum") {
      result = Larger(x[0], x[1], op == "Minimum");
    } else {
      result = Arithmetic(op, x[0], x[1], IsReal(a.dtype()));
    }
    if (!result.has_value() || std::isnan(*result)) return BatchIsNoNumber();
    y[i] = *result;
  }
  return CastWithBatch(Tensor::Of<double>(a.shape(), y), compares ? DType::kInt32 : a.dtype());
}

absl::StatusOr<Tensor> ProductWithBatch(const Tensor& x) {
  const Tensor exact = CastWithBatch(x, DType::kFloat64);
  Tensor product = Tensor::Scalar(1.0);
  for (double element : exact.Elements<double>()) {
    SEQ_ASSIGN_OR_RETURN(product, ComputeWithBatch("Multiply", product, Tensor::Scalar(element)));
  }
  return CastWithBatch(product, x.dtype());
}

}  // namespace seqgraph::onnx
