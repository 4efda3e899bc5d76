// What is expected is written out by hand, from Unicode's charts and UAX #15.

#include "data/token_rule.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "data/text_check.h"
#include "data/text_dataset.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Tokens(TokenRule rule, absl::string_view text) {
  std::string scratch;
  std::vector<std::string> tokens;
  ForEachToken(rule, text, &scratch, [&](absl::string_view token, uint64_t key) {
    EXPECT_EQ(key, WordKey(token));
    tokens.emplace_back(token);
  });
  return tokens;
}

std::vector<std::string> Words(absl::string_view text) { return Tokens(TokenRule::kWords, text); }
std::vector<std::string> Characters(absl::string_view text) {
  return Tokens(TokenRule::kCharacters, text);
}

TEST(TokenRule, NamesAreThoseOfModelFiles) {
  EXPECT_THAT(TokenRuleNames(), ElementsAre("imdb", "words", "characters", "bytes"));
  for (const std::string& name : TokenRuleNames()) {
    EXPECT_EQ(TokenRuleName(TokenRuleOfName(name).value()), name);
  }
  EXPECT_EQ(TokenRuleOfName("Words"), std::nullopt);
  EXPECT_EQ(TokenRuleOfName(""), std::nullopt);
}

TEST(TokenRule, ImdbIsThePublishedRule) {
  EXPECT_THAT(Tokens(TokenRule::kImdb, "It's <br />GOOD_ÉTÉ"),
              ElementsAre("it's", "br", "good", "ÉtÉ"));
}

TEST(Words, AreLettersMarksAndNumbersOfAnyScript) {
  EXPECT_THAT(Words("Hello, WORLD-wide_web 3.5x"),
              ElementsAre("hello", "world", "wide", "web", "3", "5x"));
  EXPECT_THAT(Words("¿Qué? ÉTÉ «ça» – naïve…"), ElementsAre("qué", "été", "ça", "naïve"));
  EXPECT_THAT(Words("Привет, МИР!"), ElementsAre("привет", "мир"));
  EXPECT_THAT(Words("좋은 영화 입니다。"), ElementsAre("좋은", "영화", "입니다"));
  EXPECT_THAT(Words("हिन्दी में"), ElementsAre("हिन्दी", "में"));  // Vowel signs are marks.
  EXPECT_THAT(Words(" \t\n...!?、。"), IsEmpty());
}

TEST(Words, KeepTheirApostrophes) {
  EXPECT_THAT(Words("Don't don\xE2\x80\x99t 'quoted' rock'n'roll it''s the boys'"),
              ElementsAre("don't", "don't", "quoted", "rock'n'roll", "it", "s", "the", "boys"));
  EXPECT_THAT(Words("' ''"), IsEmpty());
}

TEST(Words, SymbolsAreWords) {
  // Without the variation selector behind the heart; skin tones are no symbols of their own.
  EXPECT_THAT(Words("good\U0001F60D\U0001F60D \u2764\uFE0F \U0001F44D\U0001F3FD"),
              ElementsAre("good", "\U0001F60D", "\U0001F60D", "\u2764", "\U0001F44D"));
  EXPECT_THAT(Words("1+1=2 $5 a^b `c`"), ElementsAre("1", "1", "2", "5", "a", "b", "c"));
}

TEST(UnicodeTokens, HaveOneFormForWhatIsTheSame) {
  EXPECT_THAT(Words("STRASSE Straße straße"), ElementsAre("strasse", "strasse", "strasse"));
  EXPECT_THAT(Words("ΣΟΦΟΣ σοφος"), ElementsAre("σοφοσ", "σοφοσ"));  // Final sigma too.
  EXPECT_THAT(Words("ＡＢＣ１２ ﬁne ½"), ElementsAre("abc12", "fine", "1", "2"));
  // Half width katakana with a voicing mark, and what it stands for.
  EXPECT_THAT(Characters("ﾊﾞ バ"), ElementsAre("バ", " ", "バ"));
  // Letters and their marks in one character or in two; Hangul of jamo.
  EXPECT_EQ(Characters("e\u0301\u00E9"), std::vector<std::string>({"\u00E9", "\u00E9"}));
  EXPECT_THAT(Characters("\u1112\u1161\u11AB"), ElementsAre("한"));
  // A soft hyphen, a zero width space and a byte-order mark are not seen.
  EXPECT_THAT(Words("co\u00ADop no\u200Bthing \uFEFFx"), ElementsAre("coop", "nothing", "x"));
}

TEST(Characters, AreUnicodes) {
  EXPECT_THAT(Characters("Aあ漢😀"), ElementsAre("a", "あ", "漢", "😀"));
  EXPECT_THAT(Characters(" a \t\n b\u3000c "), ElementsAre(" ", "a", " ", "b", " ", "c", " "));
  EXPECT_THAT(Characters("ไทย"), ElementsAre("ไ", "ท", "ย"));
}

TEST(Bytes, AreTakenAsTheyAre) {
  EXPECT_THAT(Tokens(TokenRule::kBytes, absl::string_view("A\xC3\0 ", 4)),
              ElementsAre("A", "\xC3", std::string(1, '\0'), " "));
}

TEST(UnicodeTokens, PassOverBytesThatAreNoCharacters) {
  EXPECT_THAT(Words("a\xFF\xC3 b\xE2\x80"), ElementsAre("a", "b"));
  EXPECT_THAT(Words("a\xFF"
                    "b"),
              ElementsAre("a", "b"));
  EXPECT_THAT(Characters("\xF0\x9F"
                         "a\xED\xA0\x80\uFFFD"),
              ElementsAre("a"));
}

// Vocabularies are checked by it.
TEST(UnicodeTokens, AreTokensThemselves) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      const uint32_t range = random() % 4;
      const char32_t c = range == 0   ? random() % 0x80
                         : range == 1 ? random() % 0x3000
                         : range == 2 ? 0x3000 + random() % 0xA000
                                      : random() % 0x20000;
      if (c >= 0xD800 && c < 0xE000) continue;
      if (c < 0x80) {
        text += static_cast<char>(c);
      } else if (c < 0x800) {
        text += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
      } else if (c < 0x10000) {
        text += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
                 static_cast<char>(0x80 | (c & 63))};
      } else {
        text += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
                 static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
      }
    }
    for (const TokenRule rule : {TokenRule::kWords, TokenRule::kCharacters, TokenRule::kBytes}) {
      for (const std::string& token : Tokens(rule, text)) {
        ASSERT_TRUE(IsToken(rule, token))
            << "seed 7, trial " << trial << ": \"" << absl::CHexEscape(token) << "\" of \""
            << absl::CHexEscape(text) << "\"";
      }
    }
  }
}

TEST(CheckText, AsksForATokenOfTheRule) {
  SEQ_EXPECT_OK(CheckText("。", TokenRule::kImdb));
  EXPECT_FALSE(CheckText("。", TokenRule::kWords).ok());
  SEQ_EXPECT_OK(CheckText("。", TokenRule::kCharacters));
  EXPECT_FALSE(CheckText("...", TokenRule::kImdb).ok());
  SEQ_EXPECT_OK(CheckText("...", TokenRule::kCharacters));
  EXPECT_FALSE(CheckText(" \u3000", TokenRule::kCharacters).ok());
  EXPECT_FALSE(CheckText("", TokenRule::kBytes).ok());
}

TEST(LoadDatasetByRule, CountsAndEncodesItsTokens) {
  const std::string path = Saved("text,label\nああい,x\nあい,y\nあ,x\nい,y\nああ,x\n", "a.csv");
  const DatasetOptions options{
      .num_words = 6, .maxlen = 4, .validation = 0.4, .tokens = TokenRule::kCharacters};
  SEQ_ASSERT_OK_AND_ASSIGN(const Dataset dataset, LoadDataset(path, options));
  EXPECT_EQ(dataset.vocabulary.rule(), TokenRule::kCharacters);
  EXPECT_THAT(dataset.vocabulary.words(), ElementsAre("あ", "い"));  // Six and three times.
  EXPECT_EQ(dataset.training_words, 9);
  EXPECT_THAT(dataset.vocabulary.Encode("いうあ", 5), ElementsAre(0, 1, 5, 2, 4));
  SEQ_ASSERT_OK_AND_ASSIGN(const TokenSet all,
                           EncodeTexts(path, Split::kTrain, dataset.vocabulary, 4));
  EXPECT_THAT(all.Row(0), ElementsAre(1, 4, 4, 5));
  EXPECT_THAT(all.Row(3), ElementsAre(0, 0, 1, 5));
  EXPECT_THAT(Vocabulary::FromWords({{"あい"}}, 9, TokenRule::kCharacters),
              StatusIs(absl::StatusCode::kInvalidArgument, "the rule 'characters' never gives it"));
}

}  // namespace
}  // namespace seqgraph::data
