#include "data/synthetic_reviews.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "data/synthetic_random.h"
#include "data/synthetic_words.h"

namespace seqgraph::data {
namespace {

using internal::Random;
using internal::Side;
using internal::ZipfTable;

// How hard the task is. Shares are in percent.
constexpr uint64_t kWrongLabels = 4;        // Reviews whose label is not their opinion.
constexpr uint64_t kOpinionSentences = 40;  // Before the end; the others tell the plot.
constexpr uint64_t kOwnSide = 75;           // Of these, the ones that agree with the review.
constexpr uint64_t kNegated = 25;           // Opinions said by negation.
constexpr uint64_t kConcession = 20;        // Opinions with a "but".
constexpr uint64_t kClosing = 70;           // Reviews that sum up in a last sentence.
constexpr int kMinWords = 20;
constexpr int kMaxWords = 250;
constexpr int kLongestSentence = 20;  // Words; what must be left before the last sentence.

absl::string_view DrawWord(char slot, Side side, Random* random) {
  static const auto* const tables = [] {
    auto* tables = new std::map<char, ZipfTable>;
    for (char slot : absl::string_view("AMNVJDGBLK")) {
      tables->emplace(slot, ZipfTable(internal::SlotWords(slot, internal::kFor).size(), 4));
    }
    return tables;
  }();
  return internal::SlotWords(slot, side)[tables->at(slot).Draw(random)];
}

std::string DrawName(Random* random) {
  static const ZipfTable table(static_cast<size_t>(internal::kNames), 8);
  return internal::Name(static_cast<int64_t>(table.Draw(random)));
}

bool StartsWithVowel(absl::string_view word) {
  return absl::string_view("aeiouAEIOU").find(word[0]) != absl::string_view::npos;
}

// Collects sentences.
class Writer {
 public:
  explicit Writer(Random* random) : random_(random) {}

  void Sentence(absl::Span<const absl::string_view> patterns, Side side) {
    const absl::string_view pattern = patterns[random_->Below(patterns.size())];
    if (!text_.empty()) text_ += random_->Percent(6) ? "<br /><br />" : " ";
    const size_t start = text_.size();
    internal::FillPattern(pattern, text_, [&](char slot) { Fill(slot, side); });
    text_[start] = absl::ascii_toupper(static_cast<unsigned char>(text_[start]));
    if (random_->Percent(4) && text_.back() == '.') text_.back() = '!';
    words_ = CountWords();
  }

  int words() const { return words_; }
  std::string Take() { return std::move(text_); }

 private:
  void Fill(char slot, Side side) {
    std::string word = slot == 'I' ? DrawName(random_) : std::string(DrawWord(slot, side, random_));
    if (StartsWithVowel(word) && EndsWithArticle()) text_.insert(text_.size() - 1, 1, 'n');
    if ((slot == 'G' || slot == 'L') && random_->Percent(3)) absl::AsciiStrToUpper(&word);
    text_ += word;
  }

  bool EndsWithArticle() const {
    const size_t n = text_.size();
    return n >= 2 && text_[n - 1] == ' ' && absl::ascii_tolower(text_[n - 2]) == 'a' &&
           (n == 2 || text_[n - 3] == ' ' || text_[n - 3] == '>' || text_[n - 3] == '(');
  }

  int CountWords() const {
    int count = 0;
    bool inside = false;
    for (char c : text_) {
      const bool letter = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '\'';
      count += letter && !inside;
      inside = letter;
    }
    return count;
  }

  Random* const random_;
  std::string text_;
  int words_ = 0;
};

void WriteOpinion(Side side, Random* random, Writer* writer) {
  const uint64_t kind = random->Below(100);
  if (kind < kNegated) {
    writer->Sentence(internal::NegatedPatterns(), side);
  } else if (kind < kNegated + kConcession) {
    writer->Sentence(internal::ConcessionPatterns(), side);
  } else {
    writer->Sentence(internal::PlainPatterns(), side);
  }
}

Side Opposite(Side side) { return side == internal::kFor ? internal::kAgainst : internal::kFor; }

}  // namespace

std::string SyntheticReviewText(uint64_t seed, Split split, int label, int64_t index) {
  Random random = Random::Of(seed, {static_cast<uint64_t>(split), static_cast<uint64_t>(label),
                                    static_cast<uint64_t>(index)});
  Side side = label == 1 ? internal::kFor : internal::kAgainst;
  if (random.Percent(kWrongLabels)) side = Opposite(side);

  // Two draws make middling lengths the common ones.
  const int spread = (kMaxWords - kMinWords) / 2;
  const int wanted = kMinWords + static_cast<int>(random.Below(static_cast<uint64_t>(spread)) +
                                                  random.Below(static_cast<uint64_t>(spread)));
  Writer writer(&random);
  while (writer.words() + 2 * kLongestSentence < wanted) {
    if (!random.Percent(kOpinionSentences)) {
      writer.Sentence(internal::PlotPatterns(), side);
    } else {
      WriteOpinion(random.Percent(kOwnSide) ? side : Opposite(side), &random, &writer);
    }
  }
  WriteOpinion(side, &random, &writer);
  if (random.Percent(kClosing)) writer.Sentence(internal::ClosingPatterns(), side);
  while (writer.words() < kMinWords) WriteOpinion(side, &random, &writer);
  return writer.Take();
}

absl::Status ForEachSyntheticReview(const SyntheticOptions& options, std::optional<Split> only,
                                    TextSink sink) {
  if (options.train_reviews < 0 || options.test_reviews < 0) {
    return InvalidArgument("synthetic reviews: sizes must not be negative, got ",
                           options.train_reviews, " and ", options.test_reviews);
  }
  for (Split split : {Split::kTrain, Split::kTest}) {
    if (only.has_value() && *only != split) continue;
    const int64_t total = split == Split::kTrain ? options.train_reviews : options.test_reviews;
    for (int label : {1, 0}) {
      const int64_t count = (total + label) / 2;
      for (int64_t index = 0; index < count; ++index) {
        const std::string name = absl::StrFormat("%06d.txt", index);
        const std::string text = SyntheticReviewText(options.seed, split, label, index);
        SEQ_RETURN_IF_ERROR(sink(LabelledText{split, label, name, text}));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
