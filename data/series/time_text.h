#pragma once

// Times and orders as text: numbers of one kind a column, so that they can be compared.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph::data {

class TimeReader {
 public:
  enum class Kind {
    kNumber,   ///< A plain number.
    kSeconds,  ///< Since 1970: each of the samples is from 1e8 (1973) to 4.2e9 (2103).
    kIso,      ///< 2024-02-29, 2024-02-29T23:59:60.5+01:00; a blank for the T; Z or no zone: UTC.
    kDate8,    ///< 20240229.
    kFormat,   ///< By absl::ParseTime().
  };

  /// The kind that all `samples` (texts of the column's first rows) have, kNumber if none fits.
  static TimeReader Of(absl::Span<const std::string> samples, const std::string& format);

  bool are_dates() const { return kind_ != Kind::kNumber; }
  Kind kind() const { return kind_; }

  /// The number, or the seconds since 1970. InvalidArgument, saying what was expected.
  absl::StatusOr<double> Read(absl::string_view text) const;
  /// The same without saying why not.
  bool Read(absl::string_view text, double* value) const;

 private:
  TimeReader(Kind kind, const std::string& format) : kind_(kind), format_(format) {}

  Kind kind_;
  std::string format_;
};

/// For messages: "2024-02-29" or "2024-02-29 23:59:00" of a date, otherwise the number.
std::string TimeText(double time, bool is_date);
/// For messages: a span of time as "7 days", "1.5 hours", "10 seconds", or the number.
std::string SpanText(double span, bool is_date);

}  // namespace seqgraph::data
