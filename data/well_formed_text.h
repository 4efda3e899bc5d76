#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// `text` as UTF-8: bytes that are none become U+FFFD, one for each part that Unicode's replacement
/// of maximal subparts takes for one. For formats that refuse a whole file for one wrong byte.
std::string WellFormedText(absl::string_view text);

}  // namespace seqgraph::data
