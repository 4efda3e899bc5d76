#include "data/imdb_dataset.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/numpy_random.h"
#include "data/review_pipeline.h"
#include "data/word_collector.h"

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

// Calls `work` for each batch of the reviews of `data`, once it is known that they may be taken.
absl::Status ForEachBatchOf(const std::string& data, std::optional<Half> only,
                            const DatasetOptions& options, BatchWork work) {
  const auto read = [&](ReviewSink sink) {
    if (data == kSyntheticName) return ForEachSyntheticReview(options.synthetic, only, sink);
    // Not checked there: several threads do it faster.
    return ForEachReview(data, {.only = only, .text_policy = TextPolicy::kAnyBytes}, sink);
  };
  const bool check = data != kSyntheticName && options.text_policy == TextPolicy::kRefuse;
  const auto checked = [&](int worker, const ReviewBatch& batch) {
    for (size_t i = 0; check && i < batch.size(); ++i) {
      absl::Status status = CheckReview(data, batch[i]);
      if (!status.ok()) return status;
    }
    return work(worker, batch);
  };
  return ForEachBatch({.threads = options.threads}, read, checked);
}

// What decides the order of most reviews, compared as numbers; the whole ReviewId decides the rest.
struct SortKey {
  uint64_t name = 0;  // Its first eight bytes as a big-endian number.
  int group = 0;      // By half and label.
  int64_t row = 0;

  SortKey(const ReviewId& id, int64_t row_number)
      : group((id.half == Half::kTest ? 2 : 0) + (id.label == 1 ? 0 : 1)), row(row_number) {
    for (size_t i = 0; i < 8; ++i) {
      name = name << 8 | (i < id.name.size() ? static_cast<unsigned char>(id.name[i]) : 0);
    }
  }
};

// Row numbers in file order.
std::vector<int64_t> FileOrder(const std::vector<ReviewId>& ids) {
  std::vector<SortKey> keys;
  keys.reserve(ids.size());
  for (const ReviewId& id : ids) keys.emplace_back(id, static_cast<int64_t>(keys.size()));
  std::sort(keys.begin(), keys.end(), [&ids](const SortKey& a, const SortKey& b) {
    if (a.group != b.group) return a.group < b.group;
    if (a.name != b.name) return a.name < b.name;
    return ids[static_cast<size_t>(a.row)] < ids[static_cast<size_t>(b.row)];
  });
  std::vector<int64_t> order(ids.size());
  std::transform(keys.begin(), keys.end(), order.begin(), [](const SortKey& k) { return k.row; });
  return order;
}

constexpr int32_t kSkipped = -1;

// The last codes of: start, the words' codes (without skipped ones); padded in front.
void EncodeWords(absl::Span<const int32_t> words, const std::vector<int32_t>& codes,
                 absl::Span<int32_t> row) {
  size_t left = row.size();
  for (size_t i = words.size(); i-- > 0 && left > 0;) {
    const int32_t code = codes[static_cast<size_t>(words[i])];
    if (code != kSkipped) row[--left] = code;
  }
  if (left > 0) row[--left] = kStartCode;
  std::fill(row.begin(), row.begin() + static_cast<ptrdiff_t>(left), kPadCode);
}

// `codes`: for each worker the code of each of its words.
TokenSet EncodeRows(const CollectedHalf& half, absl::Span<const int64_t> order,
                    const std::vector<std::vector<int32_t>>& codes, int maxlen) {
  TokenSet set;
  set.rows = static_cast<int64_t>(order.size());
  set.maxlen = maxlen;
  const size_t length = static_cast<size_t>(maxlen);
  set.tokens.resize(order.size() * length);
  set.targets.reserve(order.size());
  set.ids.reserve(order.size());
  for (size_t row = 0; row < order.size(); ++row) {
    const size_t review = static_cast<size_t>(order[row]);
    EncodeWords(half.words[review], codes[static_cast<size_t>(half.workers[review])],
                absl::MakeSpan(set.tokens).subspan(row * length, length));
    set.targets.push_back(half.ids[review].label);
    set.ids.push_back(half.ids[review]);
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

// For each worker the code of each of its words.
std::vector<std::vector<int32_t>> CodesOf(const WordCollector& collector,
                                          const Vocabulary& vocabulary) {
  const std::vector<WordCount>& counts = collector.counts();
  std::vector<int32_t> merged(counts.size());
  std::transform(counts.begin(), counts.end(), merged.begin(), [&vocabulary](const WordCount& w) {
    return w.count > 0 ? vocabulary.Code(w.word) : kSkipped;
  });
  std::vector<std::vector<int32_t>> codes = collector.merged_ids();
  for (std::vector<int32_t>& of_worker : codes) {
    for (int32_t& id : of_worker) id = merged[static_cast<size_t>(id)];
  }
  return codes;
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
  WordCollector collector(PipelineThreads({.threads = options.threads}), options.maxlen);
  const std::optional<Half> only =
      options.with_test ? std::nullopt : std::make_optional(Half::kTrain);
  status = ForEachBatchOf(data, only, options, [&](int worker, const ReviewBatch& batch) {
    return collector.Add(worker, batch);
  });
  if (!status.ok()) return status;
  status = collector.Merge();
  if (!status.ok()) return status;
  const CollectedHalf train = collector.TakeTrain();
  const CollectedHalf test = collector.TakeTest();
  status = CheckTrainingHalf(data, train.ids);
  if (!status.ok()) return status;
  status = CheckSize(static_cast<int64_t>(train.ids.size() + test.ids.size()), options.maxlen);
  if (!status.ok()) return status;
  absl::StatusOr<SplitIndices> split = TrainTestSplit(static_cast<int64_t>(train.ids.size()),
                                                      options.validation, options.split_seed);
  if (!split.ok()) return split.status();

  const std::vector<WordCount>& counts = collector.counts();
  absl::StatusOr<Vocabulary> vocabulary =
      Vocabulary::FromCounts(counts, options.num_words, options.ties);
  if (!vocabulary.ok()) return vocabulary.status();
  Dataset dataset;
  dataset.description = data;
  for (const WordCount& word : counts) {
    dataset.training_words += word.count;
    dataset.distinct_words += word.count > 0;
  }
  const std::vector<std::vector<int32_t>> codes = CodesOf(collector, *vocabulary);
  // The published order came from one generator that shuffled the training half, then the test
  // half; as the test half stays in file order here, its shuffle need not be drawn.
  std::vector<int64_t> order = FileOrder(train.ids);
  RandomState(options.shuffle_seed).Shuffle(absl::MakeSpan(order));
  dataset.train = EncodeRows(train, Select(order, split->train), codes, options.maxlen);
  dataset.validation = EncodeRows(train, Select(order, split->test), codes, options.maxlen);
  dataset.test = EncodeRows(test, FileOrder(test.ids), codes, options.maxlen);
  dataset.vocabulary = *std::move(vocabulary);
  return dataset;
}

absl::StatusOr<TokenSet> EncodeReviews(const std::string& data, Half half,
                                       const Vocabulary& vocabulary, int maxlen,
                                       const DatasetOptions& options) {
  absl::Status status = CheckMaxlen(maxlen);
  if (!status.ok()) return status;
  const size_t length = static_cast<size_t>(maxlen);
  struct BatchRows {
    std::vector<ReviewId> ids;
    std::vector<int32_t> tokens;
  };
  std::mutex mutex;  // Guards batches and rows.
  std::vector<BatchRows> batches;
  int64_t rows = 0;
  std::vector<std::string> scratch(
      static_cast<size_t>(PipelineThreads({.threads = options.threads})));
  const auto encode = [&](int worker, const ReviewBatch& batch) -> absl::Status {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      rows += static_cast<int64_t>(batch.size());
      absl::Status size = CheckSize(std::min(rows, kMaxCodes / maxlen + 1), maxlen);
      if (!size.ok()) return size;
    }
    BatchRows encoded;
    encoded.tokens.resize(batch.size() * length);
    for (size_t i = 0; i < batch.size(); ++i) {
      const Review review = batch[i];
      encoded.ids.push_back({review.half, review.label, std::string(review.name)});
      vocabulary.EncodeInto(review.text, &scratch[static_cast<size_t>(worker)],
                            absl::MakeSpan(encoded.tokens).subspan(i * length, length));
    }
    const size_t number = static_cast<size_t>(batch.number());
    const std::lock_guard<std::mutex> lock(mutex);
    if (batches.size() <= number) batches.resize(number + 1);
    batches[number] = std::move(encoded);
    return absl::OkStatus();
  };
  status = ForEachBatchOf(data, half, options, encode);
  if (!status.ok()) return status;

  std::vector<ReviewId> ids;
  std::vector<const int32_t*> codes;  // Of each review.
  for (const BatchRows& batch : batches) {
    for (size_t i = 0; i < batch.ids.size(); ++i) {
      ids.push_back(batch.ids[i]);
      codes.push_back(batch.tokens.data() + i * length);
    }
  }
  TokenSet set;
  set.rows = rows;
  set.maxlen = maxlen;
  set.tokens.reserve(ids.size() * length);
  for (int64_t row : FileOrder(ids)) {
    const size_t review = static_cast<size_t>(row);
    set.tokens.insert(set.tokens.end(), codes[review], codes[review] + length);
    set.targets.push_back(ids[review].label);
    set.ids.push_back(std::move(ids[review]));
  }
  return set;
}

}  // namespace seqgraph::data
