#pragma once

// Labelled texts, called reviews, one at a time: from the Large Movie Review Dataset as it is
// published (aclImdb_v1.tar.gz, also gunzipped), or from anybody's own, in one of these layouts:
//
//   [root/]{train|test}/CLASS/NAME.txt   in a folder or a tar archive; the published one: its
//                                        classes are pos and neg
//   CLASS/NAME.txt                       in a folder
//   FILE.csv, FILE.tsv, also .gz         a record a review: data/csv.h
//   FILE.jsonl, also .gz                 a JSON object a review, a line each: data/text_rows.h
//
//   absl::Status status = ForEachText(path, {}, [&](const LabelledText& review) {
//     Use(review.text);
//     return absl::OkStatus();
//   });

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/class_table.h"
#include "data/problems.h"
#include "data/token_rule.h"

namespace seqgraph::data {

/// The split of the data set a review belongs to.
enum class Split { kTrain, kTest };

/// "train" or "test".
absl::string_view SplitName(Split split);

/// Where a review lies. The order is the file order of the published integers: train/pos,
/// train/neg, test/pos, test/neg (with other classes: the last one first), and within each by the
/// bytes of the file names.
struct TextId {
  Split split = Split::kTrain;
  int label = 0;     ///< The number of its class: 1 for pos, 0 for neg.
  std::string name;  ///< The file's name, "576_10.txt"; in a file of records the line, "17".

  /// "train/pos/576_10.txt". For reviews of the published classes.
  std::string Path() const;

  friend bool operator==(const TextId& a, const TextId& b) {
    return a.split == b.split && a.label == b.label && a.name == b.name;
  }
  friend bool operator<(const TextId& a, const TextId& b) {
    return std::tie(a.split, b.label, a.name) < std::tie(b.split, a.label, b.name);  // pos first
  }
};

/// One review. The views hold during the callback only.
struct LabelledText {
  Split split = Split::kTrain;
  int label = 0;  ///< By a ClassTable.
  absl::string_view name;
  absl::string_view text;                ///< The file's bytes, or the field's, as they are.
  absl::string_view folder = {};         ///< In front of the name in messages: "train/pos/".
  absl::Span<const float> numbers = {};  ///< Of CsvLayout::number_columns.
};

/// What to do with a review that CheckText() refuses: invalid UTF-8, a NUL byte, no word.
enum class TextPolicy {
  kRefuse,    ///< End with its error, naming the review.
  kAnyBytes,  ///< Deliver it: the tokenizer takes any bytes.
};

/// What a file of records looks like. A column is a name in the first record, or a number from 1;
/// of a file of JSON objects the name of a member, and the rest does not count.
struct CsvLayout {
  std::string text_column = "text";
  std::string label_column = "label";
  /// Of finite numbers that belong to each text, in this order; tables of texts alone have them.
  std::vector<std::string> number_columns;
  /// The first record is no review: always so where a column is given by its name.
  bool header = false;
  char separator = 0;  ///< 0: a tab for .tsv, otherwise a comma.
  bool quotes = true;  ///< See CsvOptions.
};

struct TextSourceOptions {
  /// Deliver one split only; the other is not read. A source without splits belongs to the split
  /// that is asked for, or to the training split.
  std::optional<Split> only;
  TextPolicy text_policy = TextPolicy::kRefuse;
  TokenRule tokens = TokenRule::kImdb;        ///< By which a review is to have a word.
  int64_t max_text_bytes = int64_t{4} << 20;  ///< A longer review is an error.
  int64_t max_texts = 10'000'000;             ///< More reviews are an error.
  std::string suffix = ".txt";  ///< Of the files in folders that are reviews; empty: every file.
  CsvLayout csv;
  /// Of a file of records: those with problems are passed over, and the problems come here. Null:
  /// they are an error, which lists them.
  Problems* skipped = nullptr;
};

/// Takes one review; an error ends the reading and is returned.
using TextSink = absl::FunctionRef<absl::Status(const LabelledText&)>;

/// Ok for a review that TextPolicy::kRefuse takes; otherwise an error that names `path` and it.
absl::Status CheckLabelledText(const std::string& path, const LabelledText& review,
                               TokenRule tokens = TokenRule::kImdb);

/// One of the layouts above.
struct TextLayout {
  absl::string_view name;  ///< "folder", "records", "json", "archive"
  /// Whether what lies at `path` is in this layout; the first that takes it reads it.
  bool (*takes)(const std::string& path, bool is_folder);
  /// ForEachText() for it, without its checks.
  absl::Status (*read)(const std::string& path, const TextSourceOptions& options, TextSink sink,
                       ClassTable& classes);
  /// A review is a line of a file: its name is the line's number, and it keeps its place.
  bool by_line = false;
  /// It checks texts itself, so that all that is wrong is told at once.
  bool checks_texts = false;
};

/// The layout of what lies at `path`, or would by its name if nothing does.
const TextLayout& LayoutOf(const std::string& path);

/// Delivers each review under `path`: a folder's in file order (see TextId), those of an archive
/// and of a file of records in the order in which they lie in it, so a caller that needs file order
/// sorts those of an archive. Unlabelled reviews (unsup), hidden files and all other files are
/// passed over. Archives and files are read as a stream, no more than one review is in memory, and
/// gzip's check sums are verified to the last byte. Labels are numbers of `classes` (null: a table
/// of its own); of pos and neg 1 and 0.
///
/// Errors name `path` and what was expected: NotFound for a wrong path or a folder in another
/// layout, InvalidArgument for a file that is no tar archive, holds no review (of the split asked
/// for), holds one twice, or holds one that is refused, DataLoss for a damaged or cut off archive,
/// ResourceExhausted beyond the limits; for records also those of CsvReader and ClassTable, and
/// InvalidArgument for columns that are not there, and for records with problems: one list of them.
absl::Status ForEachText(const std::string& path, const TextSourceOptions& options, TextSink sink,
                         ClassTable* classes = nullptr);

}  // namespace seqgraph::data
