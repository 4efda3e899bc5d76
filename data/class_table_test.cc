#include "data/class_table.h"

#include "absl/strings/str_cat.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ClassTable, NumbersClassesAsTheyComeAndSortsThemByName) {
  ClassTable classes;
  EXPECT_THAT(classes.SortedNames({}), IsEmpty());
  SEQ_ASSERT_OK_AND_ASSIGN(const int sport, classes.Number("sport", "line ", "1"));
  SEQ_ASSERT_OK_AND_ASSIGN(const int music, classes.Number("music", "line ", "2"));
  SEQ_ASSERT_OK_AND_ASSIGN(const int again, classes.Number("sport", "line ", "3"));
  SEQ_ASSERT_OK_AND_ASSIGN(const int positive, classes.Number("positive", "line ", "4"));
  EXPECT_THAT((std::vector<int>{sport, music, again, positive}), ElementsAre(2, 3, 2, 1));
  EXPECT_THAT(classes.SortedNames({2, 3, 2, 1}), ElementsAre("music", "positive", "sport"));
  EXPECT_THAT(classes.SortedNames({2}), ElementsAre("sport"));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<int> all,
                           classes.IndicesIn({"music", "negative", "positive", "sport"}, "x"));
  EXPECT_THAT(all, ElementsAre(1, 2, 3, 0));
  // "negative" was not seen, so it need not be known.
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<int> seen,
                           classes.IndicesIn({"sport", "positive", "music"}, "x"));
  EXPECT_THAT(seen, ElementsAre(-1, 1, 0, 2));
  EXPECT_THAT(classes.IndicesIn({"sport", "positive"}, "a.csv"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "'a.csv': line 2 has the label 'music'; expected one of 2 known classes: "
                       "sport, positive"));
}

TEST(ClassTable, SortsWholeNumbersByValueOnlyIfAllAre) {
  ClassTable classes;
  for (const char* name : {"10", "9", "-1", "09"}) SEQ_ASSERT_OK(classes.Number(name, "", "x"));
  EXPECT_THAT(classes.SortedNames({2, 3, 4, 5}), ElementsAre("-1", "09", "9", "10"));
  SEQ_ASSERT_OK(classes.Number("9a", "", "x"));
  EXPECT_THAT(classes.SortedNames({2, 3, 4, 6}), ElementsAre("-1", "10", "9", "9a"));
}

TEST(ClassTable, RefusesEmptyNamesAndTooMany) {
  ClassTable classes;
  EXPECT_THAT(classes.Number("", "line ", "7"),
              StatusIs(absl::StatusCode::kInvalidArgument, "line 7: the label is empty"));
  // All that are promised, though none is one of the two that have numbers already.
  for (int i = 0; i < kMaxClasses; ++i) SEQ_ASSERT_OK(classes.Number(absl::StrCat(i), "", "x"));
  SEQ_EXPECT_OK(classes.Number("2", "", "x"));
  EXPECT_THAT(classes.Number(std::string(1000, '\n'), "line ", "8"),
              StatusIs(absl::StatusCode::kResourceExhausted, "line 8: label '\\n\\n"));
}

TEST(ClassOfFolder, KnowsThePublishedNames) {
  EXPECT_EQ(ClassOfFolder("pos"), "positive");
  EXPECT_EQ(ClassOfFolder("neg"), "negative");
  EXPECT_EQ(ClassOfFolder("unsup"), "");
  EXPECT_EQ(ClassOfFolder(".git"), "");
  EXPECT_EQ(ClassOfFolder("sport"), "sport");
}

}  // namespace
}  // namespace seqgraph::data
