#include "data/text_check.h"

#include <cstdint>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "data/token_rule.h"

namespace seqgraph::data {
namespace {

// The length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none. The
// ranges are those of table 3-7 of the Unicode standard.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [text](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&byte](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
  if (first < 0xE0) return 2;
  if (first < 0xF0) {
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    return continues(2) ? 3 : 0;
  }
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return continues(2) && continues(3) ? 4 : 0;
}

// Eight bytes that are all ASCII and none of them NUL.
bool IsPlainBlock(const char* bytes) {
  uint64_t block;
  std::memcpy(&block, bytes, sizeof(block));
  constexpr uint64_t kHighBits = 0x8080808080808080u;
  constexpr uint64_t kOnes = 0x0101010101010101u;
  // Without high bits, block - kOnes borrows into a high bit exactly when some byte is NUL.
  return ((block | (block - kOnes)) & kHighBits) == 0;
}

// As HasToken(), but it reads no further than to the first one.
bool HasWord(absl::string_view text) {
  for (char c : text) {
    if (internal::kByteMap[static_cast<unsigned char>(c)] != ' ') return true;
  }
  return false;
}

}  // namespace

absl::Status CheckText(absl::string_view text, TokenRule rule) {
  size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8 && IsPlainBlock(text.data() + i)) {
      i += 8;
      continue;
    }
    if (text[i] == '\0') {
      return InvalidArgument("expected UTF-8 text, found a NUL byte at offset ", i,
                             "; is it UTF-16 or binary?");
    }
    const size_t length = SequenceLength(text.substr(i));
    if (length == 0) {
      return InvalidArgument(
          absl::StrFormat("expected UTF-8 text, found an ill-formed sequence (byte 0x%02x) at "
                          "offset %d; `iconv -f LATIN1 "
                          "-t UTF-8` converts it, --any_bytes takes it as it is",
                          static_cast<unsigned char>(text[i]), i));
    }
    i += length;
  }
  if (!(rule == TokenRule::kImdb ? HasWord(text) : HasToken(rule, text))) {
    return InvalidArgument("expected at least one word, found none in ", text.size(), " bytes");
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
