#include "tools/report/chart.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tools/drawing/markup.h"
#include "tools/report/chart_drawing.h"

namespace seqgraph::tools {
namespace {

constexpr ChartColor kColors[] = {
    {"#2457c5", "#86aeff"}, {"#c2410c", "#ffa066"}, {"#0f766e", "#4fd1c5"}, {"#8b2fd6", "#cba6ff"},
    {"#b91c6b", "#ff8ac2"}, {"#4d7c0f", "#b7d86b"}, {"#0369a1", "#67c7f5"}, {"#7c2d12", "#e5b08c"}};

constexpr int kColorCount = static_cast<int>(std::size(kColors));

std::string Number(double pixels) { return absl::StrFormat("%.5g", std::round(pixels * 10) / 10); }

class SvgCanvas : public ChartCanvas {
 public:
  void Path(PathKind kind, int color, const std::vector<Points>& lines) override {
    static constexpr const char* kClasses[] = {"grid",        "axis",      "axis dashed", "line",
                                               "line dashed", "line wide", "band"};
    std::string d;
    for (const Points& points : lines) {
      const char* command = "M";
      for (const auto& [x, y] : points) {
        absl::StrAppend(&d, command, Number(x), " ", Number(y));
        command = "L";
      }
    }
    if (kind == PathKind::kBand && !d.empty()) d += "Z";
    const std::string path =
        absl::StrCat("<path class=\"", kClasses[static_cast<int>(kind)], "\" d=\"", d, "\"/>");
    if (kind <= PathKind::kDashedAxis) {
      text_ += path;
    } else {
      absl::StrAppend(&text_, "<g class=\"c", color % kColorCount, "\">", path, "</g>");
    }
  }

  void Dots(int color, const Points& points) override {
    absl::StrAppend(&text_, "<g class=\"dot c", color % kColorCount, "\">");
    for (const auto& [x, y] : points) {
      absl::StrAppend(&text_, R"(<circle r="3" cx=")", Number(x), R"(" cy=")", Number(y), R"("/>)");
    }
    text_ += "</g>";
  }

  void Text(TextKind kind, Anchor anchor, double x, double y, const std::string& text) override {
    text_ += "<text";
    if (kind == TextKind::kLabel) text_ += R"( class="label")";
    if (kind == TextKind::kTitle) text_ += R"( class="title")";
    if (anchor != Anchor::kStart) {
      absl::StrAppend(&text_, R"( text-anchor=")", anchor == Anchor::kEnd ? "end" : "middle", "\"");
    }
    if (kind == TextKind::kTick && anchor == Anchor::kEnd) {
      text_ += R"( dominant-baseline="middle")";
    }
    absl::StrAppend(&text_, R"( x=")", Number(x), R"(" y=")", Number(y), "\">", EscapeMarkup(text),
                    "</text>");
  }

  std::string Take() { return std::exchange(text_, ""); }

 private:
  std::string text_;
};

std::string DrawingOf(const Chart& chart, ChartSize size, bool with_title) {
  SvgCanvas canvas;
  if (with_title) DrawTitle(chart, size, canvas);
  DrawChart(chart, size, canvas);
  return canvas.Take();
}

std::string Style() {
  std::string light, dark;
  for (size_t i = 0; i < std::size(kColors); ++i) {
    absl::StrAppend(&light, ".c", i, "{color:", kColors[i].light, "}");
    absl::StrAppend(&dark, ".c", i, "{color:", kColors[i].dark, "}");
  }
  return absl::StrCat(
      "<style>svg{font:12px system-ui,sans-serif;background:#fff;color:#1a1d24}"
      "text{fill:#4d5563}.title{font-size:14px;font-weight:600;fill:#1a1d24}"
      ".grid{stroke:#e3e6eb}.axis{stroke:#8a92a0;fill:none}"
      ".line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}"
      ".dashed{stroke-dasharray:6 4}.wide{stroke-width:10;opacity:.25}"
      ".band{fill:currentColor;opacity:.18}.dot{fill:currentColor}",
      light,
      "@media(prefers-color-scheme:dark){svg{background:#171b23;color:#e6e9ef}text{fill:#a9b1c0}"
      ".title{fill:#e6e9ef}.grid{stroke:#2b313d}.axis{stroke:#6a7282}",
      dark, "}</style>");
}

std::string Svg(ChartSize size, const std::string& label, const std::string& inner) {
  return absl::StrFormat(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">)"
      "%s</svg>",
      size.width, size.height, EscapeMarkup(label), inner);
}

nlohmann::json Numbers(const std::vector<double>& numbers) {
  nlohmann::json list = nlohmann::json::array();
  for (const double number : numbers) {
    if (!std::isfinite(number)) {
      list.push_back(nullptr);
      continue;
    }
    // Six digits are more than a screen shows; a shorter text is a smaller page.
    const double rounded = std::strtod(absl::StrFormat("%.6g", number).c_str(), nullptr);
    if (rounded == std::round(rounded) && std::abs(rounded) < 1e15) {
      list.push_back(static_cast<int64_t>(rounded));
    } else {
      list.push_back(rounded);
    }
  }
  return list;
}

}  // namespace

absl::Span<const ChartColor> ChartColors() { return kColors; }

std::vector<double> Ticks(double low, double high, int about) {
  if (!(high > low) || !std::isfinite(high - low)) return {};
  const double rough = (high - low) / about;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  const double step = power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    ticks.push_back(i == 0 ? 0 : i * step);
    if (ticks.size() > 100) break;
  }
  return ticks;
}

std::vector<double> LogTicks(double low, double high) {
  std::vector<double> ticks;
  const bool fine = std::log10(high / low) < 2;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  const int apart = std::max(1, (last - first) / 8);
  for (int power = first; power <= last; power += apart) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tick = digit * std::pow(10, power);
      if ((digit == 1 || fine) && tick >= low && tick <= high) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::string TickText(double number) {
  const double size = std::abs(number);
  if (size >= 1e4 && size < 1e6) return absl::StrFormat("%.4gk", number / 1e3);
  if (size >= 1e6 && size < 1e9) return absl::StrFormat("%.4gM", number / 1e6);
  return absl::StrFormat("%.4g", number);
}

void Thin(std::vector<double>& x, std::vector<double>& y, size_t most) {
  if (x.size() <= most || most < 4) return;
  const size_t buckets = (most - 2) / 2;
  std::vector<size_t> kept = {0};
  const auto keep = [&](size_t i) {
    if (i > kept.back()) kept.push_back(i);
  };
  for (size_t b = 0; b < buckets; ++b) {
    const size_t begin = 1 + b * (x.size() - 2) / buckets;
    const size_t end = 1 + (b + 1) * (x.size() - 2) / buckets;
    size_t least = begin, largest = begin;
    for (size_t i = begin; i < end; ++i) {
      if (y[i] < y[least] || std::isnan(y[least])) least = i;
      if (y[i] > y[largest] || std::isnan(y[largest])) largest = i;
    }
    keep(std::min(least, largest));
    keep(std::max(least, largest));
  }
  keep(x.size() - 1);
  for (size_t i = 0; i < kept.size(); ++i) {
    x[i] = x[kept[i]];
    y[i] = y[kept[i]];
  }
  x.resize(kept.size());
  y.resize(kept.size());
}

std::string ChartSvg(const Chart& chart, ChartSize size, bool standalone) {
  return Svg(size, chart.title,
             absl::StrCat(standalone ? Style() : "", DrawingOf(chart, size, standalone)));
}

std::string ChartsSvg(absl::Span<const Chart> charts, ChartSize size) {
  std::string inner = Style(), label;
  int top = 0;
  for (const Chart& chart : charts) {
    absl::StrAppend(&inner, "<g transform=\"translate(0 ", top, ")\">",
                    DrawingOf(chart, size, /*with_title=*/true), "</g>\n");
    absl::StrAppend(&label, label.empty() ? "" : ", ", chart.title);
    top += size.height;
  }
  return Svg({size.width, std::max(top, 1)}, label, inner) + "\n";
}

std::string ChartsJson(absl::Span<const Chart> charts) {
  nlohmann::json all = nlohmann::json::array();
  for (const Chart& chart : charts) {
    nlohmann::json json = {{"title", chart.title},
                           {"x", chart.x_label},
                           {"y", chart.y_label},
                           {"log", chart.log_y},
                           {"diagonal", chart.diagonal},
                           {"whole", chart.whole_x},
                           {"smooth", chart.can_smooth},
                           {"lines", nlohmann::json::array()},
                           {"bands", nlohmann::json::array()}};
    if (chart.x_range) json["xr"] = {chart.x_range->first, chart.x_range->second};
    if (chart.y_range) json["yr"] = {chart.y_range->first, chart.y_range->second};
    for (const ChartLine& line : chart.lines) {
      const char* style = line.style == ChartLine::Style::kDots     ? "dots"
                          : line.style == ChartLine::Style::kDashed ? "dashed"
                                                                    : "";
      json["lines"].push_back({{"name", ShortName(line.name)},
                               {"c", line.color % kColorCount},
                               {"style", style},
                               {"x", Numbers(line.x)},
                               {"y", Numbers(line.y)}});
    }
    for (const ChartBand& band : chart.bands) {
      json["bands"].push_back({{"name", ShortName(band.name)},
                               {"c", band.color % kColorCount},
                               {"x", Numbers(band.x)},
                               {"low", Numbers(band.low)},
                               {"high", Numbers(band.high)}});
    }
    all.push_back(std::move(json));
  }
  // "</script" and "<!--" are what could end or change the element; U+2028 could end a line.
  return absl::StrReplaceAll(all.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                             {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}});
}

}  // namespace seqgraph::tools
