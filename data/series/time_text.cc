#include "data/series/time_text.h"

#include <chrono>
#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "data/class_table.h"
#include "data/series/decimal.h"

namespace seqgraph::data {
namespace {

constexpr double kDay = 86400;

// Takes exactly `digits` digits.
bool TakeNumber(absl::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!decimal_internal::IsDigit((*text)[i])) return false;
    *value = *value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool DaysSince1970(int year, int month, int day, double* seconds) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  *seconds = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) * kDay;
  return true;
}

bool ReadDate8(absl::string_view text, double* value) {
  int year, month, day;
  return TakeNumber(&text, 4, &year) && TakeNumber(&text, 2, &month) &&
         TakeNumber(&text, 2, &day) && text.empty() && year >= 1600 && year < 2400 &&
         DaysSince1970(year, month, day, value);
}

// Z, +01:00, +0100, +01; nothing: UTC.
bool TakeZone(absl::string_view text, double* seconds) {
  *seconds = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  const bool west = text[0] == '-';
  if (!west && text[0] != '+') return false;
  text.remove_prefix(1);
  int hours, minutes = 0;
  if (!TakeNumber(&text, 2, &hours)) return false;
  absl::ConsumePrefix(&text, ":");
  if (!text.empty() && !TakeNumber(&text, 2, &minutes)) return false;
  *seconds = (west ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
  return text.empty() && hours < 24 && minutes < 60;
}

bool ReadIso(absl::string_view text, double* value) {
  int year, month, day, hour = 0, minute = 0, second = 0;
  if (!TakeNumber(&text, 4, &year) || !absl::ConsumePrefix(&text, "-") ||
      !TakeNumber(&text, 2, &month) || !absl::ConsumePrefix(&text, "-") ||
      !TakeNumber(&text, 2, &day) || !DaysSince1970(year, month, day, value)) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'T' && text[0] != 't' && text[0] != ' ') return false;
  text.remove_prefix(1);
  if (!TakeNumber(&text, 2, &hour) || !absl::ConsumePrefix(&text, ":") ||
      !TakeNumber(&text, 2, &minute)) {
    return false;
  }
  double fraction = 0;
  if (absl::ConsumePrefix(&text, ":")) {
    if (!TakeNumber(&text, 2, &second)) return false;
    if (absl::ConsumePrefix(&text, ".") || absl::ConsumePrefix(&text, ",")) {
      if (text.empty() || !decimal_internal::IsDigit(text[0])) return false;
      for (double unit = 0.1; !text.empty() && decimal_internal::IsDigit(text[0]); unit /= 10) {
        fraction += unit * (text[0] - '0');
        text.remove_prefix(1);
      }
    }
  }
  double zone;
  if (hour > 23 || minute > 59 || second > 60 || !TakeZone(text, &zone)) return false;
  *value += hour * 3600.0 + minute * 60.0 + second + fraction - zone;
  return true;
}

bool ReadFormat(absl::string_view text, const std::string& format, double* value) {
  absl::Time time;
  if (!absl::ParseTime(format, text, &time, nullptr) || time == absl::InfiniteFuture() ||
      time == absl::InfinitePast()) {
    return false;
  }
  *value = absl::ToDoubleSeconds(time - absl::UnixEpoch());
  return true;
}

bool ReadPlain(absl::string_view text, double* value) {
  return ReadNumber(text, value) == NumberText::kNumber;
}

}  // namespace

TimeReader TimeReader::Of(absl::Span<const std::string> samples, const std::string& format) {
  if (!format.empty()) return TimeReader(Kind::kFormat, format);
  for (Kind kind : {Kind::kDate8, Kind::kIso, Kind::kSeconds}) {
    const TimeReader reader(kind, format);
    bool all = !samples.empty();
    for (const std::string& sample : samples) {
      double value;
      all = all && reader.Read(sample, &value) &&
            (kind != Kind::kSeconds || (value >= 1e8 && value <= 4.2e9));
    }
    if (all) return reader;
  }
  // One that is a date among the samples says that they ought to be: the others are then named.
  double value;
  const bool iso = !samples.empty() && ReadIso(absl::StripAsciiWhitespace(samples[0]), &value);
  return TimeReader(iso ? Kind::kIso : Kind::kNumber, format);
}

bool TimeReader::Read(absl::string_view text, double* value) const {
  text = absl::StripAsciiWhitespace(text);
  switch (kind_) {
    case Kind::kNumber:
    case Kind::kSeconds:
      return ReadPlain(text, value);
    case Kind::kIso:
      return ReadIso(text, value);
    case Kind::kDate8:
      return ReadDate8(text, value);
    case Kind::kFormat:
      return ReadFormat(text, format_, value);
  }
  return false;
}

absl::StatusOr<double> TimeReader::Read(absl::string_view text) const {
  double value;
  if (Read(text, &value)) return value;
  const std::string shown = Shown(text);
  switch (kind_) {
    case Kind::kNumber:
      return InvalidArgument(shown,
                             " is neither a number nor a date such as 2024-02-29; another format "
                             "has to be given (--time_format)");
    case Kind::kSeconds:
      return InvalidArgument(shown, " is no number of seconds since 1970, as the first times are");
    case Kind::kIso:
      return InvalidArgument(shown, " is no time such as 2024-02-29 or 2024-02-29T23:59:00Z");
    case Kind::kDate8:
      return InvalidArgument(shown, " is no date such as 20240229, as the first ones are");
    case Kind::kFormat:
      break;
  }
  return InvalidArgument(shown, " is no time by the format '", format_, "'");
}

std::string TimeText(double time, bool is_date) {
  if (!is_date || std::abs(time) > 1e12) return absl::StrCat(time);
  const absl::Time at = absl::UnixEpoch() + absl::Seconds(time);
  const bool midnight = std::fmod(time, kDay) == 0;
  return absl::FormatTime(midnight ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S", at, absl::UTCTimeZone());
}

std::string SpanText(double span, bool is_date) {
  if (!is_date) return absl::StrCat(span);
  const auto text = [](double count, absl::string_view unit) {
    return absl::StrCat(count, " ", unit, count == 1 ? "" : "s");
  };
  if (span >= kDay) return text(span / kDay, "day");
  if (span >= 3600) return text(span / 3600, "hour");
  if (span >= 60) return text(span / 60, "minute");
  return text(span, "second");
}

}  // namespace seqgraph::data
