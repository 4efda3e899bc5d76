#include "tools/drawing/markup.h"

#include <string>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

constexpr char kReplaced[] = "\xEF\xBF\xBD";

TEST(EscapeMarkupTest, WhatMeansSomethingInMarkupBecomesReferences) {
  EXPECT_EQ(EscapeMarkup("<script>alert(\"a\" + 'b') && 1</script>"),
            "&lt;script&gt;alert(&quot;a&quot; + &#39;b&#39;) &amp;&amp; 1&lt;/script&gt;");
  EXPECT_EQ(EscapeMarkup("&amp;"), "&amp;amp;");
}

TEST(EscapeMarkupTest, OtherTextStaysAsItIs) {
  const std::string text =
      "plain, \t\n \xED\x95\x9C\xEA\xB8\x80 \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D "
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x94\xAC";  // with a joiner
  EXPECT_EQ(EscapeMarkup(text), text);
  EXPECT_EQ(EscapeMarkup(""), "");
}

TEST(EscapeMarkupTest, ControlsAreReplaced) {
  for (int c = 0; c < 0x20; ++c) {
    const std::string text(1, static_cast<char>(c));
    EXPECT_EQ(EscapeMarkup(text), c == '\t' || c == '\n' ? text : kReplaced) << c;
  }
  EXPECT_EQ(EscapeMarkup("\x7F"), kReplaced);
  EXPECT_EQ(EscapeMarkup("a\xC2\x85z"), std::string("a") + kReplaced + "z");  // U+0085
  EXPECT_EQ(EscapeMarkup("\xC2\xA0"), "\xC2\xA0");                            // U+00A0
}

TEST(EscapeMarkupTest, ControlsOfDirectionAreReplaced) {
  for (const char* control : {"\xD8\x9C", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xAA",
                              "\xE2\x80\xAB", "\xE2\x80\xAC", "\xE2\x80\xAD", "\xE2\x80\xAE",
                              "\xE2\x81\xA6", "\xE2\x81\xA7", "\xE2\x81\xA8", "\xE2\x81\xA9"}) {
    EXPECT_EQ(EscapeMarkup(control), kReplaced);
  }
  EXPECT_EQ(EscapeMarkup("\xE2\x80\xA9"), "\xE2\x80\xA9");  // U+2029, which is none
}

TEST(EscapeMarkupTest, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(EscapeMarkup("a\xFF<"), std::string("a") + kReplaced + "&lt;");
  EXPECT_EQ(EscapeMarkup("\xE2\x82"), kReplaced);      // cut
  EXPECT_EQ(EscapeMarkup("\xEF\xBF\xBE"), kReplaced);  // U+FFFE
  EXPECT_EQ(EscapeMarkup("\xEF\xB7\x90"), kReplaced);  // U+FDD0
  // An overlong '<' must not come through as one byte of it.
  EXPECT_EQ(EscapeMarkup("\xC0\xBC").find('<'), std::string::npos);
  EXPECT_EQ(EscapeMarkup("\xED\xA0\x80").find('\xED'), std::string::npos);  // a surrogate
}

}  // namespace
}  // namespace seqgraph::tools
