#pragma once

// The first pass over a data set: words become numbers and are counted, texts are let go.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/text_pipeline.h"
#include "data/text_source.h"
#include "data/token_rule.h"
#include "data/vocabulary.h"
#include "data/word_table.h"

namespace seqgraph::data {

/// The reviews of one split, in the order of delivery. The views hold as long as the collector.
struct CollectedSplit {
  std::vector<TextId> ids;
  std::vector<absl::Span<const int32_t>> words;  ///< Of each review: what its worker calls them.
  std::vector<int> workers;                      ///< Of each review: who numbered them.
  std::vector<absl::Span<const float>> numbers;  ///< Of each review: LabelledText::numbers.
};

/// Each worker numbers words by a table of its own, so that workers share nothing while they work;
/// Merge() brings the numbers together. What comes out depends on the batches alone, not on who
/// worked on which: only the numbers themselves do, and they are no part of any result.
class WordCollector {
 public:
  /// Of a review of the training split only the last `maxlen` words are kept, of the test split
  /// all.
  WordCollector(int workers, int maxlen, TokenRule rule = TokenRule::kImdb);

  /// To be called once for each batch, on any thread, for one worker by one thread at a time.
  absl::Status Add(int worker, const TextBatch& batch);

  /// After the last batch.
  absl::Status Merge();

  // Valid after Merge():

  CollectedSplit TakeTrain() { return std::move(train_); }
  CollectedSplit TakeTest() { return std::move(test_); }
  /// All words with their counts in the training split, in no particular order; count 0 for a word
  /// of the test split alone.
  const std::vector<WordCount>& counts() const { return counts_; }
  /// For each worker the index in counts() of each of its numbers.
  const std::vector<std::vector<int32_t>>& merged_ids() const { return merged_ids_; }

 private:
  struct Worker {
    WordTable table;
    std::vector<int64_t> counts;  // In the training split, by number.
    std::string scratch;
  };
  struct BatchWords {
    int worker = 0;
    std::vector<TextId> ids;
    std::vector<size_t> ends = {0};  // LabelledText i is words [ends[i], ends[i + 1]).
    std::vector<int32_t> words;
    std::vector<float> numbers;  // As many of each review.
  };

  absl::Status AddReview(const LabelledText& review, Worker& worker, BatchWords& batch) const;

  const size_t maxlen_;
  const TokenRule rule_;
  std::vector<Worker> workers_;
  std::mutex mutex_;                                        // Guards batches_.
  std::vector<std::unique_ptr<const BatchWords>> batches_;  // By number.
  CollectedSplit train_;
  CollectedSplit test_;
  std::vector<WordCount> counts_;
  std::vector<std::vector<int32_t>> merged_ids_;
};

}  // namespace seqgraph::data
