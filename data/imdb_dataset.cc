#include "data/imdb_dataset.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/numpy_random.h"
#include "data/tokenizer.h"
#include "data/word_table.h"

namespace seqgraph::data {
namespace {

constexpr int64_t kMaxCodes = int64_t{1} << 31;

absl::Status CheckMaxlen(int maxlen) {
  if (maxlen >= 1 && maxlen <= kMaxMaxlen) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("maxlen must lie between 1 and ", kMaxMaxlen, ", got ", maxlen));
}

absl::Status CheckOptions(const DatasetOptions& options) {
  if (options.num_words < kMinNumWords) {
    return absl::InvalidArgumentError(absl::StrCat("num_words must be at least ", kMinNumWords,
                                                   " (codes 0 to 3 are no words), got ",
                                                   options.num_words));
  }
  if (!(options.validation > 0.0 && options.validation < 1.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("validation must lie between 0 and 1, exclusive; got ", options.validation));
  }
  return CheckMaxlen(options.maxlen);
}

absl::Status CheckSize(int64_t rows, int maxlen) {
  if (rows <= kMaxCodes / maxlen) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      rows, " reviews of ", maxlen, " codes are more than ", kMaxCodes, " codes; lower maxlen"));
}

absl::Status ForEachReviewOf(const std::string& data, std::optional<Half> only,
                             const DatasetOptions& options, ReviewSink sink) {
  if (data == kSyntheticName) return ForEachSyntheticReview(options.synthetic, only, sink);
  ReviewSourceOptions source;
  source.only = only;
  source.text_policy = options.text_policy;
  return ForEachReview(data, source, sink);
}

// Row numbers in file order.
std::vector<int64_t> FileOrder(const std::vector<ReviewId>& ids) {
  std::vector<int64_t> order(ids.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(), [&ids](int64_t a, int64_t b) { return ids[a] < ids[b]; });
  return order;
}

// The reviews of one half as word ids, one after the other.
struct WordIds {
  std::vector<ReviewId> reviews;
  std::vector<int64_t> ends = {0};  // Review i is ids [ends[i], ends[i + 1]).
  std::vector<int32_t> ids;

  absl::Span<const int32_t> Words(int64_t review) const {
    return absl::MakeConstSpan(ids).subspan(static_cast<size_t>(ends[review]),
                                            static_cast<size_t>(ends[review + 1] - ends[review]));
  }
};

// First pass: words become ids and are counted, texts are let go.
class WordCollector {
 public:
  explicit WordCollector(int maxlen) : maxlen_(static_cast<size_t>(maxlen)) {}

  absl::Status Add(const Review& review) {
    words_.clear();
    bool full = false;
    ForEachWord(review.text, &scratch_, [&](absl::string_view word, uint32_t hash) {
      const int32_t id = table_.FindOrAdd(word, hash);
      full |= id < 0;
      words_.push_back(id);
    });
    if (full) return absl::ResourceExhaustedError("more different words than can be numbered");
    counts_.resize(static_cast<size_t>(table_.size()), 0);
    size_t first = 0;
    if (review.half == Half::kTrain) {
      for (int32_t id : words_) ++counts_[id];
      // Each of these words has a code, so no more than the last maxlen can matter. (Words of the
      // test half may turn out to be skipped, so there all are kept.)
      if (words_.size() > maxlen_) first = words_.size() - maxlen_;
    }
    WordIds& half = review.half == Half::kTrain ? train_ : test_;
    half.reviews.push_back({review.half, review.label, std::string(review.name)});
    half.ids.insert(half.ids.end(), words_.begin() + static_cast<ptrdiff_t>(first), words_.end());
    half.ends.push_back(static_cast<int64_t>(half.ids.size()));
    return absl::OkStatus();
  }

  const WordIds& train() const { return train_; }
  const WordIds& test() const { return test_; }

  // All words with their counts in the training half, by id. Holds as long as this.
  std::vector<WordCount> Counts() const {
    std::vector<WordCount> counts(counts_.size());
    for (size_t id = 0; id < counts.size(); ++id) {
      counts[id] = {table_.Word(static_cast<int32_t>(id)), counts_[id]};
    }
    return counts;
  }

 private:
  const size_t maxlen_;
  WordTable table_;
  std::vector<int64_t> counts_;
  WordIds train_;
  WordIds test_;
  std::string scratch_;
  std::vector<int32_t> words_;
};

constexpr int32_t kSkipped = -1;

// The last codes of: start, the words' codes (without skipped ones); padded in front.
void EncodeWords(absl::Span<const int32_t> words, const std::vector<int32_t>& code_of_id,
                 absl::Span<int32_t> row) {
  size_t left = row.size();
  for (size_t i = words.size(); i-- > 0 && left > 0;) {
    const int32_t code = code_of_id[words[i]];
    if (code != kSkipped) row[--left] = code;
  }
  if (left > 0) row[--left] = kStartCode;
  std::fill(row.begin(), row.begin() + static_cast<ptrdiff_t>(left), kPadCode);
}

TokenSet EncodeRows(const WordIds& half, absl::Span<const int64_t> order,
                    const std::vector<int32_t>& code_of_id, int maxlen) {
  TokenSet set;
  set.rows = static_cast<int64_t>(order.size());
  set.maxlen = maxlen;
  const size_t length = static_cast<size_t>(maxlen);
  set.tokens.resize(order.size() * length);
  for (size_t row = 0; row < order.size(); ++row) {
    const ReviewId& id = half.reviews[order[row]];
    EncodeWords(half.Words(order[row]), code_of_id,
                absl::MakeSpan(set.tokens).subspan(row * length, length));
    set.targets.push_back(id.label);
    set.ids.push_back(id);
  }
  return set;
}

// A classifier needs both labels; half of an unpacked archive is a likely mistake.
absl::Status CheckTrainingHalf(const std::string& data, const std::vector<ReviewId>& reviews) {
  for (int label : {1, 0}) {
    if (std::none_of(reviews.begin(), reviews.end(),
                     [label](const ReviewId& id) { return id.label == label; })) {
      return absl::InvalidArgumentError(absl::StrCat("'", data, "' has no reviews in train/",
                                                     label == 1 ? "pos" : "neg",
                                                     ": training needs reviews of both kinds"));
    }
  }
  return absl::OkStatus();
}

std::vector<int64_t> Select(const std::vector<int64_t>& order, const std::vector<int64_t>& rows) {
  std::vector<int64_t> selected(rows.size());
  std::transform(rows.begin(), rows.end(), selected.begin(),
                 [&order](int64_t row) { return order[row]; });
  return selected;
}

}  // namespace

absl::StatusOr<Dataset> LoadDataset(const std::string& data, const DatasetOptions& options) {
  absl::Status status = CheckOptions(options);
  if (!status.ok()) return status;
  WordCollector collector(options.maxlen);
  const std::optional<Half> only =
      options.with_test ? std::nullopt : std::make_optional(Half::kTrain);
  status = ForEachReviewOf(data, only, options,
                           [&collector](const Review& review) { return collector.Add(review); });
  if (!status.ok()) return status;
  const WordIds& train = collector.train();
  const WordIds& test = collector.test();
  status = CheckTrainingHalf(data, train.reviews);
  if (!status.ok()) return status;
  status =
      CheckSize(static_cast<int64_t>(train.reviews.size() + test.reviews.size()), options.maxlen);
  if (!status.ok()) return status;
  absl::StatusOr<SplitIndices> split = TrainTestSplit(static_cast<int64_t>(train.reviews.size()),
                                                      options.validation, options.split_seed);
  if (!split.ok()) return split.status();

  const std::vector<WordCount> counts = collector.Counts();
  absl::StatusOr<Vocabulary> vocabulary =
      Vocabulary::FromCounts(counts, options.num_words, options.ties);
  if (!vocabulary.ok()) return vocabulary.status();
  Dataset dataset;
  dataset.description = data;
  std::vector<int32_t> code_of_id(counts.size());
  for (size_t id = 0; id < counts.size(); ++id) {
    const WordCount& word = counts[id];
    code_of_id[id] = word.count > 0 ? vocabulary->Code(word.word) : kSkipped;
    dataset.training_words += word.count;
    dataset.distinct_words += word.count > 0;
  }
  // The published order came from one generator that shuffled the training half, then the test
  // half; as the test half stays in file order here, its shuffle need not be drawn.
  std::vector<int64_t> order = FileOrder(train.reviews);
  RandomState(options.shuffle_seed).Shuffle(absl::MakeSpan(order));
  dataset.train = EncodeRows(train, Select(order, split->train), code_of_id, options.maxlen);
  dataset.validation = EncodeRows(train, Select(order, split->test), code_of_id, options.maxlen);
  dataset.test = EncodeRows(test, FileOrder(test.reviews), code_of_id, options.maxlen);
  dataset.vocabulary = *std::move(vocabulary);
  return dataset;
}

absl::StatusOr<TokenSet> EncodeReviews(const std::string& data, Half half,
                                       const Vocabulary& vocabulary, int maxlen,
                                       const DatasetOptions& options) {
  absl::Status status = CheckMaxlen(maxlen);
  if (!status.ok()) return status;
  const size_t length = static_cast<size_t>(maxlen);
  std::vector<ReviewId> ids;
  std::vector<int32_t> tokens;  // In the order of delivery.
  std::string scratch;
  status = ForEachReviewOf(data, half, options, [&](const Review& review) -> absl::Status {
    absl::Status size = CheckSize(static_cast<int64_t>(ids.size()) + 1, maxlen);
    if (!size.ok()) return size;
    ids.push_back({review.half, review.label, std::string(review.name)});
    tokens.resize(tokens.size() + length);
    vocabulary.EncodeInto(review.text, &scratch, absl::MakeSpan(tokens).last(length));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  TokenSet set;
  set.rows = static_cast<int64_t>(ids.size());
  set.maxlen = maxlen;
  set.tokens.reserve(tokens.size());
  for (int64_t review : FileOrder(ids)) {
    const auto row = tokens.begin() + static_cast<ptrdiff_t>(review * maxlen);
    set.tokens.insert(set.tokens.end(), row, row + maxlen);
    set.targets.push_back(ids[review].label);
    set.ids.push_back(ids[review]);
  }
  return set;
}

}  // namespace seqgraph::data
