#include "data/series/decimal.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace seqgraph::data {
namespace {

constexpr size_t kMaxDigits = 1000;  // Of a number; a longer text is none.

bool AbslRead(absl::string_view text, float* value) { return absl::SimpleAtof(text, value); }
bool AbslRead(absl::string_view text, double* value) { return absl::SimpleAtod(text, value); }

template <typename T>
NumberText Read(absl::string_view text, T* value) {
  text = absl::StripAsciiWhitespace(text);
  for (absl::string_view word : {"", "nan", "na", "n/a", "null", "none"}) {
    if (!absl::EqualsIgnoreCase(text, word)) continue;
    *value = std::numeric_limits<T>::quiet_NaN();
    return NumberText::kMissing;
  }
  if (text.size() > kMaxDigits) return NumberText::kNone;
  const absl::string_view written = text;
  if (absl::ConsumePrefix(&text, "+") && absl::StartsWith(text, "-")) return NumberText::kNone;
  T read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return NumberText::kNone;
  }
  if (error == std::errc::result_out_of_range) {
    // Too small or too large? std::from_chars leaves that open.
    if (!AbslRead(written, &read)) return NumberText::kNone;
    if (std::abs(read) >= std::numeric_limits<T>::max()) return NumberText::kHuge;
  }
  if (std::isnan(read)) return NumberText::kNone;  // "-nan", "nan(1)"
  if (std::isinf(read)) return NumberText::kInfinite;
  *value = read;
  return NumberText::kNumber;
}

}  // namespace

NumberText ReadNumber(absl::string_view text, float* value) { return Read(text, value); }
NumberText ReadNumber(absl::string_view text, double* value) { return Read(text, value); }

}  // namespace seqgraph::data
