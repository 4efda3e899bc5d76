#include "graph/constant_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "graph/attributes.h"

namespace seqgraph {

std::optional<std::string> ConstantText(const Tensor& content) {
  if (content.dtype() == DType::kInt64) {
    const absl::Span<const int64_t> all = content.Elements<int64_t>();
    if (!std::all_of(all.begin(), all.end(),
                     [](int64_t x) { return x > -(int64_t{1} << 53) && x < (int64_t{1} << 53); })) {
      return std::nullopt;
    }
  }
  const Tensor exact = content.Cast(DType::kFloat64);
  const absl::Span<const double> values = exact.Elements<double>();
  if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); })) {
    return std::nullopt;
  }
  if (values.empty()) return "0";
  const bool uniform = std::all_of(values.begin(), values.end(), [&](double x) {
    return x == values[0] && std::signbit(x) == std::signbit(values[0]);
  });
  if (uniform) return AttributeToString(values[0]);
  if (static_cast<int64_t>(values.size()) > kMaxConstantElements) return std::nullopt;
  return absl::StrJoin(values, " ",
                       [](std::string* out, double value) { *out += AttributeToString(value); });
}

}  // namespace seqgraph
