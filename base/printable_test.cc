#include "base/printable.h"

#include <string>

#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(Printable, WhatATerminalObeysBecomesASpace) {
  EXPECT_EQ(Printable("a\x1b[2Jb\r\nc\td\x7f"), "a [2Jb  c d ");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(Printable("a\u009b2Jb\u0085c"), "a 2Jb c");
  EXPECT_EQ(Printable("user\u202Egpj.exe\u202C \u2066x\u2069 \u2028y\u2029"),
            "user gpj.exe   x   y ");
}

TEST(Printable, AllElseStays) {
  // U+00A0 to U+00BF, with the first byte of C1 controls; U+011B, with the second one of U+009B;
  // marks of direction, which Arabic and Hebrew need; what is cut off; what is no UTF-8.
  for (const char* text :
       {"", "caf\u00e9 \u00a0\u00bf", "\u011b\u065b", "\u200e\u200f\u061c",
        "\u20ac\u202f\u2027\u2065", "\uc0ac\ub791 \U0001F600", "a\xc2", "a\xe2\x80", "\xff\x9b"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, KeepsWhatIsAsked) { EXPECT_EQ(Printable("a\tb\nc\rd", "\n\t"), "a\tb\nc d"); }

}  // namespace
}  // namespace seqgraph
