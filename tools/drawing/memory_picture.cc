#include "tools/drawing/memory_picture.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/drawing/markup.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kMostBuffers = 5000;
constexpr double kPictureWidth = 960, kPictureHeight = 360, kLeft = 90, kTop = 16, kBelow = 40;

std::string BytesText(int64_t bytes) {
  if (bytes < 10'000) return absl::StrCat(bytes, " B");
  if (bytes < 10'000'000) return absl::StrFormat("%.1f KB", static_cast<double>(bytes) * 1e-3);
  return absl::StrFormat("%.1f MB", static_cast<double>(bytes) * 1e-6);
}

// Where steps and addresses lie in the picture.
struct Axes {
  double steps, bytes;

  double X(double step) const {
    return kLeft + (kPictureWidth - kLeft) * step / std::max(steps, 1.0);
  }
  double Y(double address) const {
    return kTop + kPictureHeight * (1 - address / std::max(bytes, 1.0));
  }
};

void AppendBuffer(const BufferInTime& buffer, int steps, const Axes& axes, size_t number,
                  std::string& svg) {
  constexpr const char* kFills[] = {"#3b82f6", "#10b981", "#f59e0b",
                                    "#ef4444", "#8b5cf6", "#14b8a6"};
  const double left = axes.X(std::clamp(buffer.first, 0, steps));
  const double right = axes.X(std::clamp(buffer.last + 1, 0, steps));
  const double top = axes.Y(static_cast<double>(buffer.offset + buffer.bytes));
  const double bottom = axes.Y(static_cast<double>(buffer.offset));
  absl::StrAppendFormat(
      &svg,
      R"(<rect class="buffer" x="%.2f" y="%.2f" width="%.2f" height="%.2f" )"
      R"(fill="%s" fill-opacity="0.45" stroke="currentColor" stroke-width="0.3">)",
      left, top, std::max(right - left, 0.5), std::max(bottom - top, 0.5),
      kFills[number % std::size(kFills)]);
  absl::StrAppend(&svg, "<title>",
                  EscapeMarkup(absl::StrCat(buffer.name.substr(0, 1000), ": ", buffer.bytes,
                                            " bytes, nodes ", std::max(buffer.first, 0), " to ",
                                            std::min(buffer.last, steps - 1))),
                  "</title></rect>\n");
}

// What lives at each step, as a line of steps.
std::string LiveLine(const std::vector<BufferInTime>& buffers, int steps, const Axes& axes) {
  std::vector<int64_t> live(static_cast<size_t>(std::max(steps, 0)) + 1);
  for (const BufferInTime& buffer : buffers) {
    const int first = std::clamp(buffer.first, 0, steps);
    live[first] += buffer.bytes;
    live[std::clamp(buffer.last + 1, first, steps)] -= buffer.bytes;
  }
  std::string points;
  int64_t sum = 0;
  for (int step = 0; step < steps; ++step) {
    sum += live[step];
    const double y = axes.Y(static_cast<double>(sum));
    absl::StrAppendFormat(&points, "%.2f,%.2f %.2f,%.2f ", axes.X(step), y, axes.X(step + 1), y);
  }
  return absl::StrFormat(
      R"(<polyline points="%s" fill="none" stroke="currentColor" stroke-width="1.5">)"
      "<title>bytes of the values that live</title></polyline>\n",
      points);
}

}  // namespace

std::string DrawMemory(const std::vector<BufferInTime>& buffers, int steps, int64_t arena) {
  const Axes axes = {static_cast<double>(steps), static_cast<double>(arena)};
  std::vector<const BufferInTime*> drawn;
  for (const BufferInTime& buffer : buffers) drawn.push_back(&buffer);
  std::stable_sort(drawn.begin(), drawn.end(), [](const BufferInTime* a, const BufferInTime* b) {
    return a->bytes > b->bytes;
  });
  if (drawn.size() > kMostBuffers) drawn.resize(kMostBuffers);
  const double width = kPictureWidth + kTop, height = kTop + kPictureHeight + kBelow;
  std::string svg = absl::StrFormat(
      R"(<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%.0f" height="%.0f" )"
      R"(viewBox="0 0 %.0f %.0f" fill="currentColor" font-family="sans-serif" font-size="12">)"
      "<title>Memory of values over the nodes of a call</title>\n",
      width, height, width, height);
  for (size_t i = 0; i < drawn.size(); ++i) AppendBuffer(*drawn[i], steps, axes, i, svg);
  svg += LiveLine(buffers, steps, axes);
  const auto text = [&svg](double x, double y, const char* anchor, const std::string& what) {
    absl::StrAppendFormat(&svg, R"(<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>)", x, y,
                          anchor, EscapeMarkup(what));
  };
  text(kLeft - 6, kTop + 10, "end", BytesText(arena));
  text(kLeft - 6, kTop + kPictureHeight, "end", "0");
  text(kLeft, kTop + kPictureHeight + 18, "start", "node 0");
  text(kPictureWidth, kTop + kPictureHeight + 18, "end", absl::StrCat("node ", steps - 1));
  if (drawn.size() < buffers.size()) {
    text(kLeft, kTop + kPictureHeight + 34, "start",
         absl::StrCat("the ", drawn.size(), " largest of ", buffers.size(), " buffers"));
  }
  absl::StrAppendFormat(&svg,
                        R"(<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="none" )"
                        R"(stroke="currentColor" stroke-opacity="0.5"/>)",
                        kLeft, kTop, kPictureWidth - kLeft, kPictureHeight);
  svg += "\n</svg>\n";
  return svg;
}

}  // namespace seqgraph::tools
