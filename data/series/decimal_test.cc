#include "data/series/decimal.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

// As the C library has it, which rounds correctly.
float Nearest(const std::string& text) { return std::strtof(text.c_str(), nullptr); }

int plain_count = 0;

void ExpectNearest(const std::string& text) {
  float value = 0;
  ASSERT_EQ(ReadNumber(text, &value), NumberText::kNumber) << text;
  ASSERT_EQ(std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(Nearest(text))) << text;
  // With the buffer's end at each distance, and what looks like digits to careless arithmetic.
  for (const std::string behind : {",", ",1", "\n12.5,7", "\xFF\xB0\xB1\xB2:;/9", "\t12345678"}) {
    const std::string field = text + behind;
    const char* at = field.data();
    if (!ReadPlainDecimal(&at, field.data() + field.size(), &value)) {
      ASSERT_EQ(at, field.data());
      return;
    }
    ASSERT_EQ(at, field.data() + text.size()) << text;
    ASSERT_EQ(std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(Nearest(text))) << text;
  }
  ++plain_count;
}

TEST(Decimal, IsTheNearestFloat) {
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "1",
                           "-1",
                           "1.5",
                           ".5",
                           "5.",
                           "1e3",
                           "1E-3",
                           "1e+3",
                           "16777216",
                           "16777217",
                           "16777218",
                           "16777219",
                           "0.1",
                           "3.4028234663852886e38",
                           "1.17549435e-38",
                           "1.4e-45",
                           "1e-50",
                           "123456789012345678901234567890",
                           "0.000000000000000000000000000001",
                           "9007199254740993",
                           "9007199254740992",
                           "1.00000017881393432617187499",
                           "1.000000178813934326171875",
                           "1.00000017881393432617187501",
                           "340282346638528859.8e21",
                           "8388609.5",
                           "8388608.500000001",
                           "0.00000000000000000000001e22"}) {
    ExpectNearest(text);
  }
}

// In the middle between two floats, or so near that the double is: where rounding twice goes wrong.
TEST(Decimal, IsRoundedOnce) {
  std::mt19937_64 random(20261128);
  for (int i = 0; i < 20000; ++i) {
    const float low = std::ldexp(1 + static_cast<float>(random() % (1 << 23)) / (1 << 23),
                                 static_cast<int>(random() % 40) - 20);
    const double middle =
        (static_cast<double>(low) + static_cast<double>(std::nextafterf(low, HUGE_VALF))) / 2;
    std::string text = absl::StrFormat("%.60f", middle);  // Exact.
    text.resize(text.find_last_not_of('0') + 1);
    ExpectNearest(text);
    ExpectNearest(text + "0000000001");
    text.back() = static_cast<char>(text.back() - 1);
    ExpectNearest(text + "99999999");
    ExpectNearest(absl::StrFormat("%.*g", 15 + static_cast<int>(random() % 5), middle));
    if (HasFatalFailure()) return;
  }
}

TEST(Decimal, RandomTextsAreTheNearestFloat) {
  std::mt19937_64 random(7);
  plain_count = 0;
  constexpr int kTexts = 200000;
  for (int i = 0; i < kTexts; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    for (uint64_t n = 1 + random() % 12; n > 0; --n) absl::StrAppend(&text, random() % 10);
    if (random() % 4 != 0) {
      const size_t digits = text.find_first_not_of('-');
      text.insert(digits + random() % (text.size() - digits + 1), ".");
    }
    for (uint64_t n = random() % 9; n > 0; --n) absl::StrAppend(&text, random() % 10);
    if (random() % 4 == 0) absl::StrAppend(&text, "e", static_cast<int>(random() % 70) - 35);
    float value;
    if (ReadNumber(text, &value) == NumberText::kHuge) {
      EXPECT_TRUE(std::isinf(Nearest(text))) << text;
      continue;
    }
    ExpectNearest(text);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(plain_count, kTexts / 2);
}

TEST(Decimal, DoublesAreThoseOfTheCLibrary) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 100000; ++i) {
    const std::string text = absl::StrFormat(
        "%.*g", 1 + static_cast<int>(random() % 19),
        std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 120) - 110));
    const std::string field = text + "\n";
    const char* at = field.data();
    double value;
    if (ReadPlainDecimal(&at, field.data() + field.size(), &value)) {
      ASSERT_EQ(std::bit_cast<uint64_t>(value),
                std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)))
          << text;
    }
    ASSERT_EQ(ReadNumber(text, &value), NumberText::kNumber);
    ASSERT_EQ(value, std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(Decimal, OtherTexts) {
  const auto kind = [](absl::string_view text) {
    float value = 7;
    const NumberText read = ReadNumber(text, &value);
    EXPECT_EQ(std::isnan(value), read == NumberText::kMissing) << text;
    return read;
  };
  for (const char* text : {"", " ", "NaN", "nan", "NA", "N/A", "null", "NULL", "None", " NaN\t"}) {
    EXPECT_EQ(kind(text), NumberText::kMissing) << text;
  }
  for (const char* text : {"+1", " 1.5 ", "+.5", "1e-60"}) {
    EXPECT_EQ(kind(text), NumberText::kNumber) << text;
  }
  for (const char* text : {"a", "1a", "1,5", "1.5.2", "--1", "+-1", "1e", "0x10", "1_000", "-", "+",
                           ".", "e5", "1 2", "-nan", "nan(1)",
                           "\xEF\xBB\xBF"
                           "1"}) {
    EXPECT_EQ(kind(text), NumberText::kNone) << text;
  }
  for (const char* text : {"inf", "-inf", "Infinity", "+inf"}) {
    EXPECT_EQ(kind(text), NumberText::kInfinite) << text;
  }
  for (const char* text : {"1e39", "-1e39", "1e999", "3.4028236e38"}) {
    EXPECT_EQ(kind(text), NumberText::kHuge) << text;
  }
  EXPECT_EQ(kind(std::string(1001, '1')), NumberText::kNone);
}

}  // namespace
}  // namespace seqgraph::data
