#include "tools/report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tools/drawing/markup.h"

namespace seqgraph::tools {
namespace {

constexpr ChartColor kColors[] = {
    {"#2457c5", "#86aeff"}, {"#c2410c", "#ffa066"}, {"#0f766e", "#4fd1c5"}, {"#8b2fd6", "#cba6ff"},
    {"#b91c6b", "#ff8ac2"}, {"#4d7c0f", "#b7d86b"}, {"#0369a1", "#67c7f5"}, {"#7c2d12", "#e5b08c"}};

// An axis from data to pixels.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  bool log = false;

  double operator()(double value) const {
    const double at =
        log ? std::log10(value / low) / std::log10(high / low) : (value - low) / (high - low);
    return from + at * (to - from);
  }
  bool Has(double value) const { return std::isfinite(value) && (!log || value > 0); }
};

void Widen(const std::vector<double>& values, bool log, double& low, double& high) {
  for (const double value : values) {
    if (!std::isfinite(value) || (log && value <= 0)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
}

Scale AxisOf(double low, double high, bool log, bool pad, double from, double to) {
  if (!(low <= high)) {
    low = log ? 0.1 : 0;
    high = 1;
  }
  if (low == high) {
    const double by = low == 0 ? 1 : std::abs(low) * 0.1;
    low = log ? low / 2 : low - by;
    high = log ? high * 2 : high + by;
  } else if (pad && log) {
    const double by = std::pow(high / low, 0.04);
    low /= by;
    high *= by;
  } else if (pad) {
    const double by = (high - low) * 0.04;
    low -= by;
    high += by;
  }
  return {low, high, from, to, log};
}

std::string Number(double pixels) { return absl::StrFormat("%.5g", std::round(pixels * 10) / 10); }

std::string Path(const ChartLine& line, const Scale& x, const Scale& y) {
  std::vector<double> xs = line.x, ys = line.y;
  Thin(xs, ys, 600);
  std::string path;
  bool pen = false;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (!x.Has(xs[i]) || !y.Has(ys[i])) {
      pen = false;
      continue;
    }
    absl::StrAppend(&path, pen ? "L" : "M", Number(x(xs[i])), " ", Number(y(ys[i])));
    pen = true;
  }
  return path;
}

std::string Dots(const ChartLine& line, const Scale& x, const Scale& y) {
  constexpr size_t kMostDots = 400;
  const size_t stride = (line.x.size() + kMostDots - 1) / kMostDots;
  std::string dots;
  for (size_t i = 0; i < line.x.size(); i += std::max<size_t>(stride, 1)) {
    if (!x.Has(line.x[i]) || !y.Has(line.y[i])) continue;
    absl::StrAppend(&dots, R"(<circle r="3" cx=")", Number(x(line.x[i])), R"(" cy=")",
                    Number(y(line.y[i])), R"("/>)");
  }
  return dots;
}

std::string Area(const ChartBand& band, const Scale& x, const Scale& y) {
  std::string there, back;
  for (size_t i = 0; i < band.x.size(); ++i) {
    if (!x.Has(band.x[i]) || !y.Has(band.low[i]) || !y.Has(band.high[i])) continue;
    const std::string at = Number(x(band.x[i]));
    absl::StrAppend(&there, there.empty() ? "M" : "L", at, " ", Number(y(band.high[i])));
    back = absl::StrCat("L", at, " ", Number(y(band.low[i])), back);
  }
  return there.empty() ? "" : there + back + "Z";
}

// Marks, and the numbers beside them.
std::string Axes(const Chart& chart, const Scale& x, const Scale& y, ChartSize size) {
  std::string text;
  for (const double tick : y.log ? LogTicks(y.low, y.high) : Ticks(y.low, y.high, 5)) {
    const std::string at = Number(y(tick));
    absl::StrAppend(&text, R"(<path class="grid" d="M)", Number(x.from), " ", at, "H", Number(x.to),
                    R"("/><text text-anchor="end" dominant-baseline="middle" x=")",
                    Number(x.from - 6), R"(" y=")", at, "\">", TickText(tick), "</text>");
  }
  for (const double tick : Ticks(x.low, x.high, std::max(3, size.width / 90))) {
    if (chart.whole_x && tick != std::round(tick)) continue;
    absl::StrAppend(&text, R"(<text text-anchor="middle" x=")", Number(x(tick)), R"(" y=")",
                    Number(y.from + 16), "\">", TickText(tick), "</text>");
  }
  absl::StrAppend(&text, R"(<path class="axis" d="M)", Number(x.from), " ", Number(y.to), "V",
                  Number(y.from), "H", Number(x.to), R"("/>)");
  absl::StrAppend(&text, R"(<text class="label" text-anchor="end" x=")", Number(x.to), R"(" y=")",
                  Number(y.from + 32), "\">", EscapeMarkup(chart.x_label), "</text>");
  absl::StrAppend(&text, R"(<text class="label" x="8" y="14">)", EscapeMarkup(chart.y_label),
                  "</text>");
  return text;
}

// What of a name fits beside a line.
std::string ShortName(const std::string& name) {
  constexpr size_t kMost = 40;
  if (name.size() <= kMost) return name;
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "…";
}

std::string Legend(const Chart& chart, ChartSize size) {
  if (chart.lines.size() == 1 && chart.bands.empty() && chart.lines[0].name == chart.title)
    return "";
  std::string text;
  double at = 64;
  const auto add = [&](const std::string& name, int color, const char* shape) {
    const std::string shown = ShortName(name);
    const double width = 34 + 6.6 * static_cast<double>(shown.size());
    if (at + width > size.width) return;  // The page lists them all.
    absl::StrAppendFormat(&text, R"(<g class="c%d"><path class="%s" d="M%s 30h18"/></g>)",
                          color % static_cast<int>(std::size(kColors)), shape, Number(at));
    absl::StrAppend(&text, "<text x=\"", Number(at + 23), R"(" y="34">)", EscapeMarkup(shown),
                    "</text>");
    at += width;
  };
  for (const ChartLine& line : chart.lines) {
    add(line.name, line.color, line.style == ChartLine::Style::kDashed ? "line dashed" : "line");
  }
  for (const ChartBand& band : chart.bands) add(band.name, band.color, "line wide");
  return text;
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

// All but the <svg> around it.
std::string Drawing(const Chart& chart, ChartSize size) {
  double low = std::numeric_limits<double>::infinity(), high = -low, left = low, right = -low;
  for (const ChartLine& line : chart.lines) {
    Widen(line.x, false, left, right);
    Widen(line.y, chart.log_y, low, high);
  }
  for (const ChartBand& band : chart.bands) {
    Widen(band.x, false, left, right);
    Widen(band.low, chart.log_y, low, high);
    Widen(band.high, chart.log_y, low, high);
  }
  if (chart.x_range.has_value()) std::tie(left, right) = *chart.x_range;
  if (chart.y_range.has_value()) std::tie(low, high) = *chart.y_range;
  const Scale x = AxisOf(left, right, false, false, 56, size.width - 14);
  const Scale y = AxisOf(low, high, chart.log_y, !chart.y_range.has_value(), size.height - 38, 44);
  std::string text = Axes(chart, x, y, size);
  const auto color = [](int number) { return number % static_cast<int>(std::size(kColors)); };
  if (chart.diagonal) {
    absl::StrAppend(&text, R"(<path class="axis dashed" d="M)", Number(x(x.low)), " ",
                    Number(y(x.low)), "L", Number(x(x.high)), " ", Number(y(x.high)), R"("/>)");
  }
  for (const ChartBand& band : chart.bands) {
    absl::StrAppendFormat(&text, R"(<g class="c%d"><path class="band" d="%s"/></g>)",
                          color(band.color), Area(band, x, y));
  }
  for (const ChartLine& line : chart.lines) {
    if (line.style == ChartLine::Style::kDots) {
      absl::StrAppendFormat(&text, R"(<g class="dot c%d">%s</g>)", color(line.color),
                            Dots(line, x, y));
    } else {
      absl::StrAppendFormat(
          &text, R"(<g class="c%d"><path class="line%s" d="%s"/></g>)", color(line.color),
          line.style == ChartLine::Style::kDashed ? " dashed" : "", Path(line, x, y));
    }
  }
  return text + Legend(chart, size);
}

std::string Title(const Chart& chart, ChartSize size) {
  return absl::StrCat(R"(<text class="title" text-anchor="middle" x=")", size.width / 2,
                      R"(" y="16">)", EscapeMarkup(chart.title), "</text>");
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
             standalone ? absl::StrCat(Style(), Title(chart, size), Drawing(chart, size))
                        : Drawing(chart, size));
}

std::string ChartsSvg(absl::Span<const Chart> charts, ChartSize size) {
  std::string inner = Style(), label;
  int top = 0;
  for (const Chart& chart : charts) {
    absl::StrAppend(&inner, "<g transform=\"translate(0 ", top, ")\">", Title(chart, size),
                    Drawing(chart, size), "</g>\n");
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
                               {"c", line.color % static_cast<int>(std::size(kColors))},
                               {"style", style},
                               {"x", Numbers(line.x)},
                               {"y", Numbers(line.y)}});
    }
    for (const ChartBand& band : chart.bands) {
      json["bands"].push_back({{"name", ShortName(band.name)},
                               {"c", band.color % static_cast<int>(std::size(kColors))},
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
