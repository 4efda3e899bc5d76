#include "tools/drawing/markup.h"

#include <unicode/utf8.h>

#include <cstdint>

namespace seqgraph::tools {
namespace {

// XML 1.0, section 2.2, without what is only discouraged there; and the property Bidi_Control.
bool MayStandInMarkup(UChar32 c) {
  if (c < 0x20) return c == '\t' || c == '\n';
  if (c >= 0x7F && c <= 0x9F) return false;
  if (c == 0x061C || c == 0x200E || c == 0x200F) return false;
  if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)) return false;
  const bool noncharacter = (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
  return !noncharacter;
}

const char* ReferenceTo(UChar32 c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return nullptr;
  }
}

}  // namespace

std::string EscapeMarkup(absl::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    UChar32 c = 0;
    U8_NEXT(text.data(), i, text.size(), c);  // negative where there is no character
    if (c < 0 || !MayStandInMarkup(c)) {
      escaped += "\xEF\xBF\xBD";
    } else if (const char* reference = ReferenceTo(c); reference != nullptr) {
      escaped += reference;
    } else {
      escaped.append(text.data() + begin, i - begin);
    }
  }
  return escaped;
}

}  // namespace seqgraph::tools
