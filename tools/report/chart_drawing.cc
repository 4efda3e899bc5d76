#include "tools/report/chart_drawing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace seqgraph::tools {
namespace {

using Anchor = ChartCanvas::Anchor;
using PathKind = ChartCanvas::PathKind;
using Points = ChartCanvas::Points;
using TextKind = ChartCanvas::TextKind;

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

std::vector<Points> LinesOf(const ChartLine& line, const Scale& x, const Scale& y) {
  std::vector<double> xs = line.x, ys = line.y;
  Thin(xs, ys, 600);
  std::vector<Points> lines;
  bool pen = false;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (!x.Has(xs[i]) || !y.Has(ys[i])) {
      pen = false;
      continue;
    }
    if (!pen) lines.emplace_back();
    lines.back().emplace_back(x(xs[i]), y(ys[i]));
    pen = true;
  }
  return lines;
}

Points DotsOf(const ChartLine& line, const Scale& x, const Scale& y) {
  constexpr size_t kMostDots = 400;
  const size_t stride = (line.x.size() + kMostDots - 1) / kMostDots;
  Points dots;
  for (size_t i = 0; i < line.x.size(); i += std::max<size_t>(stride, 1)) {
    if (x.Has(line.x[i]) && y.Has(line.y[i])) dots.emplace_back(x(line.x[i]), y(line.y[i]));
  }
  return dots;
}

// There along the upper line, and back along the lower one.
Points AreaOf(const ChartBand& band, const Scale& x, const Scale& y) {
  Points there, back;
  for (size_t i = 0; i < band.x.size(); ++i) {
    if (!x.Has(band.x[i]) || !y.Has(band.low[i]) || !y.Has(band.high[i])) continue;
    there.emplace_back(x(band.x[i]), y(band.high[i]));
    back.emplace_back(x(band.x[i]), y(band.low[i]));
  }
  there.insert(there.end(), back.rbegin(), back.rend());
  return there;
}

// Marks, and the numbers beside them.
void DrawAxes(const Chart& chart, const Scale& x, const Scale& y, ChartSize size,
              ChartCanvas& canvas) {
  for (const double tick : y.log ? LogTicks(y.low, y.high) : Ticks(y.low, y.high, 5)) {
    canvas.Path(PathKind::kGrid, 0, {{{x.from, y(tick)}, {x.to, y(tick)}}});
    canvas.Text(TextKind::kTick, Anchor::kEnd, x.from - 6, y(tick), TickText(tick));
  }
  for (const double tick : Ticks(x.low, x.high, std::max(3, size.width / 90))) {
    if (chart.whole_x && tick != std::round(tick)) continue;
    canvas.Text(TextKind::kTick, Anchor::kMiddle, x(tick), y.from + 16, TickText(tick));
  }
  canvas.Path(PathKind::kAxis, 0, {{{x.from, y.to}, {x.from, y.from}, {x.to, y.from}}});
  canvas.Text(TextKind::kLabel, Anchor::kEnd, x.to, y.from + 32, chart.x_label);
  canvas.Text(TextKind::kLabel, Anchor::kStart, 8, 14, chart.y_label);
}

void DrawLegend(const Chart& chart, ChartSize size, ChartCanvas& canvas) {
  if (chart.lines.size() == 1 && chart.bands.empty() && chart.lines[0].name == chart.title) return;
  double at = 64;
  const auto add = [&](const std::string& name, int color, PathKind kind) {
    const std::string shown = ShortName(name);
    const double width = 34 + 6.6 * static_cast<double>(shown.size());
    if (at + width > size.width) return;  // The page lists them all.
    canvas.Path(kind, color, {{{at, 30}, {at + 18, 30}}});
    canvas.Text(TextKind::kName, Anchor::kStart, at + 23, 34, shown);
    at += width;
  };
  for (const ChartLine& line : chart.lines) {
    add(line.name, line.color,
        line.style == ChartLine::Style::kDashed ? PathKind::kDashedLine : PathKind::kLine);
  }
  for (const ChartBand& band : chart.bands) add(band.name, band.color, PathKind::kWideLine);
}

}  // namespace

void DrawChart(const Chart& chart, ChartSize size, ChartCanvas& canvas) {
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
  DrawAxes(chart, x, y, size, canvas);
  if (chart.diagonal) {
    canvas.Path(PathKind::kDashedAxis, 0, {{{x(x.low), y(x.low)}, {x(x.high), y(x.high)}}});
  }
  for (const ChartBand& band : chart.bands) {
    canvas.Path(PathKind::kBand, band.color, {AreaOf(band, x, y)});
  }
  for (const ChartLine& line : chart.lines) {
    if (line.style == ChartLine::Style::kDots) {
      canvas.Dots(line.color, DotsOf(line, x, y));
    } else {
      const bool dashed = line.style == ChartLine::Style::kDashed;
      canvas.Path(dashed ? PathKind::kDashedLine : PathKind::kLine, line.color,
                  LinesOf(line, x, y));
    }
  }
  DrawLegend(chart, size, canvas);
}

void DrawTitle(const Chart& chart, ChartSize size, ChartCanvas& canvas) {
  canvas.Text(TextKind::kTitle, Anchor::kMiddle, size.width / 2.0, 16, chart.title);
}

std::string ShortName(const std::string& name) {
  constexpr size_t kMost = 40;
  if (name.size() <= kMost) return name;
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "…";
}

}  // namespace seqgraph::tools
