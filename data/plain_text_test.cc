#include "data/plain_text.h"

#include <string>
#include <vector>

#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(PlainText, IsReadAsItIsAndGunzipped) {
  const std::string text = "One\r\n\n two \xC3\xA9\n";
  for (const std::string& path : {Saved(text, "a.txt"), Saved(Gzip(text), "a.txt.gz")}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::string read,
                             ReadPlainText(path, TextPolicy::kRefuse, TokenRule::kCharacters));
    EXPECT_EQ(read, text);
  }
  const std::string bad = Saved("a\xFF", "b.txt");
  EXPECT_THAT(ReadPlainText(bad, TextPolicy::kRefuse, TokenRule::kBytes).status(),
              StatusIs(kInvalid, "b.txt"));
  SEQ_EXPECT_OK(ReadPlainText(bad, TextPolicy::kAnyBytes, TokenRule::kBytes).status());
  EXPECT_THAT(ReadPlainText("/nowhere.txt", TextPolicy::kRefuse, TokenRule::kBytes).status(),
              StatusIs(absl::StatusCode::kNotFound, "/nowhere.txt"));
}

// By hand: "b" three times, "a" twice, a space (for any white space) twice, "c" once.
TEST(PlainText, BecomesOneRowOfCodes) {
  const std::string text = "Bb \n a\tbac";
  SEQ_ASSERT_OK_AND_ASSIGN(const Vocabulary all,
                           VocabularyOfText(text, 100, TokenRule::kCharacters));
  EXPECT_THAT(all.words(), ElementsAre("b", " ", "a", "c"));
  EXPECT_EQ(all.num_words(), 8);
  EXPECT_THAT(CodesOfText(text, all), ElementsAre(4, 4, 5, 6, 5, 4, 6, 7));
  SEQ_ASSERT_OK_AND_ASSIGN(const Vocabulary two, VocabularyOfText(text, 6, TokenRule::kCharacters));
  EXPECT_THAT(CodesOfText(text, two), ElementsAre(4, 4, 5, kOovCode, 5, 4, kOovCode, kOovCode));
  EXPECT_THAT(VocabularyOfText(text, 3, TokenRule::kCharacters), StatusIs(kInvalid, "num_words"));
}

}  // namespace
}  // namespace seqgraph::data
