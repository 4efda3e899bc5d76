#include "data/synthetic_reviews.h"

#include <set>
#include <sstream>

#include "data/testing/test_util.h"
#include "data/text_check.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;

struct Made {
  std::vector<std::string> paths;
  std::vector<std::string> texts;
};

Made Make(const SyntheticOptions& options, std::optional<Split> only = std::nullopt) {
  Made made;
  SEQ_EXPECT_OK(ForEachSyntheticReview(options, only, [&made](const LabelledText& review) {
    made.paths.push_back(TextId{review.split, review.label, std::string(review.name)}.Path());
    made.texts.emplace_back(review.text);
    return absl::OkStatus();
  }));
  return made;
}

TEST(SyntheticReviews, TheSameBytesEverywhere) {
  std::string all;
  for (const std::string& text : Make({}).texts) all += text + "\n";
  EXPECT_EQ(Sha256Hex(all), "d91f2f9b2a522c6158fe15b56d4d78319ca0026fb3770f8f624125684eafd842");
}

TEST(SyntheticReviews, DeliversInFileOrderWithUniqueNames) {
  const Made made = Make({.train_reviews = 3, .test_reviews = 2});
  EXPECT_THAT(made.paths,
              ElementsAre("train/pos/000000.txt", "train/pos/000001.txt", "train/neg/000000.txt",
                          "test/pos/000000.txt", "test/neg/000000.txt"));
  EXPECT_THAT(Make({.train_reviews = 3, .test_reviews = 2}, Split::kTest).texts,
              ElementsAre(made.texts[3], made.texts[4]));
}

TEST(SyntheticReviews, AReviewDependsOnEachOfItsArguments) {
  const std::string text = SyntheticReviewText(1, Split::kTrain, 1, 0);
  EXPECT_EQ(text, SyntheticReviewText(1, Split::kTrain, 1, 0));
  EXPECT_NE(text, SyntheticReviewText(2, Split::kTrain, 1, 0));
  EXPECT_NE(text, SyntheticReviewText(1, Split::kTest, 1, 0));
  EXPECT_NE(text, SyntheticReviewText(1, Split::kTrain, 0, 0));
  EXPECT_NE(text, SyntheticReviewText(1, Split::kTrain, 1, 1));
}

TEST(SyntheticReviews, AreReadableTextsOf20To250WordsThatAllDiffer) {
  const Made made = Make({});
  ASSERT_EQ(made.texts.size(), 10000u);
  std::set<std::string> different;
  std::set<std::string> words;
  for (const std::string& text : made.texts) {
    SEQ_ASSERT_OK(CheckText(text));
    ASSERT_EQ(text.find_first_of("{}"), std::string::npos) << text;
    different.insert(text);
    std::istringstream stream(text);
    int count = 0;
    for (std::string word; stream >> word; ++count) words.insert(word);
    EXPECT_GE(count, 18) << text;  // A "<br />" hides a space, so words run together.
    EXPECT_LE(count, 250) << text;
  }
  EXPECT_EQ(different.size(), made.texts.size());
  EXPECT_GT(words.size(), 4000u);
}

// A rule that a reader would use, not one the generator knows: count words of praise and blame.
TEST(SyntheticReviews, CountingOpinionWordsTellsLessThanAllAndMoreThanNothing) {
  const std::vector<std::string> praise = {"good", "great", "wonderful", "loved", "enjoyed"};
  const std::vector<std::string> blame = {"bad", "boring", "awful", "hated", "disliked"};
  int right = 0;
  int wrong = 0;
  SEQ_ASSERT_OK(ForEachSyntheticReview({}, Split::kTrain, [&](const LabelledText& review) {
    int balance = 0;
    std::istringstream stream{std::string(review.text)};
    for (std::string word; stream >> word;) {
      for (const std::string& p : praise) balance += word.find(p) == 0;
      for (const std::string& b : blame) balance -= word.find(b) == 0;
    }
    right += balance != 0 && (balance > 0) == (review.label == 1);
    wrong += balance != 0 && (balance > 0) != (review.label == 1);
    return absl::OkStatus();
  }));
  const double share = static_cast<double>(right) / (right + wrong);
  EXPECT_GT(right + wrong, 4000);
  EXPECT_GT(share, 0.6);
  EXPECT_LT(share, 0.9);
}

TEST(SyntheticReviews, NegativeSizesAreRefused) {
  EXPECT_THAT(ForEachSyntheticReview({.train_reviews = -1}, std::nullopt,
                                     [](const LabelledText&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kInvalidArgument, "got -1 and 2000"));
}

}  // namespace
}  // namespace seqgraph::data
