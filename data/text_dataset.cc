#include "data/text_dataset.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"
#include "data/numpy_random.h"
#include "data/stratified_split.h"
#include "data/text_pipeline.h"
#include "data/word_collector.h"

namespace seqgraph::data {
namespace {

constexpr int64_t kMaxCodes = int64_t{1} << 31;

absl::Status CheckMaxlen(int maxlen) {
  if (maxlen >= 1 && maxlen <= kMaxMaxlen) return absl::OkStatus();
  return InvalidArgument("maxlen must lie between 1 and ", kMaxMaxlen, ", got ", maxlen);
}

// Numbers stand in the columns of a table.
absl::Status CheckNumbers(const std::string& data, const DatasetOptions& options) {
  const std::vector<std::string>& columns = options.csv.number_columns;
  if (columns.empty() || (data != kSyntheticName && LayoutOf(data).by_line)) {
    return absl::OkStatus();
  }
  return InvalidArgument("--numeric_columns: '", data, "' is no table (.csv, .tsv, .jsonl), so it ",
                         "has no column ", columns[0]);
}

absl::Status CheckOptions(const DatasetOptions& options) {
  if (options.num_words < kMinNumWords) {
    return InvalidArgument("num_words must be at least ", kMinNumWords,
                           " (codes 0 to 3 are no words), got ", options.num_words);
  }
  if (!(options.validation >= 0.0 && options.validation < 1.0)) {
    return InvalidArgument("validation must lie between 0 (none) and 1, exclusive; got ",
                           options.validation);
  }
  return CheckMaxlen(options.maxlen);
}

absl::Status CheckSize(int64_t rows, int maxlen) {
  if (rows <= kMaxCodes / maxlen) return absl::OkStatus();
  return ResourceExhausted(rows, " reviews of ", maxlen, " codes are more than ", kMaxCodes,
                           " codes; lower maxlen");
}

// Whether rows of so many codes may be, and fit MemoryLimit() with what else there is of each.
// Which row is the first too many does not depend on how many have been read when it is asked.
absl::Status CheckRows(const std::string& source, int64_t rows, int maxlen) {
  SEQ_RETURN_IF_ERROR(CheckSize(std::min(rows, kMaxCodes / maxlen + 1), maxlen));
  const int64_t bytes = int64_t{maxlen} * static_cast<int64_t>(sizeof(int32_t)) +
                        2 * static_cast<int64_t>(sizeof(TextId) + sizeof(int32_t));
  const int64_t most = MemoryLimit() / bytes;
  if (rows <= most) return absl::OkStatus();
  return CheckMemory((most + 1) * bytes, absl::StrCat("'", source, "': more than ", most,
                                                      " reviews of ", maxlen, " codes"));
}

// Whether texts are checked while they are read. Otherwise several threads do it faster.
bool CheckedBySource(const std::string& source) {
  return source != kSyntheticName && LayoutOf(source).checks_texts;
}

TextSourceOptions SourceOptions(const std::string& source, const DatasetOptions& options,
                                std::optional<Split> only) {
  return {.only = only,
          .text_policy = CheckedBySource(source) ? options.text_policy : TextPolicy::kAnyBytes,
          .tokens = options.tokens,
          .suffix = options.suffix,
          .csv = options.csv,
          .skipped = options.skipped};
}

absl::Status ReadSynthetic(const SyntheticOptions& options, std::optional<Split> only,
                           TextSink sink, ClassTable& classes) {
  for (absl::string_view label : {kNegative, kPositive}) {
    SEQ_RETURN_IF_ERROR(classes.Number(label, kSyntheticName, "").status());
  }
  return ForEachSyntheticReview(options, only, sink);
}

// Calls `work` for each batch of the reviews of `data`, once it is known that they may be taken.
// Without `only` both splits, the test split from options.test_data if there is one.
absl::Status ForEachBatchOf(const std::string& data, std::optional<Split> only,
                            const DatasetOptions& options, ClassTable& classes, BatchWork work) {
  const bool two_sources = !only.has_value() && !options.test_data.empty();
  const auto read_from = [&](const std::string& source, std::optional<Split> split,
                             TextSink sink) -> absl::Status {
    if (source == kSyntheticName) return ReadSynthetic(options.synthetic, split, sink, classes);
    return ForEachText(source, SourceOptions(source, options, split), sink, &classes);
  };
  const auto read = [&](TextSink sink) -> absl::Status {
    if (!two_sources) return read_from(data, only, sink);
    const absl::Status train = read_from(data, Split::kTrain, sink);
    return train.ok() ? read_from(options.test_data, Split::kTest, sink) : train;
  };
  // Those of synthetic texts need no check.
  const auto unchecked = [](const std::string& source) {
    return source != kSyntheticName && !CheckedBySource(source);
  };
  const bool checks_data = unchecked(data), checks_other = unchecked(options.test_data);
  const auto checked = [&](int worker, const TextBatch& batch) -> absl::Status {
    for (size_t i = 0; options.text_policy == TextPolicy::kRefuse && i < batch.size(); ++i) {
      const LabelledText review = batch[i];
      const bool other = two_sources && review.split == Split::kTest;
      if (!(other ? checks_other : checks_data)) continue;
      SEQ_RETURN_IF_ERROR(
          CheckLabelledText(other ? options.test_data : data, review, options.tokens));
    }
    return work(worker, batch);
  };
  return ForEachBatch({.threads = options.threads}, read, checked);
}

// What decides the order of most reviews, compared as numbers; the whole TextId decides the rest.
struct SortKey {
  uint64_t name = 0;  // Its first eight bytes as a big-endian number.
  int group = 0;      // By split and label.
  int64_t row = 0;

  SortKey(const TextId& id, int64_t row_number)
      : group((id.split == Split::kTest ? 2 * kMaxClasses : 0) - id.label), row(row_number) {
    for (size_t i = 0; i < 8; ++i) {
      name = name << 8 | (i < id.name.size() ? static_cast<unsigned char>(id.name[i]) : 0);
    }
  }
};

// Row numbers in file order, of reviews of one split in the order of delivery, which that of a
// file of lines is.
std::vector<int64_t> FileOrder(const std::string& source, const std::vector<TextId>& ids) {
  std::vector<int64_t> order(ids.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  if (source != kSyntheticName && LayoutOf(source).by_line) return order;
  std::vector<SortKey> keys;
  keys.reserve(ids.size());
  for (const TextId& id : ids) keys.emplace_back(id, static_cast<int64_t>(keys.size()));
  std::sort(keys.begin(), keys.end(), [&ids](const SortKey& a, const SortKey& b) {
    if (a.group != b.group) return a.group < b.group;
    if (a.name != b.name) return a.name < b.name;
    return ids[static_cast<size_t>(a.row)] < ids[static_cast<size_t>(b.row)];
  });
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
TokenSet EncodeRows(const CollectedSplit& split, absl::Span<const int64_t> order,
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
    EncodeWords(split.words[review], codes[static_cast<size_t>(split.workers[review])],
                absl::MakeSpan(set.tokens).subspan(row * length, length));
    set.targets.push_back(split.ids[review].label);
    set.ids.push_back(split.ids[review]);
    const absl::Span<const float> numbers = split.numbers[review];
    set.numbers.insert(set.numbers.end(), numbers.begin(), numbers.end());
  }
  return set;
}

// Half of an unpacked archive is a likely mistake. `seen`: the classes of the training split.
absl::Status CheckTrainingHalf(const std::string& data, const std::vector<std::string>& seen) {
  if (seen.size() >= 2) return absl::OkStatus();
  if (seen.empty()) {
    return InvalidArgument(
        "'", data, "' has no reviews to train on: expected some in train/pos, train/neg or other ",
        "folders of classes in train");
  }
  if (seen[0] == kNegative || seen[0] == kPositive) {
    return InvalidArgument("'", data, "' has no reviews in train/",
                           seen[0] == kNegative ? "pos" : "neg", ", all are ", seen[0],
                           ": training needs reviews of both kinds");
  }
  return InvalidArgument("'", data, "': all texts to train on are of one class, '", seen[0],
                         "': training needs two or more");
}

std::vector<std::string> ClassesOf(const std::vector<TextId>& ids, const ClassTable& classes) {
  std::vector<int> numbers(ids.size());
  std::transform(ids.begin(), ids.end(), numbers.begin(),
                 [](const TextId& id) { return id.label; });
  return classes.SortedNames(numbers);
}

// From numbers in the table to those of the data set.
void Relabel(const std::vector<int>& indices, std::vector<TextId>& ids) {
  for (TextId& id : ids) id.label = indices[static_cast<size_t>(id.label)];
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

absl::StatusOr<SplitIndices> ShuffleAndSplit(absl::Span<const int32_t> targets,
                                             const DatasetOptions& options) {
  // The published order came from one generator that shuffled the training split, then the test
  // split; as the test split stays in file order here, its shuffle need not be drawn.
  const std::vector<int64_t> order =
      RandomState(options.shuffle_seed).Permutation(static_cast<int64_t>(targets.size()));
  if (options.validation == 0) return SplitIndices{order, {}};
  absl::StatusOr<SplitIndices> split;
  if (options.stratify) {
    std::vector<int32_t> shuffled(targets.size());
    std::transform(order.begin(), order.end(), shuffled.begin(),
                   [&targets](int64_t row) { return targets[static_cast<size_t>(row)]; });
    split = StratifiedSplit(shuffled, options.validation, options.split_seed);
  } else {
    split = TrainTestSplit(static_cast<int64_t>(targets.size()), options.validation,
                           options.split_seed);
  }
  if (!split.ok()) return split.status();
  return SplitIndices{Select(order, split->train), Select(order, split->test)};
}

absl::StatusOr<Dataset> LoadDataset(const std::string& data, const DatasetOptions& options) {
  SEQ_RETURN_IF_ERROR(CheckOptions(options));
  SEQ_RETURN_IF_ERROR(CheckNumbers(data, options));
  if (!options.test_data.empty()) SEQ_RETURN_IF_ERROR(CheckNumbers(options.test_data, options));
  WordCollector collector(PipelineThreads({.threads = options.threads}), options.maxlen,
                          options.tokens);
  const std::optional<Split> only =
      options.with_test ? std::nullopt : std::make_optional(Split::kTrain);
  ClassTable classes;
  std::atomic<int64_t> rows{0};
  absl::Status status = ForEachBatchOf(data, only, options, classes,
                                       [&](int worker, const TextBatch& batch) -> absl::Status {
                                         rows += static_cast<int64_t>(batch.size());
                                         SEQ_RETURN_IF_ERROR(CheckRows(data, rows, options.maxlen));
                                         return collector.Add(worker, batch);
                                       });
  if (!status.ok()) return status;
  SEQ_RETURN_IF_ERROR(collector.Merge());
  CollectedSplit train = collector.TakeTrain();
  CollectedSplit test = collector.TakeTest();
  Dataset dataset;
  dataset.description = data;
  dataset.labels = ClassesOf(train.ids, classes);
  SEQ_RETURN_IF_ERROR(CheckTrainingHalf(data, dataset.labels));
  if (!options.labels.empty()) dataset.labels = options.labels;
  const std::string& test_data = options.test_data.empty() ? data : options.test_data;
  SEQ_ASSIGN_OR_RETURN(const std::vector<int> indices,
                       classes.IndicesIn(dataset.labels, test_data));
  Relabel(indices, train.ids);
  Relabel(indices, test.ids);
  SEQ_RETURN_IF_ERROR(
      CheckSize(static_cast<int64_t>(train.ids.size() + test.ids.size()), options.maxlen));
  const std::vector<int64_t> order = FileOrder(data, train.ids);
  std::vector<int32_t> targets(order.size());
  std::transform(order.begin(), order.end(), targets.begin(),
                 [&train](int64_t row) { return train.ids[static_cast<size_t>(row)].label; });
  SEQ_ASSIGN_OR_RETURN(const SplitIndices split, ShuffleAndSplit(targets, options));

  const std::vector<WordCount>& counts = collector.counts();
  SEQ_ASSIGN_OR_RETURN(dataset.vocabulary, Vocabulary::FromCounts(counts, options.num_words,
                                                                  options.ties, options.tokens));
  for (const WordCount& word : counts) {
    dataset.training_words += word.count;
    dataset.distinct_words += word.count > 0;
  }
  const std::vector<std::vector<int32_t>> codes = CodesOf(collector, dataset.vocabulary);
  dataset.train = EncodeRows(train, Select(order, split.train), codes, options.maxlen);
  dataset.validation = EncodeRows(train, Select(order, split.test), codes, options.maxlen);
  dataset.test = EncodeRows(test, FileOrder(test_data, test.ids), codes, options.maxlen);
  return dataset;
}

absl::StatusOr<TokenSet> EncodeTexts(const std::string& data, Split split,
                                     const Vocabulary& vocabulary, int maxlen,
                                     const DatasetOptions& given) {
  DatasetOptions options = given;
  options.tokens = vocabulary.rule();
  SEQ_RETURN_IF_ERROR(CheckMaxlen(maxlen));
  SEQ_RETURN_IF_ERROR(CheckNumbers(data, options));
  const size_t length = static_cast<size_t>(maxlen);
  struct BatchRows {
    std::vector<TextId> ids;
    std::vector<int32_t> tokens;
    std::vector<float> numbers;
  };
  std::mutex mutex;  // Guards batches and rows.
  std::vector<BatchRows> batches;
  int64_t rows = 0;
  std::vector<std::string> scratch(
      static_cast<size_t>(PipelineThreads({.threads = options.threads})));
  const auto encode = [&](int worker, const TextBatch& batch) -> absl::Status {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      rows += static_cast<int64_t>(batch.size());
      SEQ_RETURN_IF_ERROR(CheckRows(data, rows, maxlen));
    }
    BatchRows encoded;
    encoded.tokens.resize(batch.size() * length);
    for (size_t i = 0; i < batch.size(); ++i) {
      const LabelledText review = batch[i];
      encoded.ids.push_back({review.split, review.label, std::string(review.name)});
      vocabulary.EncodeInto(review.text, &scratch[static_cast<size_t>(worker)],
                            absl::MakeSpan(encoded.tokens).subspan(i * length, length));
      encoded.numbers.insert(encoded.numbers.end(), review.numbers.begin(), review.numbers.end());
    }
    const size_t number = static_cast<size_t>(batch.number());
    const std::lock_guard<std::mutex> lock(mutex);
    if (batches.size() <= number) batches.resize(number + 1);
    batches[number] = std::move(encoded);
    return absl::OkStatus();
  };
  ClassTable classes;
  SEQ_RETURN_IF_ERROR(ForEachBatchOf(data, split, options, classes, encode));

  std::vector<TextId> ids;
  std::vector<const int32_t*> codes;  // Of each review.
  std::vector<const float*> numbers;  // Likewise.
  const size_t columns = options.csv.number_columns.size();
  for (const BatchRows& batch : batches) {
    for (size_t i = 0; i < batch.ids.size(); ++i) {
      ids.push_back(batch.ids[i]);
      codes.push_back(batch.tokens.data() + i * length);
      numbers.push_back(batch.numbers.data() + i * columns);
    }
  }
  SEQ_ASSIGN_OR_RETURN(
      const std::vector<int> indices,
      classes.IndicesIn(options.labels.empty() ? ClassesOf(ids, classes) : options.labels, data));
  Relabel(indices, ids);
  TokenSet set;
  set.rows = rows;
  set.maxlen = maxlen;
  set.tokens.reserve(ids.size() * length);
  for (int64_t row : FileOrder(data, ids)) {
    const size_t review = static_cast<size_t>(row);
    set.tokens.insert(set.tokens.end(), codes[review], codes[review] + length);
    set.targets.push_back(ids[review].label);
    set.numbers.insert(set.numbers.end(), numbers[review], numbers[review] + columns);
    set.ids.push_back(std::move(ids[review]));
  }
  return set;
}

}  // namespace seqgraph::data
