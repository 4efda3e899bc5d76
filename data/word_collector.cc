#include "data/word_collector.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "data/token_rule.h"

namespace seqgraph::data {
namespace {

absl::Status TooManyWords() {
  return ResourceExhausted(
      "more different words than can be numbered; --tokens=characters or bytes has fewer");
}

}  // namespace

WordCollector::WordCollector(int workers, int maxlen, TokenRule rule)
    : maxlen_(static_cast<size_t>(maxlen)), rule_(rule), workers_(static_cast<size_t>(workers)) {}

absl::Status WordCollector::Add(int worker, const TextBatch& batch) {
  auto words = std::make_unique<BatchWords>();
  words->worker = worker;
  words->words.reserve(batch.bytes() / 5);  // About what English takes.
  for (size_t i = 0; i < batch.size(); ++i) {
    SEQ_RETURN_IF_ERROR(AddReview(batch[i], workers_[static_cast<size_t>(worker)], *words));
  }
  const size_t number = static_cast<size_t>(batch.number());
  const std::lock_guard<std::mutex> lock(mutex_);
  if (batches_.size() <= number) batches_.resize(number + 1);
  batches_[number] = std::move(words);
  return absl::OkStatus();
}

absl::Status WordCollector::AddReview(const LabelledText& review, Worker& worker,
                                      BatchWords& batch) const {
  std::vector<int32_t>& words = batch.words;
  const size_t begin = words.size();
  bool full = false;
  ForEachToken(rule_, review.text, &worker.scratch, [&](absl::string_view word, uint64_t key) {
    const int32_t id = worker.table.FindOrAdd(word, key);
    full |= id < 0;
    words.push_back(id);
  });
  if (full) return TooManyWords();
  if (review.split == Split::kTrain) {
    worker.counts.resize(static_cast<size_t>(worker.table.size()), 0);
    for (size_t i = begin; i < words.size(); ++i) ++worker.counts[static_cast<size_t>(words[i])];
    // Each of these words has a code, so no more than the last maxlen can matter. (Words of the
    // test split may turn out to be skipped, so there all are kept.)
    if (words.size() - begin > maxlen_) {
      const auto first = words.begin() + static_cast<ptrdiff_t>(begin);
      words.erase(first, words.end() - static_cast<ptrdiff_t>(maxlen_));
    }
  }
  batch.ids.push_back({review.split, review.label, std::string(review.name)});
  batch.ends.push_back(words.size());
  batch.numbers.insert(batch.numbers.end(), review.numbers.begin(), review.numbers.end());
  return absl::OkStatus();
}

absl::Status WordCollector::Merge() {
  // The first worker's table takes the words of the others.
  WordTable& all = workers_[0].table;
  std::vector<int64_t> counts = std::move(workers_[0].counts);
  merged_ids_.resize(workers_.size());
  for (int32_t id = 0; id < all.size(); ++id) merged_ids_[0].push_back(id);
  for (size_t w = 1; w < workers_.size(); ++w) {
    Worker& worker = workers_[w];
    worker.counts.resize(static_cast<size_t>(worker.table.size()), 0);
    merged_ids_[w].reserve(worker.counts.size());
    for (int32_t id = 0; id < worker.table.size(); ++id) {
      const int32_t merged = all.FindOrAdd(worker.table.Word(id), worker.table.Key(id));
      if (merged < 0) return TooManyWords();
      merged_ids_[w].push_back(merged);
      if (counts.size() <= static_cast<size_t>(merged)) counts.resize(all.size(), 0);
      counts[static_cast<size_t>(merged)] += worker.counts[static_cast<size_t>(id)];
    }
    worker = Worker();
  }
  counts.resize(static_cast<size_t>(all.size()), 0);
  counts_.reserve(counts.size());
  for (size_t id = 0; id < counts.size(); ++id) {
    counts_.push_back({all.Word(static_cast<int32_t>(id)), counts[id]});
  }
  for (const auto& batch : batches_) {
    const size_t columns = batch->numbers.size() / std::max<size_t>(batch->ids.size(), 1);
    for (size_t i = 0; i < batch->ids.size(); ++i) {
      CollectedSplit& split = batch->ids[i].split == Split::kTrain ? train_ : test_;
      split.ids.push_back(batch->ids[i]);
      split.words.push_back(absl::MakeConstSpan(batch->words)
                                .subspan(batch->ends[i], batch->ends[i + 1] - batch->ends[i]));
      split.workers.push_back(batch->worker);
      split.numbers.push_back(absl::MakeConstSpan(batch->numbers).subspan(i * columns, columns));
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
