#pragma once

// From reviews to the integers a model trains on: what keras.datasets.imdb.load_data,
// scikit-learn's train_test_split and Keras's pad_sequences give together, number for number, from
// the raw reviews. Anybody's own labelled texts (text_source.h) take the same way.
//
//   absl::StatusOr<Dataset> dataset = LoadDataset("aclImdb_v1.tar.gz", {});
//   dataset->train.rows;     // 20000
//   dataset->train.Row(0);   // the last 100 codes of the first review to train on

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/synthetic_reviews.h"
#include "data/text_source.h"
#include "data/vocabulary.h"

namespace seqgraph::data {

struct SplitIndices;  // data/numpy_random.h

/// The data set of that name is generated (synthetic_reviews.h); "./synthetic" is a file or folder.
inline constexpr absl::string_view kSyntheticName = "synthetic";

/// The longest row: no review within the limits of TextSourceOptions has many more words.
inline constexpr int kMaxMaxlen = 1 << 20;

/// The defaults are those of the tutorial.
struct DatasetOptions {
  int num_words = 500;  ///< Codes lie in [0, num_words); at least 4.
  int maxlen = 100;     ///< Codes a row; 1 to kMaxMaxlen.
  /// The share of the training split to validate on, in [0, 1); 0: all of it is to train on.
  double validation = 0.2;
  uint32_t shuffle_seed = 113;          ///< Of the order of the training split, before it is split.
  uint32_t split_seed = 42;             ///< Of the split into train and validation.
  bool stratify = false;                ///< Both parts of the split have of each class its share.
  TokenRule tokens = TokenRule::kImdb;  ///< How texts become words.
  TieOrder ties = TieOrder::kPublished;
  bool with_test = true;  ///< False leaves `test` empty and saves reading that split.
  /// Where the test split is, if not in the same place: all of it, or its own test split.
  std::string test_data;
  /// The names of class 0, 1, ...; empty: those of the training split, sorted (class_table.h).
  std::vector<std::string> labels;
  TextPolicy text_policy = TextPolicy::kRefuse;
  std::string suffix = TextSourceOptions().suffix;
  CsvLayout csv;
  Problems* skipped = nullptr;  ///< See TextSourceOptions.
  SyntheticOptions synthetic;   ///< For "synthetic" only.
  /// To read and encode with; 0: one for each processor, up to a few. Never changes the outcome.
  int threads = 0;
};

/// Encoded reviews, one a row.
struct TokenSet {
  int64_t rows = 0;
  int maxlen = 0;
  std::vector<int32_t> tokens;   ///< [rows, maxlen], row-major.
  std::vector<int32_t> targets;  ///< [rows], classes: 1 for pos and 0 for neg.
  std::vector<TextId> ids;       ///< [rows], where each row came from.
  std::vector<float> numbers;    ///< [rows, csv.number_columns].

  /// One row's codes. `row` must lie in [0, rows).
  absl::Span<const int32_t> Row(int64_t row) const {
    return absl::MakeConstSpan(tokens).subspan(static_cast<size_t>(row * maxlen),
                                               static_cast<size_t>(maxlen));
  }
};

struct Dataset {
  TokenSet train;
  TokenSet validation;
  TokenSet test;  ///< In file order; empty if the data have no test split.
  Vocabulary vocabulary;
  std::vector<std::string> labels;  ///< The names of class 0, 1, ...; "negative", "positive".
  std::string description;          ///< "synthetic", or the path.
  int64_t training_words = 0;       ///< Words in the training split, before anything is cut.
  int64_t distinct_words = 0;       ///< Different ones among them.
};

/// Reads `data` (what ForEachText() takes, or "synthetic") and prepares it by the published rule:
/// words ranked by their counts in the training split; that split put in file order, shuffled by
/// RandomState(shuffle_seed), encoded, split; the test split in file order, its words that no
/// training review has skipped (not coded 2). One thread decompresses, the others work on the words
/// (text_pipeline.h). Peak memory: about 6 bytes per byte of output, plus 4 bytes per word of the
/// test split; of the text no more than a few MB are held at a time.
///
/// InvalidArgument for options out of range, a training split of one class or too small to split, a
/// review of a class that is not among the labels; ResourceExhausted beyond 2^31 codes; otherwise
/// as ForEachText().
absl::StatusOr<Dataset> LoadDataset(const std::string& data, const DatasetOptions& options);

/// The rows of a training split in file order that train and validate, in the order of the rows of
/// Dataset::train and Dataset::validation: shuffled and split as `options` say. `targets` are their
/// classes. Errors as TrainTestSplit() and StratifiedSplit().
absl::StatusOr<SplitIndices> ShuffleAndSplit(absl::Span<const int32_t> targets,
                                             const DatasetOptions& options);

/// Encodes one split of `data` (all of what has no splits), in file order, with a vocabulary that
/// is already there (a model's own): any word it does not know is kOovCode. The other split may be
/// missing. Of `options` count labels and what says how texts are read,
/// but not the rule of tokens: that is the vocabulary's. Errors as LoadDataset().
absl::StatusOr<TokenSet> EncodeTexts(const std::string& data, Split split,
                                     const Vocabulary& vocabulary, int maxlen,
                                     const DatasetOptions& options = {});

}  // namespace seqgraph::data
