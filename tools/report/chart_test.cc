#include "tools/report/chart.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pointwise;

MATCHER(IsClose, "") { return std::abs(std::get<0>(arg) - std::get<1>(arg)) < 1e-12; }

TEST(TicksTest, AreRoundNumbers) {
  EXPECT_THAT(Ticks(0, 1, 5), Pointwise(IsClose(), {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT(Ticks(-0.03, 0.031, 3), Pointwise(IsClose(), {-0.02, 0.0, 0.02}));
  EXPECT_THAT(Ticks(1, 100, 5), Pointwise(IsClose(), {20.0, 40.0, 60.0, 80.0, 100.0}));
  EXPECT_THAT(Ticks(1, 1, 5), IsEmpty());
  EXPECT_THAT(Ticks(NAN, 1, 5), IsEmpty());
  EXPECT_THAT(Ticks(-INFINITY, 1, 5), IsEmpty());
  EXPECT_THAT(LogTicks(0.5, 20), Pointwise(IsClose(), {0.5, 1.0, 2.0, 5.0, 10.0, 20.0}));
  EXPECT_THAT(LogTicks(0.001, 1000),
              Pointwise(IsClose(), {0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0}));
}

TEST(TicksTest, AreShortTexts) {
  EXPECT_EQ(TickText(0.1 + 0.2), "0.3");
  EXPECT_EQ(TickText(0.00002), "2e-05");
  EXPECT_EQ(TickText(12000), "12k");
  EXPECT_EQ(TickText(2.5e6), "2.5M");
  EXPECT_EQ(TickText(0), "0");
}

TEST(ThinTest, KeepsEndsAndSpikes) {
  std::vector<double> x(10'000), y(10'000);
  std::iota(x.begin(), x.end(), 0.0);
  y[4321] = 7;
  y[777] = -3;
  y[9999] = 0.5;
  Thin(x, y, 100);
  EXPECT_LE(x.size(), 100u);
  EXPECT_EQ(x.front(), 0);
  EXPECT_EQ(x.back(), 9999);
  EXPECT_EQ(y.back(), 0.5);
  EXPECT_EQ(x[std::max_element(y.begin(), y.end()) - y.begin()], 4321);
  EXPECT_EQ(x[std::min_element(y.begin(), y.end()) - y.begin()], 777);
  EXPECT_TRUE(std::is_sorted(x.begin(), x.end()));
}

TEST(ThinTest, LeavesWhatIsShort) {
  std::vector<double> x = {1, 2, 3}, y = {NAN, 2, 1};
  Thin(x, y, 100);
  EXPECT_THAT(x, ElementsAre(1, 2, 3));
  std::vector<double> more_x(50), nans(50, NAN);
  Thin(more_x, nans, 10);
  EXPECT_LE(nans.size(), 10u);
}

// x from 1 to 3 is 56 to 626 px; y from 0 to 1 is 262 to 44 px.
TEST(ChartSvgTest, PutsPointsWhereTheyBelong) {
  Chart chart;
  chart.title = "loss";
  chart.x_label = "epoch";
  chart.y_range = {0, 1};
  chart.lines = {{"training", {1, 2, 3}, {1, 0.5, 0}, 0}};
  const std::string svg = ChartSvg(chart, {640, 300});
  EXPECT_THAT(svg, HasSubstr("d=\"M56 44L341 153L626 262\""));
  EXPECT_THAT(svg, HasSubstr(">epoch</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("<style>")));
  EXPECT_THAT(ChartSvg(chart, {640, 300}, /*standalone=*/true), HasSubstr("<style>"));
}

TEST(ChartSvgTest, ALineEndsAtWhatIsNoNumber) {
  Chart chart;
  chart.y_range = {0, 1};
  chart.lines = {{"a", {1, 2, 3, 4}, {1, NAN, 1, 0}, 0}};
  EXPECT_THAT(ChartSvg(chart, {640, 300}), HasSubstr("d=\"M56 44M436 44L626 262\""));
}

TEST(ChartSvgTest, DrawsWhatIsHardToDraw) {
  Chart chart;
  EXPECT_THAT(ChartSvg(chart), HasSubstr("<svg"));
  chart.lines = {{"a", {1}, {5}, 3}, {"b", {}, {}, 99}, {"c", {1, 2}, {NAN, INFINITY}, 1}};
  for (const bool log : {false, true}) {
    chart.log_y = log;
    const std::string svg = ChartSvg(chart);
    EXPECT_THAT(svg, Not(ContainsRegex("[^a-z]nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
  chart.lines = {{"a", {1, 2}, {-1, 0}, 0}};  // nothing of it has a logarithm
  EXPECT_THAT(ChartSvg(chart), Not(ContainsRegex("[^a-z]nan")));
}

TEST(ChartSvgTest, TextsAreTexts) {
  Chart chart;
  chart.title = "</svg><script>alert(1)</script>";
  chart.lines = {{"\"onload=x <b>", {1, 2}, {1, 2}, 0}, {"b", {1, 2}, {1, 2}, 1}};
  for (const std::string& svg : {ChartSvg(chart, {}, true), ChartsSvg({chart, chart})}) {
    EXPECT_THAT(svg, Not(HasSubstr("<script")));
    EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  }
  const std::string json = ChartsJson({chart});
  EXPECT_THAT(json, Not(HasSubstr("<")));
  EXPECT_EQ(nlohmann::json::parse(json)[0]["title"], chart.title);
}

TEST(ChartsJsonTest, HasNumbersInShort) {
  Chart chart;
  chart.lines = {{"a", {1, 2}, {0.123456789, NAN}, 9, ChartLine::Style::kDashed}};
  const auto line = nlohmann::json::parse(ChartsJson({chart}))[0]["lines"][0];
  EXPECT_EQ(line["y"].dump(), "[0.123457,null]");
  EXPECT_EQ(line["x"].dump(), "[1,2]");
  EXPECT_EQ(line["c"], 1);
  EXPECT_EQ(line["style"], "dashed");
}

// (L1 + 0.05) / (L2 + 0.05) of relative luminances, WCAG 2.2.
double Contrast(const std::string& a, const std::string& b) {
  const auto luminance = [](const std::string& color) {
    double sum = 0;
    const double weights[] = {0.2126, 0.7152, 0.0722};
    for (size_t i = 0; i < 3; ++i) {
      const double c = std::stoi(color.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
      sum += weights[i] * (c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(ChartColorsTest, StandOutFromTheirGround) {
  EXPECT_NEAR(Contrast("#000000", "#ffffff"), 21, 1e-9);
  for (const ChartColor& color : ChartColors()) {
    EXPECT_GE(Contrast(color.light, "#ffffff"), 4.5) << color.light;
    EXPECT_GE(Contrast(color.dark, "#171b23"), 4.5) << color.dark;
  }
}

}  // namespace
}  // namespace seqgraph::tools
