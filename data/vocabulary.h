#pragma once

// Which words a model knows, and the integers it sees for a text:
//
//   0 pads, 1 starts a text, 2 is any word it does not know, 3 is never used, rank + 3 is the word
//   of that rank (from 1, by frequency); only codes below num_words exist.
//
//   Vocabulary vocabulary = *Vocabulary::FromWords({"the", "and"}, 500);
//   vocabulary.Encode("And the END", 6);   // 0 0 1 5 4 2

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/token_rule.h"
#include "data/word_table.h"

namespace seqgraph::data {

inline constexpr int32_t kPadCode = 0;
inline constexpr int32_t kStartCode = 1;
inline constexpr int32_t kOovCode = 2;      ///< Out of vocabulary.
inline constexpr int32_t kIndexFrom = 3;    ///< The code of rank r is r + 3.
inline constexpr int32_t kMinNumWords = 4;  ///< Codes 0 to 3 only: knows no word.

/// How words that occur equally often are ranked.
enum class TieOrder {
  /// The order of the published word index where two words alone share a count and the index's own
  /// order is known for them (published_ties.h), byte order otherwise.
  kPublished,
  kByteOrder,
};

struct WordCount {
  absl::string_view word;
  int64_t count = 0;
};

/// Immutable after construction, so safe to use from any number of threads.
class Vocabulary {
 public:
  /// Knows no word; num_words() is kMinNumWords.
  Vocabulary() = default;

  /// The num_words - 4 most frequent of `counts` (fewer if there are fewer), most frequent first.
  /// Words with a count of 0 are left out. InvalidArgument for num_words < kMinNumWords.
  static absl::StatusOr<Vocabulary> FromCounts(absl::Span<const WordCount> counts, int num_words,
                                               TieOrder ties, TokenRule rule = TokenRule::kImdb);

  /// From words in rank order, as words() gives them. InvalidArgument for num_words < kMinNumWords,
  /// more than num_words - 4 words, a word twice, or one that the rule could never give (empty, an
  /// ASCII capital, a separator).
  static absl::StatusOr<Vocabulary> FromWords(absl::Span<const std::string> words, int num_words,
                                              TokenRule rule = TokenRule::kImdb);

  /// How a text becomes the words that it knows.
  TokenRule rule() const { return rule_; }

  /// Codes lie in [0, num_words()).
  int num_words() const { return num_words_; }

  /// How many words it knows, at most num_words() - 4.
  int size() const { return table_.size(); }

  /// The known words in rank order. They are bytes, not necessarily valid UTF-8.
  std::vector<std::string> words() const;

  /// The code of a word as the rule gives it; kOovCode if it is not known.
  int32_t Code(absl::string_view word) const;

  /// The word of a code; "<pad>", "<start>", "<oov>" for 0, 1, 2, and "<unused>" for a code that no
  /// word has. Holds as long as the vocabulary.
  absl::string_view Word(int32_t code) const;

  /// The last `maxlen` codes of: kStartCode, then the code of each word of `text`; padded in front
  /// with kPadCode. A text without words gives a lone kStartCode. `maxlen` <= 0 gives none.
  std::vector<int32_t> Encode(absl::string_view text, int maxlen) const;

  /// The same into `row`, whose length is the maxlen. `scratch` is reused from call to call, so
  /// that nothing is allocated once it has grown.
  void EncodeInto(absl::string_view text, std::string* scratch, absl::Span<int32_t> row) const;

 private:
  int32_t CodeOf(absl::string_view word, uint64_t key) const {
    const int32_t id = table_.Find(word, key);
    return id < 0 ? kOovCode : id + 1 + kIndexFrom;
  }

  TokenRule rule_ = TokenRule::kImdb;
  int num_words_ = kMinNumWords;
  WordTable table_;  // Ids are ranks - 1.
};

}  // namespace seqgraph::data
