#include "data/tokenizer.h"

#include <random>
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
  ForEachWord(text, &scratch, [&](absl::string_view word, uint64_t key) {
    EXPECT_EQ(key, WordKey(word)) << word;
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

// The rule spelled out, a byte at a time.
std::vector<std::string> WordsByBytes(absl::string_view text) {
  std::vector<std::string> words(1);
  for (char c : text) {
    const char lowered = static_cast<char>(internal::kByteMap[static_cast<unsigned char>(c)]);
    if (lowered != ' ') {
      words.back() += lowered;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

TEST(Tokenizer, BlocksOfBytesGiveWhatSingleBytesGive) {
  // Words of any length across the ends of blocks of 64 bytes, texts that end anywhere.
  std::mt19937 random(20240611);
  for (int i = 0; i < 3000; ++i) {
    std::string text(random() % 300, ' ');
    const unsigned gap = 1 + random() % 90;  // About the length of words.
    for (char& c : text) c = random() % gap == 0 ? ' ' : static_cast<char>(random());
    ASSERT_EQ(Words(text), WordsByBytes(text)) << "seed 20240611, text " << i;
  }
}

TEST(Tokenizer, BlocksAreLoweredAsBytesAre) {
  for (int first = 0; first < 256; first += static_cast<int>(internal::kLowerBlock)) {
    char text[internal::kLowerBlock], lowered[internal::kLowerBlock],
        by_bytes[internal::kLowerBlock];
    for (size_t i = 0; i < internal::kLowerBlock; ++i) text[i] = static_cast<char>(first + i);
    const uint64_t separators = internal::LowerBlock(text, lowered);
    EXPECT_EQ(separators, internal::LowerBlockByBytes(text, by_bytes));
    for (size_t i = 0; i < internal::kLowerBlock; ++i) {
      const bool separator = (separators >> i & 1) != 0;
      EXPECT_EQ(separator ? ' ' : lowered[i], by_bytes[i]) << first + i;
    }
  }
}

TEST(Tokenizer, ScratchIsReusedForShorterTexts) {
  std::string scratch;
  std::vector<std::string> words;
  const auto sink = [&words](absl::string_view word, uint64_t) { words.emplace_back(word); };
  ForEachWord("A longer text", &scratch, sink);
  ForEachWord("b", &scratch, sink);
  EXPECT_THAT(words, ElementsAre("a", "longer", "text", "b"));
}

TEST(WordTable, NumbersWordsInOrderAndFindsThemAfterGrowing) {
  WordTable table;
  const int n = 20000;  // Far beyond the first size.
  for (int i = 0; i < n; ++i) {
    const std::string word = "w" + std::to_string(i);
    ASSERT_EQ(table.FindOrAdd(word, WordKey(word)), i);
  }
  ASSERT_EQ(table.size(), n);
  for (int i = 0; i < n; ++i) {
    const std::string word = "w" + std::to_string(i);
    ASSERT_EQ(table.FindOrAdd(word, WordKey(word)), i);
    ASSERT_EQ(table.Word(i), word);
  }
  EXPECT_EQ(table.Find("w", WordKey("w")), -1);
}

TEST(WordTable, ShortWordsOfEqualLettersAndOtherLengthsAreToldApart) {
  // Padded with zeros they are equal.
  WordTable table;
  EXPECT_EQ(WordKey("a"), WordKey("a\0"s));
  EXPECT_EQ(table.FindOrAdd("a", WordKey("a")), 0);
  EXPECT_EQ(table.FindOrAdd("a\0"s, WordKey("a\0"s)), 1);
  EXPECT_EQ(table.Find("a\0\0"s, WordKey("a\0\0"s)), -1);
  EXPECT_EQ(table.Find("a", WordKey("a")), 0);
}

TEST(WordTable, EqualKeysOfLongWordsAreToldApart) {
  WordTable table;
  EXPECT_EQ(table.FindOrAdd("one_letters", 7), 0);
  EXPECT_EQ(table.FindOrAdd("two_letters", 7), 1);
  EXPECT_EQ(table.FindOrAdd("on_letters", 7), 2);
  EXPECT_EQ(table.Find("two_letters", 7), 1);
  EXPECT_EQ(table.Find("three_letters", 7), -1);
}

}  // namespace
}  // namespace seqgraph::data
