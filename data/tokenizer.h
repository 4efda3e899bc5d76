#pragma once

// The rule by which the published IMDB integers were made, on raw bytes: A-Z become a-z (ASCII
// only, so a UTF-8 capital stays), each of !"#$%&()*+,-./:;<=>?@[\]^_`{|}~, tab and newline becomes
// a space, and the text is split on spaces. The apostrophe stays in its word, "<br />" leaves the
// word "br". Every other byte, NUL, carriage return and invalid UTF-8 included, is an ordinary
// letter of a word.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

// Text is lowered in blocks of so many bytes, one bit of a word each.
inline constexpr size_t kLowerBlock = 64;

/// Lowers A-Z of one block (separators become whatever), and says which bytes are separators: bit i
/// for byte i.
uint64_t LowerBlock(const char* text, char* lowered);

/// The same byte by byte, after kByteMap, for machines without vectors; also the tests' oracle.
uint64_t LowerBlockByBytes(const char* text, char* lowered);

inline uint64_t Load8(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Of a word of more than eight letters. The last eight overlap those before, so that nothing behind
// the word is read.
inline uint64_t LongWordKey(const char* letters, size_t size) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15u;
  uint64_t key = size * kOdd;
  for (size_t i = 0; i + 8 < size; i += 8) {
    key = (key ^ Load8(letters + i)) * kOdd;
    key ^= key >> 32;
  }
  key = (key ^ Load8(letters + size - 8)) * kOdd;
  return key ^ (key >> 32);
}

// The first `size` bytes of eight, the others zero.
inline uint64_t FirstBytes(uint64_t word, size_t size) {
  const unsigned unused = static_cast<unsigned>(64 - 8 * size);  // Below 64: size is at least 1.
  if constexpr (std::endian::native == std::endian::little) return (word << unused) >> unused;
  return (word >> unused) << unused;
}

// WordKey() where eight bytes can be read whatever the size.
inline uint64_t PaddedWordKey(const char* letters, size_t size) {
  return size <= 8 ? FirstBytes(Load8(letters), size) : LongWordKey(letters, size);
}

}  // namespace internal

/// What ForEachWord reports beside `word` (already lowered): for up to eight letters the letters
/// themselves, padded with zeros, so that such words are equal if key and size are; a hash for
/// longer ones. Not the same on every machine: nothing for a file.
inline uint64_t WordKey(absl::string_view word) {
  if (word.size() > 8) return internal::LongWordKey(word.data(), word.size());
  char padded[8] = {};
  std::copy(word.begin(), word.end(), padded);
  return internal::Load8(padded);
}

/// Calls `sink(absl::string_view word, uint64_t key)` for each word of `text`, in order, lowered,
/// with its WordKey(). The view points into `*scratch` and holds until the next call that uses the
/// same scratch. One pass, nothing allocated once `*scratch` is as long as the longest text.
template <typename Sink>
void ForEachWord(absl::string_view text, std::string* scratch, Sink&& sink) {
  using internal::kLowerBlock;
  // Up to seven bytes behind a word are read with it.
  const size_t needed = (text.size() / kLowerBlock + 1) * kLowerBlock + 8;
  if (scratch->size() < needed) scratch->resize(needed);
  char* const lowered = scratch->data();
  const auto emit = [&](size_t begin, size_t end) {
    sink(absl::string_view(lowered + begin, end - begin),
         internal::PaddedWordKey(lowered + begin, end - begin));
  };
  size_t open = 0;       // Where the word that runs into a block began,
  bool in_word = false;  // if there is one.
  for (size_t block = 0; block <= text.size(); block += kLowerBlock) {
    const size_t left = text.size() - block;
    uint64_t separators;
    if (left >= kLowerBlock) {
      separators = internal::LowerBlock(text.data() + block, lowered + block);
    } else {
      char last[kLowerBlock];  // Behind the text separators only, so that its last word ends.
      std::memset(last, ' ', sizeof(last));
      std::copy_n(text.data() + block, left, last);
      separators = internal::LowerBlock(last, lowered + block);
    }
    const uint64_t behind_separator = (separators << 1) | (in_word ? 0 : 1);
    uint64_t starts = ~separators & behind_separator;
    uint64_t ends = separators & ~behind_separator;
    if (in_word && ends != 0) {
      emit(open, block + static_cast<size_t>(std::countr_zero(ends)));
      ends &= ends - 1;
      in_word = false;
    }
    for (; ends != 0; ends &= ends - 1, starts &= starts - 1) {
      emit(block + static_cast<size_t>(std::countr_zero(starts)),
           block + static_cast<size_t>(std::countr_zero(ends)));
    }
    if (starts != 0) {
      open = block + static_cast<size_t>(std::countr_zero(starts));
      in_word = true;
    }
  }
}

}  // namespace seqgraph::data
