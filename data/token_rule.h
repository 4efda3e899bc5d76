#pragma once

// The rules by which a text becomes tokens, which a vocabulary numbers. That of the published
// integers (tokenizer.h) knows ASCII alone; the others take any language's texts (note 0027):
//
//   imdb        the published rule
//   words       words of letters, marks and digits of any script; each symbol such as an emoji
//   characters  Unicode characters, for languages without spaces between words
//   bytes       bytes, as they are
//
// `words` and `characters` see a text in Unicode's normalization form NFKC_Casefold: one form of
// what looks the same (full and half width, ligatures, letters with their accents in one character
// or two), without case (STRASSE and straße are one word) and without invisible characters.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "data/tokenizer.h"

namespace seqgraph::data {

enum class TokenRule { kImdb, kWords, kCharacters, kBytes };

/// "imdb", "words", "characters", "bytes": what a model file calls the rule.
absl::string_view TokenRuleName(TokenRule rule);
/// Nothing for another name.
std::optional<TokenRule> TokenRuleOfName(absl::string_view name);
/// All of them.
std::vector<std::string> TokenRuleNames();
/// Whether a space stands between two tokens of a text: between words, not between characters.
inline bool TokensStandApart(TokenRule rule) {
  return rule == TokenRule::kImdb || rule == TokenRule::kWords;
}

namespace internal {

/// ForEachToken() for all rules but the published one.
void ForEachUnicodeToken(TokenRule rule, absl::string_view text, std::string* scratch,
                         absl::FunctionRef<void(absl::string_view)> sink);

}  // namespace internal

/// Calls `sink(absl::string_view token, uint64_t key)` for each token of `text`, in order, with its
/// WordKey(). The view points into `text` or `*scratch` and holds until the next call that uses the
/// same scratch.
///
/// words: the longest runs of letters, marks and numbers (Unicode's general categories L, M, N); an
/// apostrophe between two of them belongs to the word, ’ as '; a symbol of category So is a word of
/// its own; all else separates words. characters: each character; a run of white space and control
/// characters is one space. Bytes that are no UTF-8 are passed over by both (in words they
/// separate).
template <typename Sink>
void ForEachToken(TokenRule rule, absl::string_view text, std::string* scratch, Sink&& sink) {
  if (rule == TokenRule::kImdb) return ForEachWord(text, scratch, sink);
  internal::ForEachUnicodeToken(rule, text, scratch,
                                [&sink](absl::string_view token) { sink(token, WordKey(token)); });
}

/// Whether the rule finds anything to learn from in `text`: a token other than a space.
bool HasToken(TokenRule rule, absl::string_view text);

/// Whether the rule can give that token.
bool IsToken(TokenRule rule, absl::string_view token);

}  // namespace seqgraph::data
