#include "data/tokenizer.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace seqgraph::data::internal {
namespace {

#if defined(__SSE2__)
// All ones in each byte of [low, high].
inline __m128i InRange(__m128i bytes, char low, char high) {
  const __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(low));  // Wraps around below `low`.
  const __m128i width = _mm_set1_epi8(static_cast<char>(high - low));
  return _mm_cmpeq_epi8(_mm_min_epu8(above, width), above);
}

// Sixteen bytes: lowers them, and gives one bit each.
inline uint64_t Lower16(const char* text, char* lowered) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i to_lower = _mm_and_si128(InRange(bytes, 'A', 'Z'), _mm_set1_epi8('a' - 'A'));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lowered), _mm_add_epi8(bytes, to_lower));
  // The separators in the order of ASCII, in four runs and a pair.
  const __m128i apostrophe = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\''));
  const __m128i symbols =
      _mm_or_si128(_mm_or_si128(_mm_andnot_si128(apostrophe, InRange(bytes, ' ', '/')),
                                InRange(bytes, ':', '@')),
                   _mm_or_si128(InRange(bytes, '[', '`'), InRange(bytes, '{', '~')));
  const __m128i separators = _mm_or_si128(symbols, InRange(bytes, '\t', '\n'));
  return static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(separators)));
}
#endif

}  // namespace

uint64_t LowerBlockByBytes(const char* text, char* lowered) {
  uint64_t separators = 0;
  for (size_t i = 0; i < kLowerBlock; ++i) {
    const unsigned char c = kByteMap[static_cast<unsigned char>(text[i])];
    lowered[i] = static_cast<char>(c);
    separators |= uint64_t{c == ' '} << i;
  }
  return separators;
}

uint64_t LowerBlock(const char* text, char* lowered) {
#if defined(__SSE2__)
  uint64_t separators = 0;
  for (size_t i = 0; i < kLowerBlock; i += 16) separators |= Lower16(text + i, lowered + i) << i;
  return separators;
#else
  return LowerBlockByBytes(text, lowered);
#endif
}

}  // namespace seqgraph::data::internal
