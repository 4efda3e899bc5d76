#include "data/vocabulary.h"

#include <algorithm>
#include <functional>

#include "absl/strings/escaping.h"
#include "base/status_macros.h"
#include "data/published_ties.h"

namespace seqgraph::data {
namespace {

absl::Status CheckNumWords(int num_words) {
  if (num_words >= kMinNumWords) return absl::OkStatus();
  return InvalidArgument("Vocabulary: num_words must be at least ", kMinNumWords,
                         " (codes 0 to 3), got ", num_words);
}

bool MoreFrequent(const WordCount& a, const WordCount& b) {
  return a.count != b.count ? a.count > b.count : a.word < b.word;
}

// Puts the published order where exactly two words share a count. A rule for larger groups of
// equals would contradict itself as soon as byte order and published order disagree around a third
// word.
void ApplyPublishedTies(std::vector<WordCount>* ranked) {
  for (size_t begin = 0, end; begin < ranked->size(); begin = end) {
    end = begin + 1;
    while (end < ranked->size() && (*ranked)[end].count == (*ranked)[begin].count) ++end;
    if (end - begin != 2) continue;
    WordCount& first = (*ranked)[begin];
    WordCount& second = (*ranked)[begin + 1];
    if (IsPublishedBefore(second.word, first.word)) std::swap(first, second);
  }
}

}  // namespace

absl::StatusOr<Vocabulary> Vocabulary::FromCounts(absl::Span<const WordCount> counts, int num_words,
                                                  TieOrder ties, TokenRule rule) {
  SEQ_RETURN_IF_ERROR(CheckNumWords(num_words));
  const size_t wanted = static_cast<size_t>(num_words - kMinNumWords);
  std::vector<WordCount> ranked;
  std::copy_if(counts.begin(), counts.end(), std::back_inserter(ranked),
               [](const WordCount& w) { return w.count > 0; });
  if (wanted == 0) ranked.clear();
  if (ranked.size() > wanted && wanted > 0) {
    // Only words at least as frequent as the last one wanted need sorting; all of its equals do,
    // for the order among them decides who is in.
    std::vector<int64_t> sorted(ranked.size());
    std::transform(ranked.begin(), ranked.end(), sorted.begin(),
                   [](const WordCount& w) { return w.count; });
    std::nth_element(sorted.begin(), sorted.begin() + (wanted - 1), sorted.end(), std::greater<>());
    const int64_t least = sorted[wanted - 1];
    std::erase_if(ranked, [least](const WordCount& w) { return w.count < least; });
  }
  std::sort(ranked.begin(), ranked.end(), MoreFrequent);
  if (ties == TieOrder::kPublished) ApplyPublishedTies(&ranked);
  ranked.resize(std::min(ranked.size(), wanted));

  std::vector<std::string> words;
  words.reserve(ranked.size());
  for (const WordCount& w : ranked) words.emplace_back(w.word);
  return FromWords(words, num_words, rule);
}

absl::StatusOr<Vocabulary> Vocabulary::FromWords(absl::Span<const std::string> words, int num_words,
                                                 TokenRule rule) {
  SEQ_RETURN_IF_ERROR(CheckNumWords(num_words));
  if (words.size() > static_cast<size_t>(num_words - kMinNumWords)) {
    return InvalidArgument("Vocabulary: num_words ", num_words, " leaves room for ",
                           num_words - kMinNumWords, " words, got ", words.size());
  }
  Vocabulary vocabulary;
  vocabulary.rule_ = rule;
  vocabulary.num_words_ = num_words;
  for (const std::string& word : words) {
    if (!IsToken(rule, word)) {
      return InvalidArgument(
          "Vocabulary: word ", vocabulary.size() + 1, ", \"", absl::CHexEscape(word),
          "\", is none: ",
          rule == TokenRule::kImdb
              ? std::string("expected a non-empty word without ASCII capitals and separators")
              : absl::StrCat("the rule '", TokenRuleName(rule), "' never gives it"));
    }
    const int32_t expected = vocabulary.size();
    const int32_t id = vocabulary.table_.FindOrAdd(word, WordKey(word));
    if (id != expected) {
      return InvalidArgument("Vocabulary: word ", expected + 1, ", \"", absl::CHexEscape(word),
                             "\", is there twice");
    }
  }
  return vocabulary;
}

std::vector<std::string> Vocabulary::words() const {
  std::vector<std::string> words;
  words.reserve(static_cast<size_t>(size()));
  for (int32_t id = 0; id < size(); ++id) words.emplace_back(table_.Word(id));
  return words;
}

int32_t Vocabulary::Code(absl::string_view word) const { return CodeOf(word, WordKey(word)); }

absl::string_view Vocabulary::Word(int32_t code) const {
  if (code == kPadCode) return "<pad>";
  if (code == kStartCode) return "<start>";
  if (code == kOovCode) return "<oov>";
  if (code <= kIndexFrom || code - kIndexFrom > size()) return "<unused>";
  return table_.Word(code - kIndexFrom - 1);
}

std::vector<int32_t> Vocabulary::Encode(absl::string_view text, int maxlen) const {
  std::vector<int32_t> row(maxlen > 0 ? static_cast<size_t>(maxlen) : 0);
  std::string scratch;
  EncodeInto(text, &scratch, absl::MakeSpan(row));
  return row;
}

void Vocabulary::EncodeInto(absl::string_view text, std::string* scratch,
                            absl::Span<int32_t> row) const {
  if (row.empty()) return;
  // A ring that always holds the last row.size() codes; `next` is where the oldest one is
  // overwritten.
  std::fill(row.begin(), row.end(), kPadCode);
  size_t next = 0;
  const auto push = [&](int32_t code) {
    row[next] = code;
    if (++next == row.size()) next = 0;
  };
  push(kStartCode);
  ForEachToken(rule_, text, scratch,
               [&](absl::string_view word, uint64_t key) { push(CodeOf(word, key)); });
  std::rotate(row.begin(), row.begin() + static_cast<ptrdiff_t>(next), row.end());
}

}  // namespace seqgraph::data
