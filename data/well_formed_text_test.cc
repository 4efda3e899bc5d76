#include "data/well_formed_text.h"

#include "gtest/gtest.h"

namespace seqgraph::data {
namespace {

constexpr char kReplaced[] = "\xEF\xBF\xBD";

TEST(WellFormedTextTest, TextStaysAsItIs) {
  for (const char* text : {"", "plain", "\xED\x95\x9C", "\xF0\x9F\x98\x80", "a\x01\n"}) {
    EXPECT_EQ(WellFormedText(text), text);
  }
}

TEST(WellFormedTextTest, WrongBytesAreReplaced) {
  EXPECT_EQ(WellFormedText("a\xFFz"), std::string("a") + kReplaced + "z");
  EXPECT_EQ(WellFormedText("\xE2\x82"), kReplaced);  // cut: one part
  EXPECT_EQ(WellFormedText("\xE2\x82z"), std::string(kReplaced) + "z");
  EXPECT_EQ(WellFormedText("\x80\x80"), std::string(kReplaced) + kReplaced);
  EXPECT_EQ(WellFormedText("\xC0\xBC").find('<'), std::string::npos);  // overlong
}

}  // namespace
}  // namespace seqgraph::data
