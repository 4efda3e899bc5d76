#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// Ok for text one would want to learn from: well-formed UTF-8 (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF) without NUL and with at least one word by the rule of
/// tokenizer.h. Otherwise InvalidArgument saying what is wrong and at which byte (from 0).
/// The tokenizer itself needs none of this: it takes any bytes.
absl::Status CheckText(absl::string_view text);

}  // namespace seqgraph::data
