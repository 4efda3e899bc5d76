#include "data/vocabulary.h"

#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_literals;

Vocabulary Make(const std::vector<std::string>& words, int num_words) {
  absl::StatusOr<Vocabulary> vocabulary = Vocabulary::FromWords(words, num_words);
  EXPECT_THAT(vocabulary, IsOk());
  return vocabulary.ok() ? *vocabulary : Vocabulary();
}

TEST(Vocabulary, RanksByCountThenByteOrder) {
  const std::vector<WordCount> counts = {{"b", 2}, {"z", 9}, {"a", 2}, {"B", 0}, {"c", 3}};
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary v, Vocabulary::FromCounts(counts, 100, TieOrder::kByteOrder));
  EXPECT_THAT(v.words(), ElementsAre("z", "c", "a", "b"));
  EXPECT_EQ(v.num_words(), 100);
  EXPECT_EQ(v.Code("z"), 4);
  EXPECT_EQ(v.Code("b"), 7);
  EXPECT_EQ(v.Code("nothing"), 2);
}

TEST(Vocabulary, KeepsTheRanksBelowNumWords) {
  const std::vector<WordCount> counts = {{"d", 1}, {"c", 1}, {"b", 1}, {"a", 5}};
  for (const auto& [num_words, size] : {std::pair{4, 0}, {5, 1}, {6, 2}, {7, 3}, {8, 4}, {9, 4}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary v,
                             Vocabulary::FromCounts(counts, num_words, TieOrder::kByteOrder));
    EXPECT_EQ(v.size(), size);
    const std::vector<std::string> all = {"a", "b", "c", "d"};
    EXPECT_EQ(v.words(), std::vector<std::string>(all.begin(), all.begin() + size));
  }
}

TEST(Vocabulary, PublishedOrderHoldsForAKnownPairAlone) {
  // Published: "thing" after "old", as in byte order, but "own" before "action".
  const std::vector<WordCount> counts = {{"own", 7}, {"action", 7}, {"thing", 5},
                                         {"old", 5}, {"y", 4},      {"x", 4}};
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary published,
                           Vocabulary::FromCounts(counts, 50, TieOrder::kPublished));
  EXPECT_THAT(published.words(), ElementsAre("own", "action", "old", "thing", "x", "y"));
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary bytes,
                           Vocabulary::FromCounts(counts, 50, TieOrder::kByteOrder));
  EXPECT_THAT(bytes.words(), ElementsAre("action", "own", "old", "thing", "x", "y"));
  // The cut is made in that order, too.
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary first,
                           Vocabulary::FromCounts(counts, 5, TieOrder::kPublished));
  EXPECT_THAT(first.words(), ElementsAre("own"));
}

TEST(Vocabulary, ThreeEqualWordsAreInByteOrder) {
  const std::vector<WordCount> counts = {{"own", 7}, {"b", 7}, {"action", 7}};
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary v, Vocabulary::FromCounts(counts, 50, TieOrder::kPublished));
  EXPECT_THAT(v.words(), ElementsAre("action", "b", "own"));
}

TEST(Vocabulary, EncodePadsInFrontAndKeepsTheLastCodes) {
  const Vocabulary v = Make({"the", "and"}, 500);
  EXPECT_THAT(v.Encode("And the END", 6), ElementsAre(0, 0, 1, 5, 4, 2));
  EXPECT_THAT(v.Encode("And the END", 4), ElementsAre(1, 5, 4, 2));
  EXPECT_THAT(v.Encode("And the END", 3), ElementsAre(5, 4, 2));
  EXPECT_THAT(v.Encode("And the END", 1), ElementsAre(2));
  EXPECT_THAT(v.Encode("and and and the the the the", 3), ElementsAre(4, 4, 4));
  EXPECT_THAT(v.Encode("And", 0), IsEmpty());
  EXPECT_THAT(v.Encode("And", -1), IsEmpty());
}

TEST(Vocabulary, TextWithoutWordsIsALoneStart) {
  const Vocabulary v = Make({"the"}, 500);
  EXPECT_THAT(v.Encode("", 3), ElementsAre(0, 0, 1));
  EXPECT_THAT(v.Encode(" ...\n", 3), ElementsAre(0, 0, 1));
  EXPECT_THAT(v.Encode("", 1), ElementsAre(1));
}

TEST(Vocabulary, NulAndInvalidUtf8CanBeWords) {
  const Vocabulary v = Make({"\xFF", "a\0b"s}, 500);
  EXPECT_THAT(v.Encode("\xFF A\0B \xFE"s, 3), ElementsAre(4, 5, 2));
}

TEST(Vocabulary, CodesHaveNames) {
  const Vocabulary v = Make({"the"}, 500);
  EXPECT_EQ(v.Word(0), "<pad>");
  EXPECT_EQ(v.Word(1), "<start>");
  EXPECT_EQ(v.Word(2), "<oov>");
  EXPECT_EQ(v.Word(4), "the");
  for (int unused : {-1, 3, 5, 499, 500, 2147483647}) EXPECT_EQ(v.Word(unused), "<unused>");
}

TEST(Vocabulary, SavedWordsGiveTheSameVocabulary) {
  const std::vector<WordCount> counts = {{"b", 2}, {"z", 9}, {"a", 2}};
  SEQ_ASSERT_OK_AND_ASSIGN(Vocabulary made,
                           Vocabulary::FromCounts(counts, 7, TieOrder::kByteOrder));
  const Vocabulary saved = Make(made.words(), made.num_words());
  EXPECT_EQ(saved.words(), made.words());
  EXPECT_EQ(saved.Encode("z b a q", 6), (std::vector<int32_t>{0, 1, 4, 6, 5, 2}));
}

TEST(Vocabulary, RefusesWhatCannotBeAVocabulary) {
  const auto refused = [](const std::vector<std::string>& words, int num_words,
                          const std::string& why) {
    EXPECT_THAT(Vocabulary::FromWords(words, num_words),
                StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused({}, 3, "num_words must be at least 4");
  refused({"a", "b"}, 5, "leaves room for 1 words, got 2");
  refused({"a", "b", "a"}, 50, "word 3, \"a\", is there twice");
  refused({""}, 50, "word 1, \"\", is none");
  refused({"a", "B"}, 50, "word 2, \"B\", is none");
  refused({"a b"}, 50, "is none");
  refused({"a "}, 50, "is none");
  refused({"a-"}, 50, "is none");
  EXPECT_THAT(Vocabulary::FromCounts({}, 3, TieOrder::kPublished),
              StatusIs(absl::StatusCode::kInvalidArgument, "got 3"));
}

}  // namespace
}  // namespace seqgraph::data
