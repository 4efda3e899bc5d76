#include "data/cached_dataset.h"

#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "data/dataset_bytes.h"

namespace seqgraph {
namespace {

using data::Dataset;
using data::DatasetOptions;
using data::TokenSet;

// To be raised by whatever changes the integers that a file gives, or the bytes that hold them:
// entries of before are then not found. cached_dataset_test.cc holds the sums that belong to it.
constexpr int kVersion = 2;

// One archive or file of records, looked at for a cache.
class Archive {
 public:
  Archive(const std::string& path, const DataCache& cache, DataOrigin& origin)
      : path_(path), cache_(cache), origin_(origin) {}

  // The hash of its content; nothing if there is no use in a cache. An archive that cannot be read
  // is for whoever reads it next to report.
  std::optional<ContentHash> Hash() {
    absl::StatusOr<FileState> before = StateOfFile(path_);
    if (!before.ok()) return std::nullopt;
    state_ = *before;
    absl::StatusOr<ContentHash> hash = NotFound("changed a moment ago");
    if (state_.IsSettled()) hash = cache_.FindHash(state_);
    if (hash.ok()) return *hash;
    hash = HashFile(path_);
    if (!hash.ok() || !Unchanged()) return std::nullopt;
    if (state_.IsSettled()) Note(cache_.RememberHash(state_, *hash));
    return *hash;
  }

  // Whether its content still is what Hash() found.
  bool StillHas(const ContentHash& hash) const {
    if (!Unchanged()) return false;
    // So soon after a change the times do not tell.
    if (state_.IsSettled()) return true;
    const absl::StatusOr<ContentHash> again = HashFile(path_);
    return again.ok() && *again == hash;
  }

  const std::string& path() const { return path_; }

  // Adds to the notes, but what was said already.
  void Note(const absl::Status& status) {
    if (status.ok() || !origin_.notes.empty()) return;
    origin_.notes.push_back(
        absl::StrCat("cannot cache integers, going on without: ", status.message()));
  }

 private:
  bool Unchanged() const {
    const absl::StatusOr<FileState> now = StateOfFile(path_);
    return now.ok() && *now == state_;
  }

  const std::string& path_;
  const DataCache& cache_;
  DataOrigin& origin_;
  FileState state_;
};

// From the cache, or computed and stored. `settings` and the content of the files are the key.
template <typename T>
absl::StatusOr<T> Cached(const std::vector<std::string>& paths, const DataCache* cache,
                         const std::string& settings,
                         absl::FunctionRef<absl::StatusOr<T>(absl::string_view)> parse,
                         absl::FunctionRef<absl::StatusOr<T>()> compute,
                         absl::FunctionRef<std::string(const T&)> bytes_of, DataOrigin& origin) {
  origin = DataOrigin();
  if (cache == nullptr) return compute();
  std::vector<std::pair<Archive, ContentHash>> files;
  std::string identity = absl::StrCat("seqgraph data ", kVersion, "\n");
  for (const std::string& path : paths) {
    if (path == data::kSyntheticName) return compute();
    Archive file(path, *cache, origin);
    const std::optional<ContentHash> content = file.Hash();
    if (!content.has_value()) return compute();
    // What a file is depends on its name too. (Of an archive nothing is said.)
    const absl::string_view layout = data::LayoutOf(path).name;
    absl::StrAppend(&identity, content->Hex(), layout == "archive" ? "" : absl::StrCat(" ", layout),
                    "\n");
    files.emplace_back(std::move(file), *content);
  }
  const ContentHash key = HashBytes(absl::StrCat(identity, settings));
  const absl::StatusOr<std::string> found = cache->Find(key);
  absl::Status problem = found.status();
  if (found.ok()) {
    absl::StatusOr<T> value = parse(*found);
    if (value.ok()) {
      origin.kind = DataOrigin::kCached;
      origin.key = key.Hex();
      return value;
    }
    problem = value.status();
  }
  if (!absl::IsNotFound(problem)) {
    origin.notes.push_back(absl::StrCat("cached integers are made anew: ", problem.message()));
  }
  absl::StatusOr<T> value = compute();
  if (!value.ok()) return value;
  for (const auto& [file, content] : files) {
    if (file.StillHas(content)) continue;
    origin.notes.push_back(
        absl::StrCat("integers are not cached: ", file.path(), " changed meanwhile"));
    return value;
  }
  const absl::Status stored = cache->Store(key, bytes_of(*value));
  files[0].first.Note(stored);
  if (stored.ok()) {
    origin.kind = DataOrigin::kStored;
    origin.key = key.Hex();
  }
  return value;
}

// An entry holds no rows that were skipped, and no numbers beside the integers.
bool MayCache(const DatasetOptions& options) {
  return options.skipped == nullptr && options.csv.number_columns.empty();
}

// What was skipped is known only to who reads the texts.
void NoteSkipped(const DatasetOptions& options, DataOrigin& origin) {
  if (options.skipped == nullptr || options.skipped->count() == 0) return;
  origin.notes.push_back(absl::StrCat("skipped ", options.skipped->count(),
                                      " rows with problems:\n  ", options.skipped->Lines()));
}

// What says how texts and labels are read. Names are bytes: their sizes keep them apart.
std::string SourceSettings(const DatasetOptions& options, data::TokenRule rule) {
  const data::CsvLayout& csv = options.csv;
  std::string settings = absl::StrFormat("any_bytes %d\nheader %d\nseparator %d\nquotes %d\n",
                                         options.text_policy == data::TextPolicy::kAnyBytes,
                                         csv.header, csv.separator, csv.quotes);
  // Keys of before there were other rules stay as they are.
  if (rule != data::TokenRule::kImdb) {
    absl::StrAppend(&settings, "tokens ", data::TokenRuleName(rule), "\n");
  }
  std::vector<std::string> names = {options.suffix, csv.text_column, csv.label_column};
  names.insert(names.end(), options.labels.begin(), options.labels.end());
  for (const std::string& name : names) absl::StrAppend(&settings, name.size(), " ", name, "\n");
  return settings;
}

}  // namespace

absl::StatusOr<Dataset> LoadDatasetCached(const std::string& data, const DatasetOptions& options,
                                          const DataCache* cache, DataOrigin* origin) {
  // All of DatasetOptions but what is about synthetic reviews, and threads.
  const std::string settings = absl::StrFormat(
      "data set\nnum_words %d\nmaxlen %d\nvalidation %a\nshuffle_seed %u\nsplit_seed %u\n"
      "stratify %d\npublished_ties %d\nwith_test %d\n",
      options.num_words, options.maxlen, options.validation, options.shuffle_seed,
      options.split_seed, options.stratify, options.ties == data::TieOrder::kPublished,
      options.with_test);
  const bool other_test = options.with_test && !options.test_data.empty();
  if (!MayCache(options)) cache = nullptr;
  absl::StatusOr<Dataset> loaded = Cached<Dataset>(
      other_test ? std::vector<std::string>{data, options.test_data}
                 : std::vector<std::string>{data},
      cache, settings + SourceSettings(options, options.tokens),
      [&](absl::string_view bytes) -> absl::StatusOr<Dataset> {
        SEQ_ASSIGN_OR_RETURN(Dataset dataset, ParseDataset(bytes, options.num_words, options.maxlen,
                                                           options.tokens));
        dataset.description = data;
        return dataset;
      },
      [&] { return data::LoadDataset(data, options); }, DatasetBytes, *origin);
  NoteSkipped(options, *origin);
  return loaded;
}

absl::StatusOr<TokenSet> EncodeTextsCached(const std::string& data, data::Split split,
                                           const data::Vocabulary& vocabulary, int maxlen,
                                           const DatasetOptions& options, const DataCache* cache,
                                           DataOrigin* origin) {
  std::string settings =
      absl::StrFormat("reviews\nhalf %s\nnum_words %d\nmaxlen %d\n%swords %d\n",
                      std::string(data::SplitName(split)), vocabulary.num_words(), maxlen,
                      SourceSettings(options, vocabulary.rule()), vocabulary.size());
  // Words are bytes, with any byte but a separator in them.
  for (const std::string& word : vocabulary.words()) absl::StrAppend(&settings, word, "\n");
  if (!MayCache(options)) cache = nullptr;
  absl::StatusOr<TokenSet> encoded = Cached<TokenSet>(
      {data}, cache, settings,
      [&](absl::string_view bytes) {
        return ParseTokenSet(
            bytes, vocabulary.num_words(), maxlen,
            options.labels.empty() ? data::kMaxClasses : static_cast<int>(options.labels.size()));
      },
      [&] { return data::EncodeTexts(data, split, vocabulary, maxlen, options); }, TokenSetBytes,
      *origin);
  NoteSkipped(options, *origin);
  return encoded;
}

}  // namespace seqgraph
