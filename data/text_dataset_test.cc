#include "data/text_dataset.h"

#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Counts over the training split: x 5, y 4, z 3, w 1; v occurs in the test split only.
Entries SmallSet() {
  return {
      {"aclImdb/test/neg/0_1.txt", "v x v w v"},    {"aclImdb/train/neg/1_1.txt", "z z"},
      {"aclImdb/train/neg/0_1.txt", "y x"},         {"aclImdb/train/pos/1_9.txt", "x y y x"},
      {"aclImdb/train/pos/0_9.txt", "X, x! w Z y"}, {"aclImdb/test/pos/0_9.txt", "v"},
  };
}

DatasetOptions SmallOptions() {
  DatasetOptions options;
  options.num_words = 7;  // Knows x (4), y (5), z (6); w is 2.
  options.maxlen = 4;
  options.validation = 0.25;
  return options;
}

std::vector<int32_t> Row(const TokenSet& set, const std::string& path) {
  for (int64_t row = 0; row < set.rows; ++row) {
    if (set.ids[row].Path() == path) return {set.Row(row).begin(), set.Row(row).end()};
  }
  return {};
}

void ExpectSmallSet(const std::string& path) {
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset d, LoadDataset(path, SmallOptions()));
  EXPECT_EQ(d.description, path);
  EXPECT_EQ(d.training_words, 13);
  EXPECT_EQ(d.distinct_words, 4);
  EXPECT_THAT(d.vocabulary.words(), ElementsAre("x", "y", "z"));
  // Which rows go where is the subject of another test; here each must be right wherever it is.
  EXPECT_EQ(d.train.rows, 3);
  EXPECT_EQ(d.validation.rows, 1);
  std::vector<std::string> paths = {d.validation.ids[0].Path()};
  for (const TextId& id : d.train.ids) paths.push_back(id.Path());
  EXPECT_THAT(paths, UnorderedElementsAre("train/pos/0_9.txt", "train/pos/1_9.txt",
                                          "train/neg/0_1.txt", "train/neg/1_1.txt"));
  for (const TokenSet* set : {&d.train, &d.validation}) {
    for (int64_t row = 0; row < set->rows; ++row) {
      const std::string id = set->ids[row].Path();
      EXPECT_EQ(set->targets[row], id.find("pos") != std::string::npos) << id;
      const std::vector<int32_t> expected =
          id == "train/pos/0_9.txt"   ? std::vector<int32_t>{4, 2, 6, 5}
          : id == "train/pos/1_9.txt" ? std::vector<int32_t>{4, 5, 5, 4}
          : id == "train/neg/0_1.txt" ? std::vector<int32_t>{0, 1, 5, 4}
                                      : std::vector<int32_t>{0, 1, 6, 6};
      EXPECT_EQ(Row(*set, id), expected) << id;
    }
  }
  // The test split: file order, unseen words skipped.
  EXPECT_EQ(d.test.rows, 2);
  EXPECT_THAT(d.test.tokens, ElementsAre(0, 0, 0, 1, 0, 1, 4, 2));
  EXPECT_THAT(d.test.targets, ElementsAre(1, 0));
  EXPECT_EQ(d.test.ids[1].Path(), "test/neg/0_1.txt");
}

std::string SmallArchive() {
  const std::string path = MakeTempDir() + "/small.tar.gz";
  WriteFileOrDie(path, MakeArchive(SmallSet(), Packing::kTarGz));
  return path;
}

TEST(LoadDataset, SmallArchiveByHand) { ExpectSmallSet(SmallArchive()); }

TEST(LoadDataset, SmallFolderByHand) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, SmallSet());
  ExpectSmallSet(folder);
}

TEST(LoadDataset, ShuffledThenSplitAsNumpyAndScikitLearnDo) {
  // Ten reviews; RandomState(113).permutation(10) = 9 3 6 1 0 7 4 8 2 5 and the split at 0.25, seed
  // 42: test 8 1 5, train 0 7 2 9 4 3 6 (both from the Python libraries).
  Entries entries;
  for (int i = 0; i < 10; ++i) {
    const std::string label = i < 5 ? "pos/" : "neg/";
    entries.push_back({"train/" + label + std::to_string(i) + ".txt", "word"});
  }
  const std::string folder = MakeTempDir();
  WriteTree(folder, entries);
  DatasetOptions options;
  options.validation = 0.25;
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset d, LoadDataset(folder, options));
  std::string train, validation;
  for (const TextId& id : d.train.ids) train += id.name[0];
  for (const TextId& id : d.validation.ids) validation += id.name[0];
  EXPECT_EQ(validation, "237");
  EXPECT_EQ(train, "9865014");
  EXPECT_EQ(d.test.rows, 0);
  // Without a part to validate on all is to train on, in the order of the permutation.
  for (const bool stratify : {false, true}) {
    options.validation = 0;
    options.stratify = stratify;
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataset all, LoadDataset(folder, options));
    train.clear();
    for (const TextId& id : all.train.ids) train += id.name[0];
    EXPECT_EQ(train, "9361074825");
    EXPECT_EQ(all.validation.rows, 0);
    EXPECT_EQ(all.validation.maxlen, options.maxlen);
  }
}

TEST(LoadDataset, TheTestHalfCanBeLeftOut) {
  DatasetOptions options = SmallOptions();
  options.with_test = false;
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset d, LoadDataset(SmallArchive(), options));
  EXPECT_EQ(d.test.rows, 0);
  EXPECT_EQ(d.train.rows, 3);
}

TEST(LoadDataset, OptionsOutOfRangeAreRefused) {
  const auto refused = [](auto change, const std::string& why) {
    DatasetOptions options;
    change(options);
    EXPECT_THAT(LoadDataset("synthetic", options),
                StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused([](DatasetOptions& o) { o.num_words = 3; }, "num_words must be at least 4");
  refused([](DatasetOptions& o) { o.num_words = -500; }, "got -500");
  refused([](DatasetOptions& o) { o.maxlen = 0; }, "maxlen must lie between 1 and 1048576, got 0");
  refused([](DatasetOptions& o) { o.validation = -0.1; }, "validation must lie between");
  refused([](DatasetOptions& o) { o.validation = 1.0; }, "validation must lie between");
  refused([](DatasetOptions& o) { o.validation = std::nan(""); }, "validation must lie between");
  refused([](DatasetOptions& o) { o.validation = 0.99999; }, "cannot be split");
}

TEST(LoadDataset, TooManyCodesAreRefusedBeforeTheyAreAllocated) {
  DatasetOptions options;
  options.maxlen = kMaxMaxlen;
  EXPECT_THAT(LoadDataset("synthetic", options),
              StatusIs(absl::StatusCode::kResourceExhausted, "lower maxlen"));
  EXPECT_THAT(EncodeTexts(SmallArchive(), Split::kTest, Vocabulary(), 2147483647),
              StatusIs(absl::StatusCode::kInvalidArgument, "got 2147483647"));
}

TEST(LoadDataset, TrainingNeedsBothLabels) {
  for (const auto& [have, lack] : {std::pair{"pos", "neg"}, {"neg", "pos"}}) {
    const std::string folder = MakeTempDir();
    WriteTree(folder, {{std::string("train/") + have + "/0.txt", "a"},
                       {std::string("train/") + have + "/1.txt", "b"}});
    EXPECT_THAT(LoadDataset(folder, {}), StatusIs(absl::StatusCode::kInvalidArgument,
                                                  std::string("no reviews in train/") + lack));
  }
  const std::string path = MakeTempDir() + "/test_only.tar.gz";
  WriteFileOrDie(path, MakeArchive({{"test/pos/0.txt", "a"}}, Packing::kTarGz));
  EXPECT_THAT(LoadDataset(path, {}), StatusIs(absl::StatusCode::kInvalidArgument, "train/pos"));
}

TEST(LoadDataset, SyntheticIsRepeatableAndComplete) {
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset a, LoadDataset("synthetic", {}));
  SEQ_ASSERT_OK_AND_ASSIGN(Dataset b, LoadDataset("synthetic", {}));
  EXPECT_EQ(a.description, "synthetic");
  EXPECT_EQ(a.train.rows, 6400);
  EXPECT_EQ(a.validation.rows, 1600);
  EXPECT_EQ(a.test.rows, 2000);
  EXPECT_EQ(a.vocabulary.size(), 496);
  EXPECT_GT(a.distinct_words, 4000);
  EXPECT_EQ(a.train.tokens, b.train.tokens);
  EXPECT_EQ(a.test.tokens, b.test.tokens);
}

// Some batches' worth of reviews, in an archive.
std::string LargeArchive(int damaged) {
  Entries entries;
  for (int i = 0; i < 6000; ++i) {
    const Split split = i % 3 == 2 ? Split::kTest : Split::kTrain;
    const int label = i / 3 % 2;
    std::string text = SyntheticReviewText(7, split, label, i);
    if (i >= damaged) text += '\xFF';
    const TextId id{split, label, std::to_string(i * 7919 % 6007) + ".txt"};
    entries.push_back({id.Path(), text});
  }
  const std::string path = MakeTempDir() + "/large.tar.gz";
  WriteFileOrDie(path, MakeArchive(entries, Packing::kTarGz));
  return path;
}

TEST(LoadDataset, TheNumberOfThreadsChangesNothing) {
  const std::string path = LargeArchive(/*damaged=*/6000);
  DatasetOptions options;
  options.threads = 1;
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset one, LoadDataset(path, options));
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet one_split,
                           EncodeTexts(path, Split::kTrain, one.vocabulary, 50, options));
  for (int threads : {2, 3, 8}) {
    options.threads = threads;
    SEQ_ASSERT_OK_AND_ASSIGN(const Dataset several, LoadDataset(path, options));
    const auto expect_equal = [](const TokenSet& a, const TokenSet& b) {
      EXPECT_EQ(a.rows, b.rows);
      EXPECT_EQ(a.tokens, b.tokens);
      EXPECT_EQ(a.targets, b.targets);
      EXPECT_TRUE(a.ids == b.ids);
    };
    expect_equal(one.train, several.train);
    expect_equal(one.validation, several.validation);
    expect_equal(one.test, several.test);
    EXPECT_EQ(one.vocabulary.words(), several.vocabulary.words());
    EXPECT_EQ(one.training_words, several.training_words);
    EXPECT_EQ(one.distinct_words, several.distinct_words);
    SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet split,
                             EncodeTexts(path, Split::kTrain, one.vocabulary, 50, options));
    expect_equal(one_split, split);
  }
}

TEST(LoadDataset, TheFirstBadReviewIsNamedWhateverTheNumberOfThreads) {
  // All reviews from one on are bad.
  const std::string path = LargeArchive(/*damaged=*/2500);
  DatasetOptions options;
  options.threads = 1;
  const absl::Status one = LoadDataset(path, options).status();
  EXPECT_THAT(one, StatusIs(absl::StatusCode::kInvalidArgument,
                            "/" + std::to_string(2500 * 7919 % 6007) + ".txt: expected UTF-8"));
  for (int i = 0; i < 10; ++i) {
    options.threads = 2 + i % 4;
    EXPECT_EQ(LoadDataset(path, options).status(), one);
  }
}

TEST(EncodeTexts, UsesTheGivenVocabularyInFileOrder) {
  const std::vector<std::string> words = {"w", "x"};
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary v, Vocabulary::FromWords(words, 500));
  SEQ_ASSERT_OK_AND_ASSIGN(TokenSet test, EncodeTexts(SmallArchive(), Split::kTest, v, 6));
  EXPECT_EQ(test.rows, 2);
  EXPECT_EQ(test.maxlen, 6);
  EXPECT_THAT(test.tokens, ElementsAre(0, 0, 0, 0, 1, 2, 1, 2, 5, 2, 4, 2));
  EXPECT_THAT(test.targets, ElementsAre(1, 0));
  SEQ_ASSERT_OK_AND_ASSIGN(TokenSet train, EncodeTexts(SmallArchive(), Split::kTrain, v, 2));
  EXPECT_THAT(train.tokens, ElementsAre(2, 2, 2, 5, 2, 5, 2, 2));
  EXPECT_THAT(EncodeTexts(SmallArchive(), Split::kTest, v, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, "maxlen"));
}

TEST(EncodeTexts, SkipsNothingThatIsNotATextUnlessTold) {
  const std::string folder = MakeTempDir();
  WriteTree(folder, {{"test/pos/0.txt", ""}, {"test/neg/0.txt", "x"}});
  EXPECT_THAT(EncodeTexts(folder, Split::kTest, Vocabulary(), 3),
              StatusIs(absl::StatusCode::kInvalidArgument, "review test/pos/0.txt"));
  DatasetOptions options;
  options.text_policy = TextPolicy::kAnyBytes;
  SEQ_ASSERT_OK_AND_ASSIGN(TokenSet set,
                           EncodeTexts(folder, Split::kTest, Vocabulary(), 3, options));
  EXPECT_THAT(set.tokens, ElementsAre(0, 0, 1, 0, 1, 2));
}

}  // namespace
}  // namespace seqgraph::data
