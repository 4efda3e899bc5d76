#include "data/cached_dataset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset_bytes.h"
#include "data/synthetic_reviews.h"
#include "data/synthetic_topics.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using data::Dataset;
using data::DatasetOptions;
using data::Split;
using data::TokenSet;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An archive of made-up reviews, 120 to train on and 60 to test.
void WriteArchive(const std::string& path, uint64_t seed) {
  data::Entries entries;
  SEQ_ASSERT_OK(data::ForEachSyntheticReview(
      {.seed = seed, .train_reviews = 120, .test_reviews = 60}, std::nullopt,
      [&](const data::LabelledText& review) {
        const data::TextId id{review.split, review.label, std::string(review.name)};
        entries.emplace_back(id.Path(), std::string(review.text));
        return absl::OkStatus();
      }));
  data::WriteFileOrDie(path, data::MakeArchive(entries, data::Packing::kTarGz));
}

// Sets the time of the last modification; that of the inode becomes now.
void SetModified(const std::string& path, int64_t seconds) {
  const timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0}, {.tv_sec = seconds, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

struct Fixture {
  std::string folder = MakeTempDir();
  std::string path = folder + "/reviews.tar.gz";
  DataCache cache{folder + "/cache"};
  DatasetOptions options{.num_words = 60, .maxlen = 12};
  DataOrigin origin;

  Fixture() { WriteArchive(path, 1); }
  Dataset Load() { return LoadFrom(path); }
  Dataset LoadFrom(const std::string& archive) {
    absl::StatusOr<Dataset> dataset = LoadDatasetCached(archive, options, &cache, &origin);
    SEQ_EXPECT_OK(dataset);
    return dataset.ok() ? *std::move(dataset) : Dataset();
  }
};

std::string OtherArchive() {
  const std::string path = MakeTempDir() + "/other.tar.gz";
  WriteArchive(path, 2);
  return path;
}

void ExpectEqual(const TokenSet& a, const TokenSet& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.maxlen, b.maxlen);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_TRUE(a.ids == b.ids);
}

void ExpectEqual(const Dataset& a, const Dataset& b) {
  ExpectEqual(a.train, b.train);
  ExpectEqual(a.validation, b.validation);
  ExpectEqual(a.test, b.test);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.vocabulary.words(), b.vocabulary.words());
  EXPECT_EQ(a.vocabulary.num_words(), b.vocabulary.num_words());
  EXPECT_EQ(a.training_words, b.training_words);
  EXPECT_EQ(a.distinct_words, b.distinct_words);
}

TEST(CachedDataset, TheSecondTimeItComesFromTheCacheBitForBit) {
  for (int num_words : {60, 70000}) {  // Codes of two bytes, and of four where one needs them.
    Fixture f;
    f.options.num_words = num_words;
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataset plain, data::LoadDataset(f.path, f.options));
    ExpectEqual(f.Load(), plain);
    EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
    const std::string key = f.origin.key;
    const Dataset cached = f.Load();
    EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
    EXPECT_EQ(f.origin.key, key);
    EXPECT_THAT(f.origin.notes, IsEmpty());
    ExpectEqual(cached, plain);
    EXPECT_EQ(cached.description, f.path);
  }
}

TEST(CachedDataset, TheVersionBelongsToTheseBytes) {
  // Where this fails, entries that others have stored would give other integers than computing
  // them does: raise kVersion in cached_dataset.cc, and only then change the sum.
  Fixture f;
  EXPECT_EQ(HashBytes(DatasetBytes(f.Load())).Hex(),
            "aba663b3de3f79648dc01ea3912fee9b3774e54571ab693df54afafa8c6a9cc5");
}

TEST(CachedDataset, WideCodesComeBack) {
  TokenSet set{.rows = 2, .maxlen = 2, .tokens = {0, 70000, 65536, 3}, .targets = {1, 0}};
  set.ids = {{Split::kTrain, 1, "a"}, {Split::kTest, 0, std::string("b\0\n", 3)}};
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet back, ParseTokenSet(TokenSetBytes(set), 70001, 2));
  ExpectEqual(back, set);
  EXPECT_THAT(ParseTokenSet(TokenSetBytes(set), 70000, 2),
              StatusIs(absl::StatusCode::kDataLoss, "a code of 70000"));
  EXPECT_THAT(ParseTokenSet(TokenSetBytes(set), 70001, 2, /*classes=*/1),
              StatusIs(absl::StatusCode::kDataLoss, "a target of 1 of 1 classes"));
  EXPECT_THAT(ParseTokenSet(TokenSetBytes(set), 70001, 3),
              StatusIs(absl::StatusCode::kDataLoss, "rows of 2 codes, expected 3"));
}

TEST(CachedDataset, OnlyTheContentOfTheArchiveCounts) {
  Fixture f;
  const Dataset first = f.Load();
  // Under another name, with another time.
  const std::string copy = f.folder + "/copy.tgz";
  std::filesystem::copy_file(f.path, copy);
  SetModified(copy, 1000);
  ExpectEqual(f.LoadFrom(copy), first);
  EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
  // Other content of the same size, time and name, in the same inode.
  SetModified(f.path, 1000);
  f.Load();
  EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
  std::string bytes = data::ReadFileOrDie(f.path);
  bytes[4] = static_cast<char>(bytes[4] ^ 1);  // The time in the gzip header: as good an archive.
  data::WriteFileOrDie(f.path, bytes);
  SetModified(f.path, 1000);
  f.Load();
  EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
}

TEST(CachedDataset, ASettledArchiveIsHashedOnce) {
  Fixture f;
  SetModified(f.path, 1000);
  ::usleep(2'100'000);  // The time of the inode cannot be set.
  f.Load();
  EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
  SEQ_ASSERT_OK_AND_ASSIGN(const FileState state, StateOfFile(f.path));
  SEQ_ASSERT_OK_AND_ASSIGN(const ContentHash remembered, f.cache.FindHash(state));
  SEQ_ASSERT_OK_AND_ASSIGN(const ContentHash hash, HashFile(f.path));
  EXPECT_EQ(remembered, hash);
  // That is what is used: a wrong hash is believed as long as nothing about the file changes.
  SEQ_ASSERT_OK(f.cache.RememberHash(state, HashBytes("something else")));
  f.Load();
  EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
  SetModified(f.path, 1001);
  f.Load();
  EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
}

TEST(CachedDataset, EachSettingHasItsOwnEntry) {
  Fixture f;
  f.Load();
  std::set<std::string> keys = {f.origin.key};
  const std::vector<std::function<void(DatasetOptions&)>> changes = {
      [](DatasetOptions& o) { o.num_words = 61; },
      [](DatasetOptions& o) { o.maxlen = 13; },
      [](DatasetOptions& o) { o.validation = 0.25; },
      [](DatasetOptions& o) { o.validation = 0; },
      [](DatasetOptions& o) { o.shuffle_seed = 114; },
      [](DatasetOptions& o) { o.split_seed = 43; },
      [](DatasetOptions& o) { o.stratify = true; },
      [](DatasetOptions& o) { o.ties = data::TieOrder::kByteOrder; },
      [](DatasetOptions& o) { o.with_test = false; },
      [](DatasetOptions& o) { o.text_policy = data::TextPolicy::kAnyBytes; },
      [](DatasetOptions& o) { o.suffix = "t"; },
      [](DatasetOptions& o) {
        o.labels = {"positive", "negative"};
      },
      [](DatasetOptions& o) { o.test_data = OtherArchive(); },
      [](DatasetOptions& o) { o.csv.separator = ';'; },
      [](DatasetOptions& o) { o.csv.quotes = false; },
      [](DatasetOptions& o) { o.csv.header = true; },
      [](DatasetOptions& o) { o.tokens = data::TokenRule::kWords; },
      [](DatasetOptions& o) { o.csv.text_column = "1"; },
      [](DatasetOptions& o) { o.csv.label_column = "1"; },
  };
  const DatasetOptions defaults = f.options;
  for (const auto& change : changes) {
    f.options = defaults;
    change(f.options);
    const Dataset dataset = f.Load();
    EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
    EXPECT_TRUE(keys.insert(f.origin.key).second);
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataset plain, data::LoadDataset(f.path, f.options));
    ExpectEqual(dataset, plain);
    ExpectEqual(f.Load(), plain);
    EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
  }
  f.options = defaults;
  f.options.threads = 3;  // Changes nothing.
  f.Load();
  EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
}

// A file of records of three classes, and the same bytes as something else.
TEST(CachedDataset, RecordsAreKeptWithTheirClassesAndTheNameCounts) {
  Fixture f;
  std::string csv = "text,label\n";
  for (int i = 0; i < 90; ++i) {
    absl::StrAppend(&csv, "\"", data::SyntheticTopicText(1, i % 3, i), "\",",
                    data::SyntheticTopicName(i % 3), "\n");
  }
  const std::string path = f.folder + "/a.csv";
  data::WriteFileOrDie(path, csv);
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset plain, data::LoadDataset(path, f.options));
  EXPECT_THAT(plain.labels, ElementsAre("cooking", "music", "sport"));
  for (DataOrigin::Kind kind : {DataOrigin::kStored, DataOrigin::kCached}) {
    ExpectEqual(f.LoadFrom(path), plain);
    EXPECT_EQ(f.origin.kind, kind);
  }
  f.options.test_data = path;
  EXPECT_EQ(f.LoadFrom(path).test.rows, 90);
  EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
  f.options.with_test = false;  // Then it does not count.
  f.LoadFrom(path);
  const std::string key = f.origin.key;
  f.options.test_data = "";
  f.LoadFrom(path);
  EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
  EXPECT_EQ(f.origin.key, key);
  // What is no archive stays none.
  std::filesystem::copy_file(path, f.folder + "/a.tar.gz");
  EXPECT_FALSE(LoadDatasetCached(f.folder + "/a.tar.gz", f.options, &f.cache, &f.origin).ok());
  // A model's labels.
  for (const std::vector<std::string>& labels :
       {std::vector<std::string>{}, {"sport", "music", "cooking"}}) {
    DatasetOptions options;
    options.labels = labels;
    for (DataOrigin::Kind kind : {DataOrigin::kStored, DataOrigin::kCached}) {
      SEQ_ASSERT_OK_AND_ASSIGN(
          const TokenSet set,
          EncodeTextsCached(path, Split::kTest, plain.vocabulary, 5, options, &f.cache, &f.origin));
      EXPECT_EQ(f.origin.kind, kind);
      for (int i = 0; i < 90; ++i) EXPECT_EQ(set.targets[i], labels.empty() ? i % 3 : 2 - i % 3);
    }
  }
}

TEST(CachedDataset, ADamagedEntryIsNotedAndMadeAnew) {
  Fixture f;
  const Dataset first = f.Load();
  const std::string entry = absl::StrCat(f.cache.folder(), "/", f.origin.key, ".data");
  std::string bytes = data::ReadFileOrDie(entry);
  bytes[bytes.size() / 2] ^= 1;
  data::WriteFileOrDie(entry, bytes);
  ExpectEqual(f.Load(), first);
  EXPECT_EQ(f.origin.kind, DataOrigin::kStored);
  EXPECT_THAT(f.origin.notes, ElementsAre(HasSubstr("made anew")));
  ExpectEqual(f.Load(), first);
  EXPECT_EQ(f.origin.kind, DataOrigin::kCached);
  EXPECT_THAT(f.origin.notes, IsEmpty());
}

TEST(CachedDataset, AnEntryWithARightSumAndWrongContentIsMadeAnew) {
  Fixture f;
  const Dataset first = f.Load();
  // The key of the entry, from its name.
  ContentHash key;
  for (size_t i = 0; i < key.bytes.size(); ++i) {
    key.bytes[i] = static_cast<uint8_t>(std::stoi(f.origin.key.substr(2 * i, 2), nullptr, 16));
  }
  SEQ_ASSERT_OK(f.cache.Store(key, "nonsense"));
  ExpectEqual(f.Load(), first);
  EXPECT_THAT(f.origin.notes, ElementsAre(HasSubstr("made anew")));
}

TEST(CachedDataset, BytesOfAnyKindAreParsedOrRefused) {
  Fixture f;
  const std::string whole = DatasetBytes(f.Load());
  SEQ_ASSERT_OK(ParseDataset(whole, 60, 12));
  for (size_t length = 0; length < whole.size(); length += 1 + length / 50) {
    EXPECT_FALSE(ParseDataset(whole.substr(0, length), 60, 12).ok()) << length;
  }
  EXPECT_FALSE(ParseDataset(whole + "x", 60, 12).ok());
  const unsigned seed = 20240621;
  std::mt19937 random(seed);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      const size_t at = random() % 2 == 0 ? random() % 200 : random() % bytes.size();
      bytes[at] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
    }
    const absl::StatusOr<Dataset> parsed = ParseDataset(bytes, 60, 12);
    refused += !parsed.ok();
    if (!parsed.ok()) continue;
    for (const TokenSet* set : {&parsed->train, &parsed->validation, &parsed->test}) {
      ASSERT_EQ(static_cast<int64_t>(set->tokens.size()), set->rows * 12) << "seed " << seed;
      for (int32_t code : set->tokens) ASSERT_TRUE(code >= 0 && code < 60) << "seed " << seed;
      for (int32_t target : set->targets) {
        ASSERT_LT(static_cast<size_t>(target), parsed->labels.size()) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(CachedDataset, WithoutACacheThereIsNoEntryAndNoNote) {
  Fixture f;
  DataOrigin origin;
  SEQ_ASSERT_OK(LoadDatasetCached(f.path, f.options, nullptr, &origin));
  EXPECT_EQ(origin.kind, DataOrigin::kComputed);
  f.options.synthetic.train_reviews = 100;
  f.options.synthetic.test_reviews = 10;
  f.LoadFrom("synthetic");
  EXPECT_EQ(f.origin.kind, DataOrigin::kComputed);
  data::WriteTree(f.folder + "/tree", {{"train/pos/a.txt", "x"},
                                       {"train/pos/b.txt", "x"},
                                       {"train/neg/a.txt", "y"},
                                       {"train/neg/b.txt", "y"}});
  f.LoadFrom(f.folder + "/tree");
  EXPECT_EQ(f.origin.kind, DataOrigin::kComputed);
  EXPECT_THAT(f.origin.notes, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(f.cache.folder()));
}

TEST(CachedDataset, ACacheThatCannotBeWrittenIsNotedOnce) {
  Fixture f;
  data::WriteFileOrDie(f.folder + "/file", "");
  const DataCache nowhere(f.folder + "/file/cache");
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset dataset,
                           LoadDatasetCached(f.path, f.options, &nowhere, &f.origin));
  EXPECT_EQ(dataset.train.rows, 96);
  EXPECT_EQ(f.origin.kind, DataOrigin::kComputed);
  EXPECT_THAT(f.origin.notes, ElementsAre(HasSubstr("going on without")));
}

TEST(CachedDataset, AnErrorOfTheArchiveIsTheSameAndNothingIsStored) {
  Fixture f;
  const std::string bytes = data::ReadFileOrDie(f.path);
  data::WriteFileOrDie(f.path, bytes.substr(0, bytes.size() / 2));
  const absl::Status plain = data::LoadDataset(f.path, f.options).status();
  EXPECT_EQ(LoadDatasetCached(f.path, f.options, &f.cache, &f.origin).status(), plain);
  EXPECT_EQ(LoadDatasetCached("/no/such", f.options, &f.cache, &f.origin).status(),
            data::LoadDataset("/no/such", f.options).status());
  EXPECT_FALSE(std::filesystem::exists(f.cache.folder()));
}

TEST(CachedReviews, VocabularyHalfAndLengthAreTheKey) {
  Fixture f;
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset dataset, data::LoadDataset(f.path, f.options));
  const std::vector<std::string> few = {"the", "film"}, swapped = {"film", "the"};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto v1, data::Vocabulary::FromWords(few, 60));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto v2, data::Vocabulary::FromWords(swapped, 60));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto v3, data::Vocabulary::FromWords(few, 61));
  std::set<std::string> keys;
  for (const data::Vocabulary* vocabulary : {&dataset.vocabulary, &v1, &v2, &v3}) {
    for (Split split : {Split::kTrain, Split::kTest}) {
      for (int maxlen : {5, 12}) {
        SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet plain,
                                 data::EncodeTexts(f.path, split, *vocabulary, maxlen, f.options));
        for (DataOrigin::Kind kind : {DataOrigin::kStored, DataOrigin::kCached}) {
          SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet set,
                                   EncodeTextsCached(f.path, split, *vocabulary, maxlen, f.options,
                                                     &f.cache, &f.origin));
          EXPECT_EQ(f.origin.kind, kind);
          ExpectEqual(set, plain);
        }
        EXPECT_TRUE(keys.insert(f.origin.key).second);
      }
    }
  }
}

}  // namespace
}  // namespace seqgraph
