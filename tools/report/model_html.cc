#include "tools/report/model_html.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "training/summary.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kMostGraph = 150'000;  // bytes
constexpr size_t kMostSpans = 800, kMostBuffers = 1500;

void AddLayers(const ModelReport& report, const std::string& suffix, Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (const LayerRow& layer : report.layers) {
    rows.push_back({Text(layer.name, 80), Text(layer.type, 60), Text(layer.output_shape, 60),
                    WithThousands(layer.parameters)});
  }
  page.Section(
      absl::StrCat("Layers", suffix),
      absl::StrCat(HtmlTable("Layers", {"layer", "type", "output", "parameters"}, rows, {3}),
                   "<p class=\"say\">", WithThousands(report.parameters),
                   " parameters are trained (", ReadableBytes(4 * report.parameters), "), beside ",
                   WithThousands(report.optimizer_numbers), " numbers of the optimizer.</p>"));
}

void AddTimes(const StepProfile& times, const std::string& suffix, Page& page) {
  int depth = 0;
  std::string spans;
  size_t count = 0;
  for (const FlameSpan& span : times.spans) {
    if (++count > kMostSpans) break;
    depth = std::max(depth, span.depth);
    absl::StrAppendFormat(
        &spans,
        "<div data-b=\"%.5f\" data-w=\"%.5f\" "
        "style=\"left:%.3f%%;width:%.3f%%;top:%.2frem;--w:%.2f\""
        " title=\"%s\">%s</div>",
        span.begin, span.share, 100 * span.begin, 100 * span.share, 1.55 * span.depth, span.share,
        Text(absl::StrCat(span.detail, absl::StrFormat(", %.1f %%", 100 * span.share)), 200),
        span.share > 0.012 ? Text(span.name, 40) : "");
  }
  std::vector<std::vector<std::string>> rows;
  for (const OpTime& op : times.ops) {
    rows.push_back({Text(op.op), absl::StrCat(op.calls), absl::StrFormat("%.4f", op.ms),
                    absl::StrFormat("%.1f %%", 100 * op.share),
                    op.gflops_per_second > 0 ? absl::StrFormat("%.2f", op.gflops_per_second) : ""});
  }
  page.Section(
      absl::StrCat("Where the time goes", suffix),
      absl::StrCat(
          "<p class=\"say\">",
          absl::StrFormat("One training step of %d rows takes %.3f ms, the mean of %d on one "
                          "thread of this machine, now. A click on a part shows it alone.",
                          times.batch, times.ms, times.calls),
          "</p>",
          absl::StrFormat("<div class=\"flame\" style=\"height:%.2frem\">", 1.55 * (depth + 1)),
          spans, "</div>",
          HtmlTable("Time of each op", {"op", "nodes", "ms", "share", "GFLOP/s"}, rows,
                    {1, 2, 3, 4})));
}

void AddMemory(const MemoryPicture& memory, const std::string& suffix, Page& page) {
  std::vector<MemoryPicture::Buffer> buffers = memory.buffers;
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  const size_t shown = std::min(buffers.size(), kMostBuffers);
  const auto arena = static_cast<double>(std::max<int64_t>(1, memory.arena));
  std::string rects;
  for (size_t i = 0; i < shown; ++i) {
    const MemoryPicture::Buffer& buffer = buffers[i];
    // The lowest address is at the bottom.
    absl::StrAppendFormat(
        &rects,
        "<g class=\"c%d\"><rect x=\"%d\" y=\"%.6g\" width=\"%d\" "
        "height=\"%.6g\"><title>%s</title></rect></g>",
        i % 8, buffer.first + 1,
        1000 * (1 - static_cast<double>(buffer.offset + buffer.bytes) / arena),
        buffer.last - buffer.first + 1, 1000 * static_cast<double>(buffer.bytes) / arena,
        Text(absl::StrCat(buffer.name, ": ", ReadableBytes(buffer.bytes), " from node ",
                          buffer.first + 1, " to ", buffer.last + 1)));
  }
  std::string html = absl::StrCat(
      "<p class=\"say\">The memory of one call of <code>", Text(memory.function), "</code> with ",
      memory.batch,
      " rows, as it is planned: from left to right the nodes as they run, from bottom "
      "to top the addresses. ",
      ReadableBytes(memory.arena), " for values, of which at most ",
      ReadableBytes(memory.live_bound), " are needed at one time; ", ReadableBytes(memory.scratch),
      " of scratch, ", ReadableBytes(memory.persistent), " that backends keep.</p>",
      absl::StrFormat("<svg class=\"memory\" viewBox=\"0 0 %d 1000\" preserveAspectRatio=\"none\" "
                      "role=\"img\" aria-label=\"Memory plan\">",
                      memory.nodes + 2),
      rects, "</svg><div class=\"ends\"><span>before the first node</span><span>after the last of ",
      memory.nodes, "</span></div>");
  if (shown < buffers.size()) {
    html +=
        NoteHtml(absl::StrCat("The largest ", shown, " of ", buffers.size(), " values are shown."));
  }
  if (!memory.exact) {
    html += NoteHtml(
        "Some values have a layout that is a backend's own; here they have their plain size.");
  }
  page.Section(absl::StrCat("Memory", suffix), html);
}

}  // namespace

void AddModel(const ModelReport& report, const std::string& suffix, Page& page) {
  if (!report.layers.empty()) AddLayers(report, suffix, page);
  if (report.graph.size() > kMostGraph) {
    page.Section(
        absl::StrCat("Graph", suffix),
        NoteHtml(
            "The graph is too large for this page: `seqgraph inspect --format=svg` draws it."));
  } else if (!report.graph.empty()) {
    page.Section(
        absl::StrCat("Graph", suffix),
        absl::StrCat("<p class=\"say\">What <code>predict</code> computes, before passes.</p>"
                     "<div class=\"drawing\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"Graph of the function predict\">",
                     report.graph, "</div>"));
  }
  if (report.times.has_value() && !report.times->spans.empty())
    AddTimes(*report.times, suffix, page);
  if (report.memory.has_value()) AddMemory(*report.memory, suffix, page);
}

}  // namespace seqgraph::tools
