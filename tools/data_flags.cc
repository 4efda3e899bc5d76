#include "tools/data_flags.h"

#include <cstdio>

#include "absl/strings/str_cat.h"

namespace seqgraph::tools {

void DeclareAnyBytes(Flags& flags, bool* value) {
  flags.Switch("--any_bytes", value,
               "Take, not refuse, reviews with invalid UTF-8, NUL or no words");
}

void DataFlags::DeclareSource(Flags& flags) {
  Flag source = flags.Text(
      "--data", &data, "PATH",
      "aclImdb_v1.tar.gz as published, its unpacked folder, or 'synthetic'; or texts of\n"
      "your own: FILE.csv or .tsv (also .gz) with columns of texts and labels, a folder\n"
      "with a folder a class, or one (also as .tar.gz) with those in train and test");
  if (data.empty()) source.Required();
  flags.Text("--text_column", &csv.text_column, "NAME|N",
             "Of a CSV file: a name in its first record, or a number from 1");
  flags.Text("--label_column", &csv.label_column, "NAME|N", "Likewise");
  flags.Switch("--csv_header", &csv.header,
               "The first record is no text, though both columns are numbers");
  flags.Text("--separator", &separator, "CHAR|tab",
             "Of a CSV file; by default a comma, in .tsv files a tab");
  flags.Check("--separator", [this]() -> std::string {
    if (separator.empty()) return "";
    csv.separator = separator == "tab" || separator == "\\t" ? '\t' : separator[0];
    return csv.separator == '\t' || separator.size() == 1
               ? ""
               : absl::StrCat("expected one character or 'tab', got '", separator, "'");
  });
  flags.Switch("--no_quotes", &no_quotes,
               "A quote in a CSV file is a character like any other, and a line a record");
  flags.Text("--text_files", &text_files, "SUFFIX|all", "Of the files in folders that are texts");
  DeclareAnyBytes(flags, &any_bytes);
  flags.Text("--data_cache", &data_cache, "FOLDER|off",
             "Where the integers of a file are kept, to be found again by its content and all\n"
             "settings; by default $XDG_CACHE_HOME/seqgraph or ~/.cache/seqgraph");
}

void DataFlags::DeclareTestData(Flags& flags) {
  flags.Text("--test_data", &test_data, "PATH",
             "Where the test half is, if not in --data: as --data, and if it has halves its test "
             "half");
}

void DataFlags::DeclareEncoding(Flags& flags) {
  flags.Int("--num_words", &num_words, data::kMinNumWords, 1'000'000,
            "Codes: three special ones, one unused, then the most frequent words");
  flags.Int("--maxlen", &maxlen, 1, 100'000, "Codes a review: its last ones");
  flags.Real("--validation", &validation, 0, 1, "Share of the training half to validate on");
  DeclareStratify(flags);
}

void DataFlags::DeclareStratify(Flags& flags) {
  flags.Switch("--stratify", &stratify,
               "Split off of each class its share, as scikit-learn does it");
}

data::DatasetOptions DataFlags::Options() const {
  data::DatasetOptions options;
  options.num_words = static_cast<int>(num_words);
  options.maxlen = static_cast<int>(maxlen);
  options.validation = validation;
  if (any_bytes) options.text_policy = data::TextPolicy::kAnyBytes;
  options.stratify = stratify;
  options.test_data = test_data;
  options.suffix = text_files == "all" ? "" : text_files;
  options.csv = csv;
  options.csv.quotes = !no_quotes;
  return options;
}

std::optional<DataCache> DataFlags::Cache() const {
  if (data_cache == "off") return std::nullopt;
  std::string folder = data_cache.empty() ? DataCache::DefaultFolder() : data_cache;
  if (folder.empty()) return std::nullopt;
  return DataCache(std::move(folder));
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
