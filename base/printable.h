#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// `text` as it may stand in a line that a terminal shows or a table holds: what would break the
/// line, be obeyed by a terminal or turn the direction of writing becomes a space: ASCII's control
/// characters but for those in `kept`, U+0080 to U+009F, line and paragraph separators, and
/// embeddings, overrides and isolates of direction (U+202A to U+202E, U+2066 to U+2069).
std::string Printable(absl::string_view text, absl::string_view kept = "");

}  // namespace seqgraph
