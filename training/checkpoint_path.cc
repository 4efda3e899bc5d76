#include "training/checkpoint_path.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// A format as in Python's format(): [0][width][.precision][type].
struct NumberFormat {
  bool zeros = false;
  int width = 0;
  std::optional<int> precision;
  char type = 0;
};

// Takes up to two digits from the front of `text`; -1 if there is none.
int ConsumeNumber(absl::string_view& text) {
  int number = -1;
  for (int i = 0; i < 2 && !text.empty() && absl::ascii_isdigit(text[0]); ++i) {
    number = (number < 0 ? 0 : number * 10) + (text[0] - '0');
    text.remove_prefix(1);
  }
  return number;
}

std::optional<NumberFormat> ParseFormat(absl::string_view text) {
  NumberFormat format;
  format.zeros = absl::ConsumePrefix(&text, "0");
  format.width = std::max(0, ConsumeNumber(text));
  if (absl::ConsumePrefix(&text, ".")) {
    const int precision = ConsumeNumber(text);
    if (precision < 0) return std::nullopt;
    format.precision = precision;
  }
  if (!text.empty() && absl::string_view("dfeg").find(text[0]) != absl::string_view::npos) {
    format.type = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return format;
}

std::string Pad(std::string number, const NumberFormat& format) {
  const int missing = format.width - static_cast<int>(number.size());
  if (missing <= 0) return number;
  const size_t at = format.zeros && number[0] == '-' ? 1 : 0;
  return number.insert(at, missing, format.zeros ? '0' : ' ');
}

// The number in the format, or nothing if the format is not for such a number.
std::optional<std::string> FormatNumber(const std::variant<int64_t, double>& value,
                                        const NumberFormat& format) {
  const int64_t* count = std::get_if<int64_t>(&value);
  if (format.type == 'd' || (count != nullptr && format.type == 0)) {
    if (count == nullptr || format.precision.has_value()) return std::nullopt;
    return Pad(absl::StrCat(*count), format);
  }
  const double number = count != nullptr ? static_cast<double>(*count) : std::get<double>(value);
  const int precision = format.precision.value_or(6);
  switch (format.type) {
    case 'f':
      return Pad(absl::StrFormat("%.*f", precision, number), format);
    case 'e':
      return Pad(absl::StrFormat("%.*e", precision, number), format);
    case 'g':
      return Pad(absl::StrFormat("%.*g", precision, number), format);
  }
  if (format.precision.has_value()) {
    return Pad(absl::StrFormat("%.*g", precision, number), format);
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number);
  return Pad(std::string(buffer, end.ptr), format);
}

// The text for what stands in one pair of braces; the error says what is wrong with it.
absl::StatusOr<std::string> FormatField(absl::string_view field, const PathFields& fields) {
  const size_t colon = field.find(':');
  const absl::string_view name = field.substr(0, colon);
  const auto found = fields.find(name);
  if (found == fields.end()) {
    return InvalidArgument("there is no '", name, "'; expected one of ",
                           absl::StrJoin(fields, ", ", [](std::string* out, const auto& entry) {
                             absl::StrAppend(out, entry.first);
                           }));
  }
  const absl::string_view text =
      colon == absl::string_view::npos ? absl::string_view() : field.substr(colon + 1);
  const std::optional<NumberFormat> format = ParseFormat(text);
  std::optional<std::string> formatted;
  if (format.has_value()) formatted = FormatNumber(found->second, *format);
  if (!formatted.has_value()) {
    return InvalidArgument("'", text, "' is no format for ", name,
                           "; expected one like 02d or .2f");
  }
  return *std::move(formatted);
}

// With `text_of(what stands in a pair of braces)` instead of each pair.
template <typename TextOf>
absl::StatusOr<std::string> ReplaceFields(absl::string_view path, TextOf text_of) {
  const auto error = [&](absl::string_view reason) {
    return InvalidArgument("cannot fill in the path \"", path, "\": ", reason);
  };
  std::string result;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const bool doubled = i + 1 < path.size() && path[i + 1] == c;
    if (c != '{' && c != '}') {
      result += c;
    } else if (doubled) {
      result += c;
      ++i;
    } else if (c == '}') {
      return error("a '}' without its '{'");
    } else {
      const size_t end = path.find('}', i);
      if (end == absl::string_view::npos) return error("a '{' without its '}'");
      const absl::StatusOr<std::string> field = text_of(path.substr(i + 1, end - i - 1));
      if (!field.ok()) return error(field.status().message());
      result += *field;
      i = end;
    }
  }
  return result;
}

}  // namespace

absl::StatusOr<std::string> FormatCheckpointPath(absl::string_view path, const PathFields& fields) {
  return ReplaceFields(path, [&](absl::string_view field) { return FormatField(field, fields); });
}

absl::Status CheckCheckpointPath(absl::string_view path) {
  // Each name is there, with a number that any format takes.
  const auto as_of_a_number = [](absl::string_view field) -> absl::StatusOr<std::string> {
    const std::string name(field.substr(0, field.find(':')));
    const absl::StatusOr<std::string> whole = FormatField(field, {{name, int64_t{1}}});
    return whole.ok() ? whole : FormatField(field, {{name, 1.0}});
  };
  return ReplaceFields(path, as_of_a_number).status();
}

absl::string_view FolderOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

}  // namespace seqgraph
