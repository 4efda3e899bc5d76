#include "data/tokenizer.h"

#include <vector>

#include "data/word_table.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_literals;

std::vector<std::string> Words(absl::string_view text) {
  std::vector<std::string> words;
  std::string scratch;
  ForEachWord(text, &scratch, [&](absl::string_view word, uint32_t hash) {
    EXPECT_EQ(hash, HashWord(word)) << word;
    words.emplace_back(word);
  });
  return words;
}

TEST(Tokenizer, LowersAsciiAndSplitsOnSpaces) {
  EXPECT_THAT(Words("The END  of it "), ElementsAre("the", "end", "of", "it"));
}

TEST(Tokenizer, ApostropheStaysInItsWord) {
  EXPECT_THAT(Words("It's 'fine'"), ElementsAre("it's", "'fine'"));
}

TEST(Tokenizer, LineBreakTagLeavesBr) {
  EXPECT_THAT(Words("end.<br /><br />New"), ElementsAre("end", "br", "br", "new"));
}

TEST(Tokenizer, EachListedSeparatorSplitsAndNoOtherByteDoes) {
  const std::string separators = " !\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";
  int splitting = 0;
  for (int c = 0; c < 256; ++c) {
    const std::string text = "a"s + static_cast<char>(c) + "b";
    const bool splits = Words(text).size() == 2;
    EXPECT_EQ(splits, separators.find(static_cast<char>(c)) != std::string::npos) << "byte " << c;
    splitting += splits;
  }
  EXPECT_EQ(splitting, 34);
}

TEST(Tokenizer, Utf8CapitalsAndOtherWhiteSpaceStay) {
  // U+00C1 keeps its capital; carriage return, vertical tab and a no-break space are letters.
  EXPECT_THAT(Words("\xC3\x81ngela A\rB C\vD E\xC2\xA0"
                    "F"),
              ElementsAre("\xC3\x81ngela", "a\rb", "c\vd",
                          "e\xC2\xA0"
                          "f"));
}

TEST(Tokenizer, NulAndInvalidUtf8AreLetters) {
  EXPECT_THAT(Words("A\0B \xFF\xFE"s), ElementsAre("a\0b"s, "\xFF\xFE"));
}

TEST(Tokenizer, NoWordsInSeparators) {
  EXPECT_THAT(Words(""), IsEmpty());
  EXPECT_THAT(Words(" ...\n\t"), IsEmpty());
}

TEST(Tokenizer, ScratchIsReusedForShorterTexts) {
  std::string scratch;
  std::vector<std::string> words;
  const auto sink = [&words](absl::string_view word, uint32_t) { words.emplace_back(word); };
  ForEachWord("A longer text", &scratch, sink);
  ForEachWord("b", &scratch, sink);
  EXPECT_THAT(words, ElementsAre("a", "longer", "text", "b"));
}

TEST(WordTable, NumbersWordsInOrderAndFindsThemAfterGrowing) {
  WordTable table;
  const int n = 20000;  // Far beyond the first size.
  for (int i = 0; i < n; ++i) {
    const std::string word = "w" + std::to_string(i);
    ASSERT_EQ(table.FindOrAdd(word, HashWord(word)), i);
  }
  ASSERT_EQ(table.size(), n);
  for (int i = 0; i < n; ++i) {
    const std::string word = "w" + std::to_string(i);
    ASSERT_EQ(table.FindOrAdd(word, HashWord(word)), i);
    ASSERT_EQ(table.Word(i), word);
  }
  EXPECT_EQ(table.Find("w", HashWord("w")), -1);
}

TEST(WordTable, EqualHashesAreToldApart) {
  WordTable table;
  EXPECT_EQ(table.FindOrAdd("one", 7), 0);
  EXPECT_EQ(table.FindOrAdd("two", 7), 1);
  EXPECT_EQ(table.FindOrAdd("on", 7), 2);
  EXPECT_EQ(table.Find("two", 7), 1);
  EXPECT_EQ(table.Find("three", 7), -1);
}

}  // namespace
}  // namespace seqgraph::data
