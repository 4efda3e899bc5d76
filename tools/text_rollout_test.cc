#include "tools/text_rollout.h"

#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

constexpr char kNone[] = "\xEF\xBF\xBD";

// What comes of each of the parts, and of the end.
std::vector<std::string> Added(const std::vector<std::string>& parts) {
  WholeCharacters characters;
  std::vector<std::string> whole;
  for (const std::string& part : parts) whole.push_back(characters.Add(part));
  whole.push_back(characters.End());
  return whole;
}

TEST(WholeCharacters, WaitForTheirLastByte) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Added({"a", "bc"}), (Texts{"a", "bc", ""}));
  EXPECT_EQ(Added({"\xC3", "\xA9"}), (Texts{"", "\xC3\xA9", ""}));
  EXPECT_EQ(Added({"\xE3", "\x81", "\x82z"}), (Texts{"", "", "\xE3\x81\x82z", ""}));
  EXPECT_EQ(Added({"\xF0\x9F", "\x98\x80"}), (Texts{"", "\xF0\x9F\x98\x80", ""}));
}

TEST(WholeCharacters, WhatIsNoneIsReplaced) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Added({"\xFF"}), (Texts{kNone, ""}));
  EXPECT_EQ(Added({"\x80", "a"}), (Texts{kNone, "a", ""}));
  // Begun and not ended: by the next character, or the text.
  EXPECT_EQ(Added({"\xE3\x81", "b"}), (Texts{"", std::string(kNone) + "b", ""}));
  EXPECT_EQ(Added({"\xC3"}), (Texts{"", kNone}));
  // A surrogate, and a slash in three bytes.
  EXPECT_EQ(Added({"\xED\xA0\x80"}), (Texts{kNone, ""}));
  EXPECT_EQ(Added({"\xE0\x80\xAF"}), (Texts{kNone, ""}));
}

}  // namespace
}  // namespace seqgraph::tools
