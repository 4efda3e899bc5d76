#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::tools {

/// `text`, whatever its bytes, as it may stand in HTML, XML or SVG, between tags or in an attribute
/// within quotes of either kind: & < > " ' become references. What no document may hold, or what
/// would show other text than there is, becomes U+FFFD: bytes that are no UTF-8, control characters
/// but tab and line feed, U+FFFE and its like, and Unicode's bidirectional controls (U+061C,
/// U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). Not for names of tags and attributes,
/// scripts, styles or addresses.
std::string EscapeMarkup(absl::string_view text);

}  // namespace seqgraph::tools
