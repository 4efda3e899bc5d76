#ifndef SEQGRAPH_DATA_TOKENIZER_H_
#define SEQGRAPH_DATA_TOKENIZER_H_

// The rule by which the published IMDB integers were made, on raw bytes: A-Z become a-z (ASCII
// only, so a UTF-8 capital stays), each of !"#$%&()*+,-./:;<=>?@[\]^_`{|}~, tab and newline becomes
// a space, and the text is split on spaces. The apostrophe stays in its word, "<br />" leaves the
// word "br". Every other byte, NUL, carriage return and invalid UTF-8 included, is an ordinary
// letter of a word.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

namespace internal {

// What each byte becomes; a space ends a word.
constexpr std::array<unsigned char, 256> MakeByteMap() {
  std::array<unsigned char, 256> map{};
  for (int c = 0; c < 256; ++c) {
    map[c] = static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  for (char c :
       {'!', '"', '#', '$', '%', '&',  '(', ')', '*', '+', ',', '-', '.', '/', ':',  ';', '<',
        '=', '>', '?', '@', '[', '\\', ']', '^', '_', '`', '{', '|', '}', '~', '\t', '\n'}) {
    map[static_cast<unsigned char>(c)] = ' ';
  }
  return map;
}

inline constexpr std::array<unsigned char, 256> kByteMap = MakeByteMap();

// A multiplicative hash that costs one multiplication a byte, so it can be computed while lowering.
inline constexpr uint64_t kHashStart = 0xcbf29ce484222325u;
inline constexpr uint64_t HashByte(uint64_t hash, unsigned char byte) {
  return (hash ^ byte) * 0x9e3779b97f4a7c15u;
}
inline constexpr uint32_t FinishHash(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace internal

/// The hash that ForEachWord reports for `word` (already lowered).
inline uint32_t HashWord(absl::string_view word) {
  uint64_t hash = internal::kHashStart;
  for (char c : word) hash = internal::HashByte(hash, static_cast<unsigned char>(c));
  return internal::FinishHash(hash);
}

/// Calls `sink(absl::string_view word, uint32_t hash)` for each word of `text`, in order, lowered.
/// The view points into `*scratch` and holds until the next call that uses the same scratch. One
/// pass, nothing allocated once `*scratch` is as long as the longest text.
template <typename Sink>
void ForEachWord(absl::string_view text, std::string* scratch, Sink&& sink) {
  if (scratch->size() < text.size()) scratch->resize(text.size());
  char* const begin = scratch->data();
  char* start = begin;
  char* out = begin;
  uint64_t hash = internal::kHashStart;
  for (char c : text) {
    const unsigned char lowered = internal::kByteMap[static_cast<unsigned char>(c)];
    if (lowered != ' ') {
      *out++ = static_cast<char>(lowered);
      hash = internal::HashByte(hash, lowered);
    } else if (out != start) {
      sink(absl::string_view(start, static_cast<size_t>(out - start)), internal::FinishHash(hash));
      start = out;
      hash = internal::kHashStart;
    }
  }
  if (out != start) {
    sink(absl::string_view(start, static_cast<size_t>(out - start)), internal::FinishHash(hash));
  }
}

}  // namespace seqgraph::data

#endif  // SEQGRAPH_DATA_TOKENIZER_H_
