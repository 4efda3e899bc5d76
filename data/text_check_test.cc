#include "data/text_check.h"

#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using namespace std::string_literals;

TEST(CheckText, TakesWellFormedUtf8) {
  // The smallest and largest code points of each length, around the surrogates too.
  SEQ_EXPECT_OK(
      CheckText("a\x7F \xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 "
                "\xEF\xBF\xBF \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
}

TEST(CheckText, RefusesIllFormedUtf8) {
  for (const std::string& bad :
       {"\x80"s, "\xBF"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC2"s, "\xC2 "s, "\xE0\x9F\xBF"s, "\xE1\x80"s,
        "\xED\xA0\x80"s, "\xF0\x8F\xBF\xBF"s, "\xF1\x80\x80"s, "\xF4\x90\x80\x80"s,
        "\xF5\x80\x80\x80"s, "\xFF"s}) {
    for (size_t before = 0; before < 20; ++before) {  // At each place in a block of eight.
      EXPECT_THAT(
          CheckText(std::string(before, 'x') + bad + "yyyyyyyyyyyyyyyy"),
          StatusIs(absl::StatusCode::kInvalidArgument, "at offset " + std::to_string(before)));
    }
  }
}

TEST(CheckText, RefusesNulAtAnyPlace) {
  for (size_t before = 0; before < 20; ++before) {
    EXPECT_THAT(CheckText(std::string(before, '\x01') + "\0yyyyyyyyyyyyyyyy"s),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "NUL byte at offset " + std::to_string(before)));
  }
}

TEST(CheckText, RefusesTextWithoutWords) {
  for (const std::string& bad : {""s, "   "s, " .,\n\t-- "s}) {
    EXPECT_THAT(CheckText(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                         "at least one word, found none in " +
                                             std::to_string(bad.size()) + " bytes"));
  }
  SEQ_EXPECT_OK(CheckText("........'"));
}

}  // namespace
}  // namespace seqgraph::data
