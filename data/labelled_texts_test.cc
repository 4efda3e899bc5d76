// Sources other than the published reviews: files of records, a folder a class.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/numpy_random.h"
#include "data/synthetic_topics.h"
#include "data/testing/test_util.h"
#include "data/text_dataset.h"
#include "data/text_source.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;

// "train line 2: 3=text" of each review: split, place, number of its class, text.
absl::StatusOr<std::vector<std::string>> Read(const std::string& path,
                                              const TextSourceOptions& options = {}) {
  std::vector<std::string> reviews;
  absl::Status status = ForEachText(path, options, [&reviews](const LabelledText& review) {
    reviews.push_back(absl::StrCat(SplitName(review.split), " ", review.folder, review.name, ": ",
                                   review.label, "=", review.text));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return reviews;
}

absl::StatusOr<std::vector<std::string>> ReadCsv(const std::string& bytes,
                                                 const CsvLayout& layout = {}) {
  return Read(Saved(bytes, "a.csv"), {.csv = layout});
}

TEST(CsvTexts, ColumnsAreFoundByNameOrNumber) {
  const std::string named = "id,label,text\n7,b,\"one,\ntwo\"\n8,a,three\n";
  for (const CsvLayout& layout :
       {CsvLayout(), CsvLayout{.text_column = "3"}, CsvLayout{.label_column = "2"},
        CsvLayout{.text_column = "3", .label_column = "2", .header = true}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews, ReadCsv(named, layout));
    EXPECT_THAT(reviews, ElementsAre("train line 2: 2=one,\ntwo", "train line 4: 3=three"));
  }
  const CsvLayout numbers{.text_column = "2", .label_column = "1"};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto bare, ReadCsv("positive,one\nnegative,two", numbers));
  EXPECT_THAT(bare, ElementsAre("train line 1: 1=one", "train line 2: 0=two"));
  const auto refused = [](const std::string& bytes, const CsvLayout& layout,
                          const std::string& why) {
    EXPECT_THAT(ReadCsv(bytes, layout), StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused("review,sentiment\nfine,1\n", {},
          "names no column 'text', but: 'review', 'sentiment'; --text_column gives the name");
  refused("text,sentiment\nfine,1\n", {}, "names no column 'label'");
  refused(std::string("PK\3\0\n", 5), {}, "names no column 'text', but: 'PK\\x03\\x00'");
  refused("text,label,text\na,b,c\n", {}, "two columns have the name 'text'");
  refused("a,b\n", {.text_column = "3", .label_column = "1"},
          "has 2 columns; there is no column 3");
  refused("a,b\n", {.text_column = "0", .label_column = "1"}, "there is no column 0");
  refused("a,b\n", {.text_column = "1", .label_column = "1"}, "are the same column, 1");
  refused("", {}, "holds no records");
  refused("text,label\n", {}, "holds no records");
}

TEST(CsvTexts, OtherSeparatorsAndGzip) {
  const std::vector<std::string> expected = {"train line 2: 2=a, \"b\""};
  const auto expect = [&](const std::string& bytes, const std::string& name,
                          const CsvLayout& layout) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews, Read(Saved(bytes, name), {.csv = layout}));
    EXPECT_EQ(reviews, expected) << name;
  };
  const std::string tabs = "text\tlabel\n\"a, \"\"b\"\"\"\tx\n";
  expect(tabs, "a.tsv", {});
  expect(tabs, "a.TSV", {});
  expect(Gzip(tabs), "a.tsv.gz", {});
  expect(tabs, "a.csv", {.separator = '\t'});
  expect("text\tlabel\na, \"b\"\tx\n", "a.tsv", {.quotes = false});
  expect("text;label\n\"a, \"\"b\"\"\";x\n", "a.csv.gz", {.separator = ';'});
}

TEST(CsvTexts, ErrorsNameTheLine) {
  const auto refused = [](const std::string& bytes, const std::string& why) {
    EXPECT_THAT(ReadCsv(bytes), AllOf(StatusIs(absl::StatusCode::kInvalidArgument, why),
                                      StatusIs(absl::StatusCode::kInvalidArgument, "a.csv'")));
  };
  refused("text,label\n\na,b\n...,b\n", "review line 4: expected at least one word");
  refused("text,label\na\xFF,b\n", "review line 2: expected UTF-8 text");
  refused("text,label\na,\n", "line 2: the label is empty");
  refused("text,label\na,b,c\n", "line 2, column 1: a record with 3 fields");
  refused("text,label\n\"a,b\n", "line 2, column 1: nothing closes the quote");
  SEQ_ASSERT_OK_AND_ASSIGN(const auto taken, Read(Saved("text,label\n...,b\n", "a.csv"),
                                                  {.text_policy = TextPolicy::kAnyBytes}));
  EXPECT_THAT(taken, ElementsAre("train line 2: 2=..."));
  const std::string path = Saved("text,label\n12345,b\n123456,b\n", "a.csv");
  SEQ_EXPECT_OK(Read(path, {.max_text_bytes = 6, .max_texts = 2}));
  EXPECT_THAT(Read(path, {.max_text_bytes = 5}),
              StatusIs(absl::StatusCode::kInvalidArgument, "line 3: a text of 6 bytes"));
  EXPECT_THAT(Read(path, {.max_texts = 1}),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 1 reviews"));
}

TEST(CsvTexts, BelongToTheHalfThatIsAskedFor) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews,
                           Read(Saved("text,label\na,b\n", "a.csv"), {.only = Split::kTest}));
  EXPECT_THAT(reviews, ElementsAre("test line 2: 2=a"));
}

Entries Topics(const std::string& root) {
  return {{root + "sport/2.txt", "goal"},     {root + "sport/10.txt", "ball"},
          {root + "music/1.txt", "song"},     {root + "music/notes.md", "no text"},
          {root + "music/.hidden.txt", "no"}, {root + "unsup/1.txt", "no"},
          {root + ".git/1.txt", "no"},        {root + "readme.txt", "no"}};
}

TEST(FolderTexts, AFolderIsAClass) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, Topics(""));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews, Read(folder));
  EXPECT_THAT(reviews, ElementsAre("train sport/10.txt: 2=ball", "train sport/2.txt: 2=goal",
                                   "train music/1.txt: 3=song"));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto all, Read(folder, {.only = Split::kTest, .suffix = ""}));
  EXPECT_THAT(all, ElementsAre("test sport/10.txt: 2=ball", "test sport/2.txt: 2=goal",
                               "test music/1.txt: 3=song", "test music/notes.md: 3=no text"));
}

TEST(FolderTexts, HalvesInAFolderOrAnArchive) {
  Entries entries = Topics("set/train/");
  entries.push_back({"set/test/sport/1.txt", "race"});
  const std::string folder = MakeTempDir();
  WriteTree(folder, entries);
  SEQ_ASSERT_OK_AND_ASSIGN(const auto reviews, Read(folder + "/set"));
  EXPECT_THAT(reviews,
              ElementsAre("train train/sport/10.txt: 2=ball", "train train/sport/2.txt: 2=goal",
                          "train train/music/1.txt: 3=song", "test test/sport/1.txt: 2=race"));
  const std::string archive = Saved(MakeArchive(entries, Packing::kTarGz), "a.tar.gz");
  SEQ_ASSERT_OK_AND_ASSIGN(const auto archived, Read(archive));
  EXPECT_THAT(archived,
              ElementsAre("train train/sport/2.txt: 2=goal", "train train/sport/10.txt: 2=ball",
                          "train train/music/1.txt: 3=song", "test test/sport/1.txt: 2=race"));
}

TEST(FolderTexts, WrongFoldersSayWhatWasExpected) {
  EXPECT_THAT(Read(MakeTempDir()),
              StatusIs(absl::StatusCode::kNotFound, "other folders, one a class"));
  const std::string folder = MakeTempDir();
  WriteTree(folder, {{"sport/1.text", "a"}, {"music/1.text", "b"}});
  EXPECT_THAT(Read(folder), StatusIs(absl::StatusCode::kInvalidArgument,
                                     "holds files such as 1.text, but none that ends in .txt"));
  // A flat archive: its classes cannot be told from any other folder.
  EXPECT_THAT(Read(Saved(MakeArchive(Topics(""), Packing::kTarGz), "a.tar.gz")),
              StatusIs(absl::StatusCode::kInvalidArgument, "holds no reviews"));
}

// ---- To integers.

// A made-up note a record; record i is of topic i % 3.
std::string TopicsCsv(int records, uint64_t seed) {
  std::string csv = "label,text\n";
  for (int i = 0; i < records; ++i) {
    absl::StrAppend(&csv, SyntheticTopicName(i % 3), ",\"", SyntheticTopicText(seed, i % 3, i),
                    "\"\n");
  }
  return csv;
}

TEST(LoadDatasetOfTexts, ClassesAreSortedAndRowsGoTheWayOfThePublishedOnes) {
  const std::string path = Saved("label,text\nb,x\na,y y\nc,x\nb,z\na,w\n", "a.csv");
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset d,
                           LoadDataset(path, {.num_words = 8, .maxlen = 3, .validation = 0.4}));
  EXPECT_THAT(d.labels, ElementsAre("a", "b", "c"));
  // By count, ties by bytes: x y w z.
  EXPECT_THAT(d.vocabulary.words(), ElementsAre("x", "y", "w", "z"));
  EXPECT_EQ(d.train.rows, 3);
  EXPECT_EQ(d.validation.rows, 2);
  EXPECT_EQ(d.test.rows, 0);
  const std::vector<std::string> lines = {"2", "3", "4", "5", "6"};
  const std::vector<int> classes = {1, 0, 2, 1, 0};
  const std::vector<std::vector<int32_t>> codes = {
      {0, 1, 4}, {1, 5, 5}, {0, 1, 4}, {0, 1, 7}, {0, 1, 6}};
  std::vector<bool> seen(5);
  for (const TokenSet* set : {&d.train, &d.validation}) {
    for (int64_t row = 0; row < set->rows; ++row) {
      const size_t i = static_cast<size_t>(std::stoi(set->ids[row].name) - 2);
      EXPECT_FALSE(seen[i]);
      seen[i] = true;
      EXPECT_EQ(set->targets[row], classes[i]);
      EXPECT_THAT(set->Row(row), ::testing::ElementsAreArray(codes[i]));
    }
  }
  EXPECT_THAT(seen, Each(true));
}

TEST(LoadDatasetOfTexts, TheTestHalfMayLieElsewhere) {
  const std::string train = Saved("label,text\nb,x\na,y y\nb,z\na,w\n", "train.csv");
  const std::string test = Saved("label,text\na,x new\nb,y\na,x\n", "test.csv");
  DatasetOptions options{.num_words = 8, .maxlen = 3, .validation = 0.5, .test_data = test};
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset d, LoadDataset(train, options));
  EXPECT_EQ(d.test.rows, 3);
  EXPECT_THAT(d.test.targets, ElementsAre(0, 1, 0));  // In the order of the file.
  EXPECT_THAT(d.test.Row(0), ElementsAre(0, 1, d.vocabulary.Code("x")));  // "new" is skipped.
  options.with_test = false;
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset without, LoadDataset(train, options));
  EXPECT_EQ(without.test.rows, 0);
  EXPECT_EQ(without.train.tokens, d.train.tokens);
  options.with_test = true;
  options.test_data = Saved("label,text\na,x\nc,y\n", "other.csv");
  EXPECT_THAT(LoadDataset(train, options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "other.csv': line 3 has the label 'c'; expected one of 2 known classes"));
}

TEST(LoadDatasetOfTexts, FolderArchiveAndThreadsGiveTheSame) {
  Entries entries;
  for (int i = 0; i < 300; ++i) {
    const int topic = i % 3;
    entries.push_back({absl::StrCat("set/", i % 5 == 0 ? "test/" : "train/",
                                    SyntheticTopicName(topic), "/", i, ".txt"),
                       SyntheticTopicText(3, topic, i)});
  }
  const std::string folder = MakeTempDir();
  WriteTree(folder, entries);
  const std::string archive = Saved(MakeArchive(entries, Packing::kTarGz), "a.tar.gz");
  const DatasetOptions options{.num_words = 100, .maxlen = 20};
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset first, LoadDataset(folder + "/set", options));
  EXPECT_THAT(first.labels, ElementsAre("cooking", "music", "sport"));
  EXPECT_EQ(first.train.rows + first.validation.rows, 240);
  EXPECT_EQ(first.test.rows, 60);
  for (int64_t row = 0; row < first.train.rows; ++row) {
    EXPECT_EQ(first.train.targets[row], std::stoi(first.train.ids[row].name) % 3);
  }
  for (int threads : {1, 3}) {
    DatasetOptions with_threads = options;
    with_threads.threads = threads;
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataset other, LoadDataset(archive, with_threads));
    EXPECT_EQ(other.labels, first.labels);
    EXPECT_EQ(other.train.tokens, first.train.tokens);
    EXPECT_EQ(other.validation.targets, first.validation.targets);
    EXPECT_TRUE(other.test.ids == first.test.ids);
  }
}

TEST(LoadDatasetOfTexts, AStratifiedSplitHasOfEachClassItsShare) {
  std::string csv = "label,text\n";
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&csv, i % 10 == 0 ? "rare" : i % 2 == 0 ? "even" : "odd", ",word\n");
  }
  const std::string path = Saved(csv, "a.csv");
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset d,
                           LoadDataset(path, {.validation = 0.2, .stratify = true}));
  EXPECT_THAT(d.labels, ElementsAre("even", "odd", "rare"));
  std::vector<int> counts(3);
  for (int32_t target : d.validation.targets) ++counts[target];
  EXPECT_THAT(counts, ElementsAre(8, 10, 2));
  EXPECT_EQ(d.train.rows, 80);
  // Whoever has the split in file order finds the same rows.
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet all, EncodeTexts(path, Split::kTrain, d.vocabulary, 10));
  SEQ_ASSERT_OK_AND_ASSIGN(const SplitIndices split,
                           ShuffleAndSplit(all.targets, {.validation = 0.2, .stratify = true}));
  for (int64_t row = 0; row < d.validation.rows; ++row) {
    EXPECT_EQ(d.validation.ids[row].name, all.ids[split.test[row]].name);
  }
}

TEST(LoadDatasetOfTexts, TrainingNeedsTwoClasses) {
  EXPECT_THAT(LoadDataset(Saved("label,text\na,x\na,y\n", "a.csv"), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "are of one class, 'a'"));
}

TEST(EncodeTextsOfOnesOwn, ClassesAreTheModels) {
  const std::string path = Saved(TopicsCsv(90, 5), "a.csv");
  SEQ_ASSERT_OK_AND_ASSIGN(const Vocabulary words, Vocabulary::FromWords({{"the"}}, 8));
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet sorted,
                           EncodeTexts(path, Split::kTest, words, 10, {.threads = 3}));
  ASSERT_EQ(sorted.rows, 90);
  for (int i = 0; i < 90; ++i) {
    EXPECT_EQ(sorted.targets[i], i % 3);
    EXPECT_EQ(sorted.ids[i].name, absl::StrCat(i + 2));
  }
  const std::vector<std::string> labels = {"travel", "sport", "music", "cooking"};
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet models,
                           EncodeTexts(path, Split::kTest, words, 10, {.labels = labels}));
  for (int i = 0; i < 90; ++i) EXPECT_EQ(models.targets[i], 3 - i % 3);
  EXPECT_EQ(models.tokens, sorted.tokens);
  EXPECT_THAT(EncodeTexts(path, Split::kTest, words, 10, {.labels = {"music", "cooking"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "line 4 has the label 'sport'"));
}

}  // namespace
}  // namespace seqgraph::data
