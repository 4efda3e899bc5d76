#pragma once

// A long text as one row of tokens: what a model of the next token learns from.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/text_source.h"
#include "data/token_rule.h"
#include "data/vocabulary.h"

namespace seqgraph::data {

/// The bytes of a file of text, gunzipped where it is gzip. Errors name the path: InvalidArgument
/// for what CheckText() refuses (with TextPolicy::kAnyBytes nothing); ResourceExhausted beyond
/// 256 MB; otherwise as CompressedFile.
absl::StatusOr<std::string> ReadPlainText(const std::string& path, TextPolicy policy,
                                          TokenRule rule);

/// The most frequent tokens of a text, at most num_words - kMinNumWords; num_words() of what is
/// made is no larger than they need. InvalidArgument for num_words < kMinNumWords.
absl::StatusOr<Vocabulary> VocabularyOfText(absl::string_view text, int num_words, TokenRule rule);

/// The code of each token of the text, in order: nothing is put in front, and nothing is cut.
std::vector<int32_t> CodesOfText(absl::string_view text, const Vocabulary& vocabulary);

}  // namespace seqgraph::data
