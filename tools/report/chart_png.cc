#include "tools/report/chart_png.h"

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "base/status_macros.h"
#include "tools/report/chart_drawing.h"
#include "tools/report/painter.h"

namespace seqgraph::tools {
namespace {

constexpr double kPixels = 2;  // for one of the SVG

// As the style of an SVG says it.
constexpr uint32_t kGridColor = 0xE3E6EB, kAxisColor = 0x8A92A0, kTextColor = 0x4D5563,
                   kTitleColor = 0x1A1D24;
constexpr double kDashes[] = {6, 4};

uint32_t InkOf(int number) {
  const ChartColor& color = ChartColors()[static_cast<size_t>(number) % ChartColors().size()];
  return static_cast<uint32_t>(std::strtoul(color.light + 1, nullptr, 16));
}

class PngCanvas : public ChartCanvas {
 public:
  explicit PngCanvas(Painter* painter) : painter_(*painter) {}

  void Path(PathKind kind, int color, const std::vector<Points>& lines) override {
    for (const Points& line : lines) {
      switch (kind) {
        case PathKind::kGrid:
          painter_.Stroke(line, 1, {kGridColor});
          break;
        case PathKind::kAxis:
          painter_.Stroke(line, 1, {kAxisColor});
          break;
        case PathKind::kDashedAxis:
          painter_.Stroke(line, 1, {kAxisColor}, kDashes);
          break;
        case PathKind::kLine:
          painter_.Stroke(line, 1.8, {InkOf(color)});
          break;
        case PathKind::kDashedLine:
          painter_.Stroke(line, 1.8, {InkOf(color)}, kDashes);
          break;
        case PathKind::kWideLine:
          painter_.Stroke(line, 10, {InkOf(color), 0.25});
          break;
        case PathKind::kBand:
          painter_.Fill(line, {InkOf(color), 0.18});
          break;
      }
    }
  }

  void Dots(int color, const Points& points) override {
    constexpr int kCorners = 24;
    for (const auto& [x, y] : points) {
      Points circle;
      for (int i = 0; i < kCorners; ++i) {
        const double angle = 2 * std::numbers::pi * i / kCorners;
        circle.emplace_back(x + 3 * std::cos(angle), y + 3 * std::sin(angle));
      }
      painter_.Fill(circle, {InkOf(color)});
    }
  }

  void Text(TextKind kind, Anchor anchor, double x, double y, const std::string& text) override {
    const bool title = kind == TextKind::kTitle;
    const Painter::TextStyle style{.size = title ? 14.0 : 12.0, .bold = title};
    if (anchor != Anchor::kStart) {
      x -= painter_.TextWidth(text, style) / (anchor == Anchor::kEnd ? 1 : 2);
    }
    if (kind == TextKind::kTick && anchor == Anchor::kEnd) y += style.size * 0.27;  // of the "x"
    painter_.Text(text, x, y, style, {title ? kTitleColor : kTextColor});
  }

 private:
  Painter& painter_;
};

}  // namespace

absl::StatusOr<std::string> ChartsPng(absl::Span<const Chart> charts, ChartSize size) {
  const int64_t height = std::max<int64_t>(static_cast<int64_t>(charts.size()) * size.height, 1);
  if (height > 1'000'000) {
    return ResourceExhausted("a picture of ", charts.size(),
                             " charts is too large; .svg has room for all");
  }
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<Painter> painter,
                       Painter::Create(size.width, static_cast<int>(height), kPixels));
  PngCanvas canvas(painter.get());
  for (size_t i = 0; i < charts.size(); ++i) {
    painter->SetTop(static_cast<double>(i) * size.height);
    DrawTitle(charts[i], size, canvas);
    DrawChart(charts[i], size, canvas);
  }
  return EncodePng(painter->pixels());
}

}  // namespace seqgraph::tools
