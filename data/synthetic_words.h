#pragma once

// The words and sentence patterns of the made-up reviews.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph::data::internal {

/// The opinion of a sentence: the index of its words and patterns.
enum Side { kAgainst = 0, kFor = 1 };

/// A pattern is a sentence with slots in braces, each filled with a word of a kind:
///   {A} an aspect of a film     {M} a word for film        {N} a thing, in a story
///   {V} what somebody did       {J} an adjective without opinion
///   {I} an invented name        {D} an adverb of degree
///   {G} an adjective of the sentence's side, {B} one of the other side
///   {L} what the writer did, of the sentence's side ("loved"), {K} of the other side
absl::Span<const absl::string_view> PlotPatterns();        ///< No opinion.
absl::Span<const absl::string_view> PlainPatterns();       ///< Opinion in {G}, {L}.
absl::Span<const absl::string_view> NegatedPatterns();     ///< Opinion in a negated {B}, {K}.
absl::Span<const absl::string_view> ConcessionPatterns();  ///< {B} granted first, {G} counts.
absl::Span<const absl::string_view> ClosingPatterns();     ///< A last word, in {G}, {L}.

/// The words for a slot, most frequent first; empty for {I}. `side` matters for {G}, {B}, {L}, {K}.
absl::Span<const absl::string_view> SlotWords(char slot, Side side);

/// How many names there are.
inline constexpr int64_t kNames = 6000;

/// Name number `index` in [0, kNames), capitalised; all differ.
std::string Name(int64_t index);

}  // namespace seqgraph::data::internal
