#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/token_rule.h"

namespace seqgraph::data {

/// Ok for text one would want to learn from: well-formed UTF-8 (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF) without NUL and with at least one token other than a space
/// by the rule. Otherwise InvalidArgument saying what is wrong and at which byte (from 0).
/// The tokenizers themselves need none of this: they take any bytes.
absl::Status CheckText(absl::string_view text, TokenRule rule = TokenRule::kImdb);

}  // namespace seqgraph::data
