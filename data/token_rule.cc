#include "data/token_rule.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

constexpr absl::string_view kNames[] = {"imdb", "words", "characters", "bytes"};
constexpr absl::string_view kCurlyApostrophe = "\xE2\x80\x99";
constexpr UChar32 kReplacement = 0xFFFD;  // What stands for bytes that are no character.
constexpr size_t kMaxFolded = size_t{1} << 30;

// The form NFKC_Casefold, into `*folded`; what any part of it becomes is that part.
void Fold(absl::string_view text, std::string* folded) {
  folded->clear();
  if (std::all_of(text.begin(), text.end(), absl::ascii_isascii)) {
    std::transform(text.begin(), text.end(), std::back_inserter(*folded), absl::ascii_tolower);
    return;
  }
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const normalizer = icu::Normalizer2::getNFKCCasefoldInstance(error);
  SEQ_CHECK(U_SUCCESS(error));  // Its tables are part of the library.
  icu::StringByteSink<std::string> sink(folded);
  normalizer->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())),
                            sink, nullptr, error);
  SEQ_CHECK(U_SUCCESS(error));
}

// Calls `take(character, begin, end)` for each character; the character is negative, or
// kReplacement, for bytes that are none.
template <typename Take>
void ForEachCharacter(absl::string_view text, Take take) {
  const int32_t size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    const int32_t begin = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    take(c, static_cast<size_t>(begin), static_cast<size_t>(i));
  }
}

using TokenSink = absl::FunctionRef<void(absl::string_view)>;

void ForEachUnicodeWord(absl::string_view text, TokenSink sink) {
  constexpr size_t kNone = absl::string_view::npos;
  size_t begin = kNone;  // Of the word that is open,
  size_t end = 0;        // and behind its last letter: an apostrophe may follow.
  const auto close = [&] {
    if (begin != kNone) sink(text.substr(begin, end - begin));
    begin = kNone;
  };
  ForEachCharacter(text, [&](UChar32 c, size_t at, size_t behind) {
    const uint32_t category = c < 0 || c == kReplacement ? 0 : U_GET_GC_MASK(c);
    const bool starts = (category & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
    const bool goes_on = starts || (category & U_GC_M_MASK) != 0;
    if (goes_on && begin != kNone) {
      end = behind;
    } else if (starts) {
      begin = at;
      end = behind;
    } else if (c != '\'' || begin == kNone || at != end) {  // A second apostrophe ends it too.
      close();
      if ((category & U_GC_SO_MASK) != 0) sink(text.substr(at, behind - at));
    }
  });
  close();
}

void ForEachCharacterToken(absl::string_view text, TokenSink sink) {
  bool behind_space = false;
  ForEachCharacter(text, [&](UChar32 c, size_t at, size_t behind) {
    if (c < 0 || c == kReplacement) return;
    const bool is_space = u_isUWhiteSpace(c) || u_charType(c) == U_CONTROL_CHAR;
    if (!is_space) sink(text.substr(at, behind - at));
    if (is_space && !behind_space) sink(" ");
    behind_space = is_space;
  });
}

}  // namespace

absl::string_view TokenRuleName(TokenRule rule) { return kNames[static_cast<int>(rule)]; }

std::optional<TokenRule> TokenRuleOfName(absl::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<TokenRule>(found - std::begin(kNames));
}

std::vector<std::string> TokenRuleNames() { return {std::begin(kNames), std::end(kNames)}; }

namespace internal {

void ForEachUnicodeToken(TokenRule rule, absl::string_view text, std::string* scratch,
                         TokenSink sink) {
  if (rule == TokenRule::kBytes) {
    for (size_t i = 0; i < text.size(); ++i) sink(text.substr(i, 1));
    return;
  }
  Fold(text.substr(0, kMaxFolded), scratch);
  if (rule == TokenRule::kCharacters) return ForEachCharacterToken(*scratch, sink);
  if (absl::StrContains(*scratch, kCurlyApostrophe)) {
    absl::StrReplaceAll({{kCurlyApostrophe, "'"}}, scratch);
  }
  ForEachUnicodeWord(*scratch, sink);
}

}  // namespace internal

bool HasToken(TokenRule rule, absl::string_view text) {
  std::string scratch;
  bool has = false;
  ForEachToken(rule, text, &scratch,
               [&has](absl::string_view token, uint64_t) { has |= token != " "; });
  return has;
}

bool IsToken(TokenRule rule, absl::string_view token) {
  std::string scratch;
  int count = 0;
  bool same = false;
  ForEachToken(rule, token, &scratch, [&](absl::string_view given, uint64_t) {
    ++count;
    same = given == token;
  });
  return count == 1 && same;
}

}  // namespace seqgraph::data
