#include "tools/report/painter.h"

#include <array>
#include <cmath>
#include <string>

#include "tests/testing.h"
#include "tools/report/chart_png.h"
#include "tools/report/font_files.h"

namespace seqgraph::tools {
namespace {

using ::testing::HasSubstr;

using Color = std::array<int, 3>;

Color At(const Painter& painter, int x, int y) {
  const Pixels& pixels = painter.pixels();
  const size_t at = 3 * (static_cast<size_t>(y) * pixels.width + x);
  return {pixels.rgb[at], pixels.rgb[at + 1], pixels.rgb[at + 2]};
}

constexpr Color kWhite = {255, 255, 255}, kRed = {255, 0, 0};

// Darkness of all, in whole pixels.
double Ink(const Painter& painter) {
  double ink = 0;
  for (const uint8_t value : painter.pixels().rgb) ink += (255 - value) / 255.0 / 3;
  return ink;
}

class PainterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (FontFiles().empty()) GTEST_SKIP() << "there is no font here";
  }
  static std::unique_ptr<Painter> Make(int width, int height, double scale) {
    return *Painter::Create(width, height, scale);
  }
};

TEST_F(PainterTest, FillsWhatIsWithin) {
  const auto painter = Make(20, 10, 2);
  EXPECT_EQ(painter->pixels().width, 40);
  EXPECT_EQ(painter->pixels().height, 20);
  painter->Fill({{5, 2}, {15, 2}, {15, 7}, {5, 7}}, {0xFF0000});
  EXPECT_EQ(At(*painter, 10, 4), kRed);
  EXPECT_EQ(At(*painter, 29, 13), kRed);
  EXPECT_EQ(At(*painter, 9, 4), kWhite);
  EXPECT_EQ(At(*painter, 10, 3), kWhite);
  EXPECT_EQ(At(*painter, 30, 13), kWhite);
  EXPECT_EQ(At(*painter, 29, 14), kWhite);
}

TEST_F(PainterTest, BlendsByOpacityAndByWhatOfAPixelIsCovered) {
  const auto painter = Make(10, 10, 1);
  painter->Fill({{0, 0}, {5, 0}, {5, 5}, {0, 5}}, {0x000000, 0.2});
  EXPECT_EQ(At(*painter, 2, 2), (Color{204, 204, 204}));
  painter->Fill({{6, 6}, {8.5, 6}, {8.5, 8}, {6, 8}}, {0x000000});
  EXPECT_EQ(At(*painter, 7, 7), (Color{0, 0, 0}));
  EXPECT_NEAR(At(*painter, 8, 7)[0], 128, 2);
}

TEST_F(PainterTest, LinesAreAsWideAsTheyAreToBeAndDashed) {
  auto painter = Make(100, 20, 1);
  painter->Stroke({{10, 10}, {90, 10}}, 2, {0xFF0000});
  EXPECT_EQ(At(*painter, 50, 9), kRed);
  EXPECT_EQ(At(*painter, 50, 10), kRed);
  EXPECT_EQ(At(*painter, 50, 8), kWhite);
  EXPECT_EQ(At(*painter, 50, 11), kWhite);
  EXPECT_EQ(At(*painter, 9, 10), kWhite);
  EXPECT_EQ(At(*painter, 90, 10), kWhite);
  painter = Make(100, 20, 1);
  painter->Stroke({{10, 10}, {33, 10}, {90, 10}}, 2, {0xFF0000}, {{6, 4}});  // across a corner
  for (int x = 10; x < 90; ++x) {
    EXPECT_EQ(At(*painter, x, 10), (x - 10) % 10 < 6 ? kRed : kWhite) << x;
  }
}

TEST_F(PainterTest, ALongLineHasNoGaps) {
  const auto painter = Make(1000, 20, 1);
  Painter::Points line;
  for (int i = 0; i <= 3900; ++i) line.emplace_back(10 + i * 0.25, 10);
  painter->Stroke(line, 2, {0xFF0000});
  for (int x = 10; x < 985; ++x) ASSERT_EQ(At(*painter, x, 10), kRed) << x;
}

TEST_F(PainterTest, LettersStandOnTheirLineAndTakeTheirWidth) {
  const auto painter = Make(200, 40, 2);
  const Painter::TextStyle style{.size = 20};
  const double width = painter->TextWidth("HHHH", style);
  EXPECT_GT(width, 40);
  EXPECT_LT(width, 80);
  EXPECT_GT(painter->TextWidth("HHHH", {.size = 20, .bold = true}), width);
  EXPECT_NEAR(painter->TextWidth("HHHHHHHH", style), 2 * width, 0.1);
  painter->Text("HHHH", 10, 30, style, {0x000000});
  int left = 1000, right = 0, top = 1000, bottom = 0;
  for (int y = 0; y < 80; ++y) {
    for (int x = 0; x < 400; ++x) {
      if (At(*painter, x, y)[0] > 128) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  EXPECT_NEAR(left, 20, 6);
  EXPECT_NEAR(right, 2 * (10 + width), 6);
  EXPECT_NEAR(bottom, 60, 1.5);
  EXPECT_NEAR(top, 60 - 2 * 20 * 0.72, 4);  // a capital letter is some 0.72 of its size high
}

TEST_F(PainterTest, TextsOfAnyBytesAreDrawn) {
  const auto painter = Make(400, 40, 1);
  double before = 0;
  for (const std::string text : {"\xff\xfe", "\x01", "\xe2\x80\xae", "\xed\x95\x9c\xea\xb5\xad"}) {
    painter->Text(text, 10, 30, {}, {0x000000});
    EXPECT_GT(Ink(*painter), before) << text;
    EXPECT_GT(painter->TextWidth(text, {}), 0);
    before = Ink(*painter);
  }
  painter->Text("", 10, 30, {}, {0x000000});
  EXPECT_EQ(Ink(*painter), before);
}

TEST_F(PainterTest, WhatLiesOutsideIsLeftOut) {
  const auto painter = Make(10, 10, 1);
  painter->Fill({{-1e6, -1e6}, {1e6, -1e6}, {1e6, 1e6}, {-1e6, 1e6}}, {0xFF0000});
  painter->Stroke({{-500, 5}, {500, 5}}, 2, {0x00FF00}, {{6, 4}});
  painter->Text("far away", 300, -40, {}, {0x000000});
  painter->Fill({}, {0x000000});
  painter->Stroke({{1, 1}}, 2, {0x000000});
}

TEST_F(PainterTest, PicturesHaveABound) {
  EXPECT_THAT(Painter::Create(640, 1'000'000, 2).status().message(), HasSubstr("too large"));
}

TEST_F(PainterTest, ChartsBecomePng) {
  Chart chart;
  chart.title = "loss";
  chart.lines = {{"training", {1, 2, 3}, {1, 0.5, 0.25}, 0},
                 {"validation", {1, 2, 3}, {1, 0.5, NAN}, 1, ChartLine::Style::kDashed},
                 {"dots", {1, 2}, {0.1, INFINITY}, 99, ChartLine::Style::kDots}};
  chart.bands = {{"band", {1, 2}, {0, 0}, {1, 1}, 3}};
  chart.diagonal = true;
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string png, ChartsPng({chart, Chart{}}));
  EXPECT_EQ(png.substr(1, 3), "PNG");
  EXPECT_EQ(png.substr(16, 8), std::string("\0\0\x05\0\0\0\x04\xb0", 8));  // 1280 x 1200
}

}  // namespace
}  // namespace seqgraph::tools
