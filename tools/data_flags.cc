#include "tools/data_flags.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "data/numpy_random.h"
#include "data/series/series_set.h"
#include "tools/encoded_texts.h"
#include "training/preprocessing.h"
#include "training/text_models.h"

namespace seqgraph::tools {
namespace {

data::TokenSet SelectRows(const data::TokenSet& set, const std::vector<int64_t>& rows) {
  data::TokenSet selected;
  selected.rows = static_cast<int64_t>(rows.size());
  selected.maxlen = set.maxlen;
  for (int64_t row : rows) {
    const absl::Span<const int32_t> tokens = set.Row(row);
    selected.tokens.insert(selected.tokens.end(), tokens.begin(), tokens.end());
    selected.targets.push_back(set.targets[static_cast<size_t>(row)]);
    selected.ids.push_back(set.ids[static_cast<size_t>(row)]);
    const auto columns = static_cast<int64_t>(set.numbers.size()) / std::max<int64_t>(set.rows, 1);
    const auto first = set.numbers.begin() + row * columns;
    selected.numbers.insert(selected.numbers.end(), first, first + columns);
  }
  return selected;
}

// Of what `encode` wrote. There are no words left that another vocabulary could number.
absl::StatusOr<data::TokenSet> EncodedPart(const std::string& folder, const std::string& part,
                                           const data::Vocabulary& vocabulary, int64_t maxlen,
                                           const std::vector<std::string>& labels) {
  SEQ_ASSIGN_OR_RETURN(EncodedTexts texts, ReadEncodedTexts(folder));
  data::Dataset& dataset = texts.dataset;
  const data::Vocabulary& words = dataset.vocabulary;
  if (words.words() != vocabulary.words() || words.num_words() != vocabulary.num_words() ||
      words.rule() != vocabulary.rule() || texts.preprocessing.maxlen != maxlen) {
    return InvalidArgument(folder, ": its texts were encoded by other words, or to other lengths, ",
                           "than those of the model; give the texts");
  }
  if (dataset.labels != labels) {
    return InvalidArgument(folder, ": its classes are ", absl::StrJoin(dataset.labels, ", "),
                           ", those of the model ", absl::StrJoin(labels, ", "));
  }
  data::TokenSet& set = part == "test"    ? dataset.test
                        : part == "train" ? dataset.train
                                          : dataset.validation;
  if (set.rows == 0) return InvalidArgument(folder, ": it has no rows of the part ", part);
  return std::move(set);
}

}  // namespace

Flag DeclareAnyBytes(Flags& flags, bool* value) {
  return flags.Switch("--any_bytes", value,
                      "Take, not refuse, reviews with invalid UTF-8, NUL or no words");
}

void DataFlags::DeclareSource(Flags& flags) {
  Flag source = flags.InputPath(
      "--data", &data,
      "aclImdb_v1.tar.gz as published, its unpacked folder, or 'synthetic'; or texts of\n"
      "your own: FILE.csv, .tsv or .jsonl (also .gz) with columns of texts and labels, a\n"
      "folder with a folder a class, or one (also as .tar.gz) with those in train and test,\n"
      "or what encode wrote; or\n"
      "series of numbers: .npz, .npy, .csv, .tsv, .jsonl (also .gz), or a folder of these;\n"
      "for the next token of a text any file of text (also .gz)",
      std::string(data::kSyntheticName), ReadsBelow());
  if (data.empty()) source.Required();
  DeclareTable(flags);
  label_column_flag = flags.Text("--label_column", &rest.csv.label_column, "NAME|N",
                                 "As --text_column, for the labels");
  of_texts.push_back(*label_column_flag);
  of_texts.push_back(flags.Text("--text_files", &text_files, "SUFFIX|all",
                                "Of the files in folders that are texts"));
  of_texts.push_back(DeclareAnyBytes(flags, &any_bytes));
  flags.CacheFolder(
      "--data_cache", &data_cache, "FOLDER|off",
      "Where the integers of a file are kept, to be found again by its content and all\n"
      "settings; by default $XDG_CACHE_HOME/seqgraph or ~/.cache/seqgraph",
      [this] {
        const std::optional<DataCache> cache = Cache();
        return cache.has_value() ? cache->folder() : "";
      },
      DataCache::ExampleNames());
}

void DataFlags::DeclareTable(Flags& flags) {
  text_column_flag =
      flags.Text("--text_column", &rest.csv.text_column, "NAME|N",
                 "Of a CSV file: a name in its first record, or a number from 1; of JSON objects\n"
                 "the name of a member. A saved model knows the one that it was trained on");
  of_texts.push_back(*text_column_flag);
  numeric_flag = flags.Text(
      "--numeric_columns", &numeric_columns, "COLUMN,...",
      "Columns of numbers that texts are judged by too, in the same table, as --text_column");
  of_texts.push_back(*numeric_flag);
  flags.Check("--numeric_columns", [this]() -> std::string {
    std::vector<std::string>& columns = rest.csv.number_columns;
    columns = absl::StrSplit(numeric_columns, ',', absl::SkipEmpty());
    for (auto it = columns.begin(); it != columns.end(); ++it) {
      if (std::find(it + 1, columns.end(), *it) == columns.end()) continue;
      return absl::StrCat("'", *it, "' is named twice");
    }
    return columns.empty() && numeric_flag->given() ? "expected names of columns" : "";
  });
  of_texts.push_back(flags.Switch("--csv_header", &rest.csv.header,
                                  "The first record is no text, though the columns are numbers"));
  flags.Text("--separator", &separator, "CHAR|tab",
             "Of a CSV file; by default a comma, in .tsv files a tab");
  flags.Check("--separator", [this]() -> std::string {
    if (separator.empty()) return "";
    rest.csv.separator = separator == "tab" || separator == "\\t" ? '\t' : separator[0];
    return rest.csv.separator == '\t' || separator.size() == 1
               ? ""
               : absl::StrCat("expected one character or 'tab', got '", separator, "'");
  });
  of_texts.push_back(
      flags.Switch("--no_quotes", &no_quotes,
                   "A quote in a CSV file is a character like any other, and a line a record"));
  flags.Switch("--skip_bad_rows", &skip_bad_rows,
               "Leave out rows with errors, and say how many; else all errors are listed");
}

bool IsTextBelow(const std::string& below, const std::string& suffix) {
  return absl::StrContains(below, "/") && absl::EndsWith(below, suffix);
}

bool DataFlags::LooksLikeSeries() const {
  if (!looks_like_series.has_value()) looks_like_series = data::LooksLikeSeries(data);
  return *looks_like_series;
}

std::function<bool(const std::string&)> DataFlags::ReadsBelow() const {
  return [this](const std::string& below) {
    return IsTextBelow(below, Options().suffix) || LooksLikeSeries();
  };
}

void DataFlags::DeclareTestData(Flags& flags) {
  flags.InputPath("--test_data", &rest.test_data,
                  "Where the test split is, if not in --data: as --data, and if it has splits its "
                  "test split",
                  std::string(data::kSyntheticName), ReadsBelow());
}

void DataFlags::DeclareEncoding(Flags& flags) {
  tokens_flag =
      flags.Choice("--tokens", &tokens, data::TokenRuleNames(),
                   "How a text becomes words: by the rule of the published reviews (ASCII), words\n"
                   "of any script without case, or, for languages without spaces, characters");
  of_texts.push_back(*tokens_flag);
  of_texts.push_back(
      flags.Int("--num_words", &num_words, data::kMinNumWords, 1'000'000,
                "Codes: three special ones, one unused, then the most frequent words"));
  of_texts.push_back(flags.Int("--maxlen", &maxlen, 1, 100'000, "Codes a review: its last ones"));
  validation_flag = flags.Share(
      "--validation", &rest.validation,
      "Share of the training split to validate on; 0: none, the last weights are saved");
  DeclareStratify(flags);
}

void DataFlags::DeclareStratify(Flags& flags) {
  of_texts.push_back(
      flags.Switch("--stratify", &rest.stratify,
                   "Split off of each class its share, as scikit-learn does it (series: always)"));
}

bool DataFlags::NamesTexts() const {
  for (const std::optional<Flag>& flag :
       {text_column_flag, label_column_flag, tokens_flag, numeric_flag}) {
    if (flag.has_value() && flag->given()) return true;
  }
  return false;
}

std::string DataFlags::GivenOfTexts() const { return FirstGiven(of_texts); }

std::string DataFlags::GivenOfLabelledTexts() const {
  for (const Flag& flag : of_texts) {
    // How a text becomes tokens is said of any.
    const std::string name = flag.name();
    if (name == "--tokens" || name == "--num_words" || name == "--maxlen" ||
        name == "--any_bytes") {
      continue;
    }
    if (flag.given()) return name;
  }
  return "";
}

data::DatasetOptions DataFlags::Options() const {
  data::DatasetOptions options = rest;
  options.num_words = static_cast<int>(num_words);
  options.maxlen = static_cast<int>(maxlen);
  if (any_bytes) options.text_policy = data::TextPolicy::kAnyBytes;
  options.suffix = text_files == "all" ? "" : text_files;
  options.csv.quotes = !no_quotes;
  options.tokens = data::TokenRuleOfName(tokens).value_or(data::TokenRule::kImdb);
  skipped = data::Problems();
  if (skip_bad_rows) options.skipped = &skipped;
  return options;
}

absl::StatusOr<data::CsvLayout> DataFlags::ColumnsFor(const Model& model) const {
  const TextPreprocessing& text = model.preprocessing;
  data::CsvLayout columns = Options().csv;
  const auto take = [](const std::string& known, const std::optional<Flag>& flag,
                       std::string& column) {
    if (!known.empty() && !(flag.has_value() && flag->given())) column = known;
  };
  take(text.text_column, text_column_flag, columns.text_column);
  take(text.label_column, label_column_flag, columns.label_column);
  const std::vector<std::string>& numbers = NumericColumnsOf(model);
  if (columns.number_columns.empty()) columns.number_columns = numbers;
  if (columns.number_columns.size() == numbers.size()) return columns;
  return InvalidArgument("--numeric_columns names ", columns.number_columns.size(),
                         " columns, and the model takes ", numbers.size(),
                         numbers.empty() ? "" : ": ", absl::StrJoin(numbers, ", "));
}

void DataFlags::KeepColumns(TextPreprocessing& text) const {
  if (synthetic() || !data::LayoutOf(data).by_line) return;
  text.text_column = rest.csv.text_column;
  text.label_column = rest.csv.label_column;
}

std::optional<DataCache> DataFlags::Cache() const {
  if (data_cache == "off") return std::nullopt;
  std::string folder = data_cache.empty() ? DataCache::DefaultFolder() : data_cache;
  if (folder.empty()) return std::nullopt;
  return DataCache(std::move(folder));
}

TextExamples::TextExamples(const data::TokenSet& set,
                           std::function<std::string(int64_t row)> row_name)
    : unnamed_(seqgraph::ExamplesOf(set)) {
  unnamed_.row_name = std::move(row_name);
  if (set.numbers.empty()) return;
  more_ = {{kNumbers, {.rows = set.rows, .maxlen = 1, .features = set.numbers}}};
}

Examples TextExamples::examples() const {
  Examples all = unnamed_;
  all.more = more_;
  return all;
}

TextExamples DataFlags::ExamplesOf(const data::TokenSet& set) const {
  return TextExamples(set, [this, &set](int64_t row) {
    const std::string& name = set.ids[static_cast<size_t>(row)].name;
    return absl::StrCat(data::LayoutOf(data).by_line ? "line " : "text ", name, " of ", data);
  });
}

absl::StatusOr<data::TokenSet> DataFlags::EncodePart(const std::string& part,
                                                     const data::Vocabulary& vocabulary,
                                                     int64_t maxlen_of_rows,
                                                     const std::vector<std::string>& labels,
                                                     DataOrigin* origin) const {
  data::DatasetOptions options = Options();
  options.labels = labels;
  const bool test = part == "test";
  if (IsEncodedTexts(data) && !options.csv.number_columns.empty()) {
    return InvalidArgument(data, ": it holds tokens alone, and the model takes numbers too; give ",
                           "the table");
  }
  if (IsEncodedTexts(data)) return EncodedPart(data, part, vocabulary, maxlen_of_rows, labels);
  const std::optional<DataCache> cache = Cache();
  absl::StatusOr<data::TokenSet> all = EncodeTextsCached(
      data, test ? data::Split::kTest : data::Split::kTrain, vocabulary,
      static_cast<int>(maxlen_of_rows), options, cache ? &*cache : nullptr, origin);
  if (!all.ok() || test) return all;
  SEQ_ASSIGN_OR_RETURN(const data::SplitIndices split,
                       data::ShuffleAndSplit(all->targets, options));
  return SelectRows(*all, part == "train" ? split.train : split.test);
}

std::string OriginLine(const DataOrigin& origin) {
  for (const std::string& note : origin.notes) {
    std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
  }
  const std::string key = origin.key.substr(0, 12);
  switch (origin.kind) {
    case DataOrigin::kCached:
      return absl::StrCat("Integers: from the cache (key ", key, ")\n");
    case DataOrigin::kStored:
      return absl::StrCat("Integers: made from the reviews, now in the cache (key ", key, ")\n");
    case DataOrigin::kComputed:
      return "";
  }
  return "";
}

}  // namespace seqgraph::tools
