#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/cached_dataset.h"
#include "data/problems.h"
#include "data/text_dataset.h"
#include "data/token_rule.h"
#include "graph/model.h"
#include "tools/flags.h"
#include "training/examples.h"
#include "training/named_examples.h"

namespace seqgraph::tools {

/// Whether what lies in a folder of labelled texts, at that path below it, is one of them: texts
/// lie in folders of classes and end in `suffix`.
bool IsTextBelow(const std::string& below, const std::string& suffix);

/// The rows of texts as a model takes them: tokens and targets, and what stands beside them. The
/// set must outlive it, and it the examples.
class TextExamples {
 public:
  TextExamples() = default;
  /// Errors name a row by `row_name`.
  TextExamples(const data::TokenSet& set, std::function<std::string(int64_t row)> row_name);
  Examples examples() const;

 private:
  Examples unnamed_;
  std::vector<NamedExamples> more_;
};

/// Where labelled texts come from and how they become integers.
struct DataFlags {
  std::string data = std::string(data::kSyntheticName);
  int64_t num_words = 500;
  int64_t maxlen = 100;
  bool any_bytes = false;
  std::string data_cache;  ///< Empty: DataCache::DefaultFolder().
  bool no_quotes = false;
  bool skip_bad_rows = false;
  mutable data::Problems skipped;  ///< Of a table of texts, by whom the last Options() went to.
  std::string tokens{data::TokenRuleName(data::TokenRule::kImdb)};
  std::string numeric_columns;  ///< As given: names with commas.
  std::string separator;        ///< As given: a character, "tab", or empty.
  std::string text_files = data::TextSourceOptions().suffix;
  data::DatasetOptions rest;  ///< What flags set as it is.
  std::optional<Flag> validation_flag;
  std::optional<Flag> text_column_flag, label_column_flag, tokens_flag, numeric_flag;
  mutable std::optional<bool> looks_like_series;  ///< What LooksLikeSeries() has found.
  std::vector<Flag> of_texts;                     ///< flags without a meaning for series

  /// --data (required if its default is empty), what its texts and labels look like, --any_bytes,
  /// --data_cache.
  void DeclareSource(Flags& flags);
  /// --text_column and what else says how a table is read, but not its labels; --skip_bad_rows.
  void DeclareTable(Flags& flags);
  /// --test_data.
  void DeclareTestData(Flags& flags);
  /// --tokens, --num_words, --maxlen, --validation, --stratify.
  void DeclareEncoding(Flags& flags);
  void DeclareStratify(Flags& flags);

  /// Whether a flag says that --data holds texts, whatever it looks like: its columns, or tokens.
  bool NamesTexts() const;
  /// Whether series of numbers lie at --data, by their look. Once the command line is parsed: what
  /// lies there is opened once.
  bool LooksLikeSeries() const;
  /// Of what is for texts alone, the first flag that is given; empty: none.
  std::string GivenOfTexts() const;
  /// Of what is for labelled texts alone, likewise.
  std::string GivenOfLabelledTexts() const;
  bool synthetic() const { return data == data::kSyntheticName; }
  data::DatasetOptions Options() const;
  /// The columns that a model was trained on, but those that flags name. InvalidArgument where
  /// these name other than as many numbers as it takes.
  absl::StatusOr<data::CsvLayout> ColumnsFor(const Model& model) const;
  /// Those of --data, for a model to keep; none of what is no table.
  void KeepColumns(TextPreprocessing& text) const;
  /// The set, made of --data, as examples, which must not outlive it nor this. Errors name a row by
  /// its line or file.
  TextExamples ExamplesOf(const data::TokenSet& set) const;
  /// "test": the test split (of data without splits: all); "train" or "validation": what training
  /// makes of the other split. Encoded by a model's own vocabulary.
  absl::StatusOr<data::TokenSet> EncodePart(const std::string& part,
                                            const data::Vocabulary& vocabulary,
                                            int64_t maxlen_of_rows,
                                            const std::vector<std::string>& labels,
                                            DataOrigin* origin) const;
  /// None for --data_cache=off, or where there is no folder for it.
  std::optional<DataCache> Cache() const;

 private:
  std::function<bool(const std::string&)> ReadsBelow() const;
};

/// One line where integers came from, empty if they are computed each time. Notes go to standard
/// error.
std::string OriginLine(const DataOrigin& origin);

/// --any_bytes: take reviews that are no UTF-8 text.
Flag DeclareAnyBytes(Flags& flags, bool* value);

}  // namespace seqgraph::tools
